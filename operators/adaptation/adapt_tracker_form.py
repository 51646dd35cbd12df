"""The form of `adapt_tracker`: its fields, its early warnings, and how its values are read."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.runs.outcomes import count_of
from ...tracker.errors import OptionError, PointTrackingError
from ...tracker.models.adapted import list_adapted
from ...tracker.models.registry import check_new_name, list_trackers, tracker_info, weights_are_here
from ...tracker.training.adapting.options import DEFAULT_MINUTES, AdaptationOptions
from ...workflows.adaptation.options import DEFAULT_STUDENT, AdaptOptions, adaptable_trackers
from ...workflows.lifecycle.run import choose_key
from ...workflows.lifecycle.scheduled_runs import WORKER_COMMAND, worker_is_seen
from ..shared import forms

_DEFAULTS = AdaptationOptions()


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs, more = types.Object(), types.Object()
    if not forms.add_videos(ctx, inputs, "Adapt to", blocked="Adapting a tracker needs videos"):
        return inputs
    _add_name(ctx, inputs)
    _add_student(ctx, inputs)
    _add_teachers(ctx, inputs)
    _add_budget(ctx, inputs)
    run_key = more.str("run_key", label="Run key", description="Name of the run record; chosen for you where empty")
    _add_purpose(ctx, inputs)
    _add_waiting(inputs)
    if ctx.params.get("run_key") and not any(prop.invalid for prop in inputs.properties.values()):
        forms.check_field(run_key, lambda: choose_key(ctx.dataset, options_of(ctx.params)))
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> AdaptOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, AdaptOptions)
    if params.get("percent_held_out") is not None:
        values["held_out"] = params["percent_held_out"] / 100
    values.setdefault("name", "")
    return AdaptOptions(**values)


def _add_name(ctx: Any, inputs: types.Object) -> None:
    name = ctx.params.get("name")
    prop = inputs.str(
        "name",
        required=True,
        label="Name of the new tracker",
        description="It is offered under this name afterwards, if it is better than its start",
    )
    if not name:
        if "name" in ctx.params:  # emptied; of an untouched form the App says that it is required
            forms.show_error(prop, OptionError("Give the new tracker a name"))
        return
    overwrite = bool(ctx.params.get("overwrite"))
    forms.check_field(prop, lambda: check_new_name(name, overwrite=True))
    if name in list_adapted():
        replace = inputs.bool("overwrite", default=False, label=f"Replace the adapted tracker {name!r}")
        if not overwrite:
            forms.show_error(replace, OptionError(f"There is a tracker {name!r}. Replace it, or choose another name"))


def _add_student(ctx: Any, inputs: types.Object) -> None:
    names = [name for name in adaptable_trackers() if weights_are_here(tracker_info(name))]
    if not names:
        blocker = inputs.view("no_start", types.Error(label="There are no weights on this machine to start from"))
        forms.show_error(blocker, OptionError("Download the weights of a tracker first, by tracking with it once"))
        return
    default = DEFAULT_STUDENT if DEFAULT_STUDENT in names else names[0]
    if not isinstance(ctx.params.get("tracker"), str | None):  # loaded, from Python
        return
    inputs.enum(
        "tracker",
        names,
        default=default,
        label="Tracker to start from",
        description="It stays as it is. Offered are trackers that can be trained, with weights on this machine",
        view=_choices(names),
    )
    chosen = ctx.params.get("tracker") or default
    if chosen in names:
        info = tracker_info(chosen)
        text = f"{chosen}: {info.summary}. Terms: {info.terms}."
        inputs.view("tracker_terms", types.Notice(label=text) if info.commercial_use else types.Warning(label=text))


def _add_teachers(ctx: Any, inputs: types.Object) -> None:
    start = ctx.params.get("tracker") or DEFAULT_STUDENT
    names = [name for name in list_trackers() if name != start and weights_are_here(tracker_info(name))]
    choices = _choices(names, types.DropdownView(multiple=True))
    inputs.list(
        "teachers",
        types.String(),
        required=False,
        label="Trackers to learn from",
        description="A teacher that is better on such videos helps most; their terms bind the result",
        view=choices,
    )
    inputs.bool(
        "own_start",
        default=True,
        label="Learn from its own start too",
        description="The tracker to start from, as it is now, is one of the trackers to learn from",
    )
    bound = [name for name in (start, *(ctx.params.get("teachers") or ())) if name in list_trackers()]
    bound = [name for name in bound if not tracker_info(name).commercial_use]
    if bound:
        text = f"The result will be for NON-COMMERCIAL use only, because of {', '.join(bound)}"
        inputs.view("terms", types.Warning(label=text))


def _add_budget(ctx: Any, inputs: types.Object) -> None:
    prop = inputs.float(
        "minutes",
        default=None if ctx.params.get("steps") else DEFAULT_MINUTES,
        label="Minutes of training",
        description="The held-out videos are tracked before and after, which comes on top",
    )
    minutes = ctx.params.get("minutes")
    if minutes is not None and not ctx.params.get("steps"):
        forms.check_field(prop, lambda: AdaptationOptions(minutes=minutes))
    percent = ctx.params.get("percent_held_out")
    prop = inputs.float(
        "percent_held_out",
        default=100 * _DEFAULTS.held_out,
        label="Videos to judge by (%)",
        description="They are not trained on; at least one video, at most 32",
    )
    if percent is not None:
        forms.check_field(prop, lambda: _check_percent(percent))


def _add_purpose(ctx: Any, inputs: types.Object) -> None:
    """Says what the videos are used for, or why Execute is disabled where no single field is to blame."""
    from ...tracker.training.adapting.held_out import split_videos

    given = ctx.params.get("percent_held_out")
    share = _DEFAULTS.held_out
    if given is not None and forms.error_of(lambda: _check_percent(given)) is None:
        share = given / 100
    try:
        paths = forms.target_of(ctx).values("filepath")
        trained_on, judged_by = split_videos(paths, share, _DEFAULTS.seed)
        if not ctx.params.get("teachers") and ctx.params.get("own_start") is False:
            raise OptionError("There is no teacher: choose one, or let the tracker learn from its own start")
    except PointTrackingError as error:
        forms.add_error(inputs, "purpose", error)
        return
    text = (
        f"{count_of(len(trained_on), 'video')} to learn from, {len(judged_by):,} to judge by; "
        "they are only read, and no label is needed or changed"
    )
    if len(judged_by) == 1:
        text += ". One video is weak evidence: choose more videos, or a larger share to judge by"
    inputs.view("purpose", types.Notice(label=text))


def _add_waiting(inputs: types.Object) -> None:
    """Says how to run for so long; the App offers to schedule only where it was started for that."""
    text = (
        "It runs in the background: closing this tab does not stop it, stopping the App ends it with nothing stored. "
    )
    if fo.config.allow_legacy_orchestrators:
        text += "To run without the App, choose Schedule beside Execute"
        text += "" if worker_is_seen() else f"; no worker is seen: start one first with {WORKER_COMMAND}"
    else:
        text += (
            "To run without the App, start it with FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS=true and a worker with "
            f"{WORKER_COMMAND}, and choose Schedule beside Execute"
        )
    inputs.view("waiting", types.Notice(label=text))


def _check_percent(percent: float) -> None:
    if not 0 < percent < 100:
        raise OptionError(
            f"Invalid share of videos to judge by ({percent:g} %). Expected more than 0 and less than 100"
        )


def _choices(names: list[str], view: Any = None) -> Any:
    view = view or types.DropdownView()
    for name in names:
        info = tracker_info(name)
        view.add_choice(name, label=name, description=f"{info.terms}. {info.summary}")
    return view
