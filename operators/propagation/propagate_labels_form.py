"""The form of `propagate_labels`: which labels, where to, and what that comes to in numbers."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import FRAMES_PREFIX, is_ours
from ...store.labels.annotation import is_active, is_editable
from ...store.labels.shapes import FIELD_TYPES, list_of
from ...store.runs.outcomes import count_of
from ...tracker.errors import OptionError
from ...workflows.lifecycle.run import choose_key
from ...workflows.propagation.options import DIRECTION_LABELS, PropagateOptions
from ...workflows.propagation.overview import SAMPLES_LOOKED_AT, Overview, overview_of
from ...workflows.propagation.propagate_labels import PROPAGATION_DEFAULTS, check_propagation_fields
from ..shared import forms, tracker_form

IN_PLACE, OWN_FIELD = "in_place", "own_field"
_PLACES = {
    IN_PLACE: "Beside the keyframes, in the same field",
    OWN_FIELD: "Into a field of their own",
}
_SHOWN_WARNINGS = 5
# more frames than any video has
_LAST_FRAME = 10**9


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs = types.Object()
    if not forms.add_videos(ctx, inputs, "Propagate labels in", blocked="Propagating labels needs videos"):
        return inputs
    fields = fields_to_carry(ctx.dataset)
    if not fields:
        text = (
            "There are no labels to carry: draw boxes or polylines in a few frames of a video (open it, tab Annotate), "
            "or load keypoints"
        )
        forms.show_error(inputs.view("no_labels", types.Error(label=text)), OptionError(text))
        return inputs
    name = _add_field(ctx, inputs, fields)
    _add_place(ctx, inputs, name)
    forms.add_classes(ctx, inputs, f"{FRAMES_PREFIX}{list_of(ctx.dataset, name)}.label")
    tracker_form.add_tracker(ctx, inputs, str(PROPAGATION_DEFAULTS.tracker))
    tracker_form.add_weights(ctx, inputs, str(PROPAGATION_DEFAULTS.tracker))
    options = _options(ctx, inputs, name)
    if options is not None:
        _add_overview(ctx, inputs, options)
        _add_annotate(ctx, inputs, options.target_field if options.in_place else name)
    more = types.Object()
    _add_more(ctx, more, name)
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> PropagateOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, PropagateOptions)
    if params.get("place") == IN_PLACE:  # a hidden field keeps its last value
        values.pop("output_field", None)
    first, last = params.get("first_frame"), params.get("last_frame")
    if "frames" not in values and (first or last):
        values["frames"] = (first or 1, last or _LAST_FRAME)
    values["tracker_options"] = tracker_form.tracker_options_of(params)
    return PropagateOptions(**values)


def fields_to_carry(dataset: fo.Dataset) -> list[str]:
    """The frame fields whose labels can be carried; not those with point tracks of a run.

    Args:
        dataset: the dataset
    """
    schema = dataset.get_frame_field_schema(flat=False) or {}
    kinds = [name for name, field in schema.items() if getattr(field, "document_type", None) in FIELD_TYPES]
    return [name for name in kinds if not is_ours(dataset, name)]


def _add_field(ctx: Any, inputs: types.Object, fields: list[str]) -> str:
    first = _first_with_labels(ctx, fields)
    choices = types.DropdownView()
    for name in fields:
        kind = ctx.dataset.get_frame_field_schema(flat=False)[name].document_type.__name__
        choices.add_choice(name, label=f"{name} ({kind})")
    inputs.enum(
        "field",
        fields,
        default=first,
        required=True,
        label="Labels to carry",
        description="A label that is marked as keyframe, or not marked at all, is carried; it is never changed",
        view=choices,
    )
    given = str(ctx.params.get("field") or first).removeprefix(FRAMES_PREFIX)
    return given if given in fields else first


def _first_with_labels(ctx: Any, fields: list[str]) -> str:
    """The field that most likely is meant: with keyframes in the chosen videos, else with labels there."""
    samples = forms.target_of(ctx).limit(SAMPLES_LOOKED_AT)
    paths = {name: f"{FRAMES_PREFIX}{list_of(ctx.dataset, name)}" for name in fields}
    marked = [name for name in fields if ctx.dataset.get_field(f"{paths[name]}.keyframe") is not None]
    for name in marked:
        if any(samples.values(f"{paths[name]}.keyframe", unwind=True)):
            return name
    return next((name for name in fields if samples.count(paths[name])), fields[0])


def _add_place(ctx: Any, inputs: types.Object, name: str) -> None:
    choices = types.RadioGroup()
    for place, label in _PLACES.items():
        choices.add_choice(place, label=label)
    default = OWN_FIELD if ctx.params.get("output_field") else IN_PLACE
    inputs.enum("place", list(_PLACES), default=default, label="Write the carried labels", view=choices)
    if (ctx.params.get("place") or default) == OWN_FIELD:
        inputs.str(
            "output_field",
            default=f"{name}_carried",
            required=True,
            label="Output field",
            description="Keyframes are copied there; the field you chose above stays as it is",
        )


def _options(ctx: Any, inputs: types.Object, name: str) -> PropagateOptions | None:
    """The options as they are now; says what is wrong with them."""
    values = {"field": name, **{key: value for key, value in ctx.params.items() if value is not None}}
    if values.get("place") == OWN_FIELD and "output_field" not in values:
        values["output_field"] = f"{name}_carried"
    found: list[PropagateOptions] = []

    def check() -> None:
        found.append(options_of(values))
        check_propagation_fields(ctx.dataset, found[0])

    error = forms.error_of(check)
    if error is None:
        return found[0]
    forms.add_error(inputs, "options_error", error)
    return None


def _add_overview(ctx: Any, inputs: types.Object, options: PropagateOptions) -> None:
    """Says in numbers what will be read and written."""
    samples = forms.target_of(ctx)
    found = overview_of(samples, options)
    if not found.num_keyframes:
        text = f"The chosen videos hold no label to carry in {options.field}"
        if found.num_samples:
            prop = inputs.view("nothing", types.Warning(label=text))
            if len(samples) <= SAMPLES_LOOKED_AT and not found.num_unchanged:
                forms.show_error(prop, OptionError(text))
        else:
            inputs.view("nothing", types.Warning(label="The chosen target holds no videos that can be read"))
        return
    total = len(samples)
    looked_at = f"In the first {SAMPLES_LOOKED_AT} of {total:,} videos: " if total > SAMPLES_LOOKED_AT else ""
    text = (
        f"{looked_at}{count_of(found.num_keyframes, 'keyframe')} of {count_of(found.num_objects, 'object')}, "
        f"{count_of(found.num_to_fill, 'frame')} to fill"
    )
    if found.num_unchanged:
        text += f"; {count_of(found.num_unchanged, 'frame')} are filled from the same keyframes already"
    inputs.view("overview", types.Notice(label=text))
    _add_consequences(inputs, options, found)


def _add_consequences(inputs: types.Object, options: PropagateOptions, found: Overview) -> None:
    for name in found.namesakes[:_SHOWN_WARNINGS]:
        text = (
            f"Several objects are called {name!r}. Where they are one, do not draw it anew in another frame: drag the "
            "box that is there already, or give its labels the same index"
        )
        inputs.view(f"namesakes_{name}", types.Warning(label=text))
    if found.num_corrected:
        text = f"{count_of(found.num_corrected, 'keyframe')} that you changed or added in {options.target_field} count"
        inputs.view("corrected", types.Notice(label=text))
    if found.num_without_identity:
        number = count_of(found.num_without_identity, "label")
        text = f"{number} without index and instance get an instance, which tells their object apart"
        inputs.view("identity", types.Notice(label=text))
    if found.num_unmarked:
        unmarked = count_of(found.num_unmarked, "label")
        inputs.bool(
            "overwrite_unmarked",
            default=PROPAGATION_DEFAULTS.overwrite_unmarked,
            label=f"Replace {unmarked} that do not say whether they are keyframes",
            description="Off: they are taken for keyframes, and stay. On: only labels marked as keyframes stay",
        )
    for number, warning in enumerate(found.warnings[:_SHOWN_WARNINGS]):
        inputs.view(f"warning_{number}", types.Warning(label=warning[:1].upper() + warning[1:]))


def _add_annotate(ctx: Any, inputs: types.Object, name: str) -> None:
    if not is_editable(ctx.dataset, name):
        return
    if is_active(ctx.dataset, name):
        return
    inputs.bool(
        "annotate",
        default=True,
        label="Correct them in the Annotate tab",
        description="Lists the field in that tab. What is set up there stays; no label is changed by it",
    )


def _add_more(ctx: Any, more: types.Object, name: str) -> None:
    """Adds what is rarely used."""
    choices = types.RadioGroup()
    for direction, label in DIRECTION_LABELS.items():
        choices.add_choice(direction, label=label)
    more.enum(
        "direction", list(DIRECTION_LABELS), default=PROPAGATION_DEFAULTS.direction, label="Direction", view=choices
    )
    more.bool(
        "keep_lost",
        default=PROPAGATION_DEFAULTS.keep_lost,
        label="Keep lost objects",
        description="Beyond the last keyframe, keep an object where it was seen last, marked as occluded",
    )
    if isinstance(ctx.params.get("frames"), list | tuple):  # from Python
        more.list("frames", types.Number(int=True))
    else:
        more.int("first_frame", label="First frame to fill", description="Empty: from the start; frames count from 1")
        more.int("last_frame", label="Last frame to fill", description="Empty: to the end")
    prop = more.int(
        "points_per_object",
        default=PROPAGATION_DEFAULTS.points_per_object,
        label="Points on each object",
        description="About so many points are tracked for each keyframe",
    )
    given = ctx.params.get("points_per_object")
    if given is not None:
        forms.check_field(prop, lambda: PropagateOptions(field=name, points_per_object=given))
    forms.add_run_key(ctx, more, lambda key: choose_key(ctx.dataset, PropagateOptions(field=name, run_key=key)))
