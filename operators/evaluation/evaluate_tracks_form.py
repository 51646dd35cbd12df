"""The form of `evaluate_tracks`: its fields, its early warnings, and how its values are read."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import FRAMES_PREFIX
from ...store.labels.known_tracks import GT_FIELD
from ...store.labels.masks import MASK_TYPES
from ...store.runs.outcomes import count_of
from ...store.runs.records import record_of
from ...store.tracks.sample_status import read_contents
from ...tracker.errors import OptionError
from ...tracker.models.registry import list_trackers
from ...workflows.evaluation.figures import METRICS
from ...workflows.evaluation.options import EVALUATION_DEFAULTS, MATCH, EvaluationOptions
from ..shared import forms

_QUERY_MODES = {
    "first": "Where each point is visible first; later frames count",
    "strided": "In every 5th frame in which a point is visible; all other frames count",
}
_SPARSE = {
    "auto": "hidden, unless the sample says that its labels are sparse",
    "unlabelled": "nobody looked: left out",
    "hidden": "the point is hidden",
}


_ONLY_BACK = (
    "Choose tracking back to the start. The dataset holds no known tracks and no masks on frames to judge by (one mask "
    "for a whole sample does not say where the object is later)"
)


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs, more = types.Object(), types.Object()
    if not forms.add_videos(ctx, inputs, "Evaluate tracks in", blocked="Point tracking needs videos"):
        return inputs
    fields = _frame_fields(ctx.dataset, (fo.Keypoints,))
    if not fields:
        prop = inputs.view("no_tracks", types.Error(label="There are no tracks to evaluate: track points first"))
        prop.invalid = True
        return inputs
    label_field = _add_label_field(ctx, inputs, fields)
    others = [name for name in fields if name != label_field]
    _add_truth(ctx, inputs, more, others)
    _add_masks(ctx, inputs)
    _add_cycle(ctx, inputs)
    _add_purpose(ctx, inputs, others)
    _add_totals(ctx, more)
    _add_key(ctx, inputs, label_field)
    _add_size_notice(ctx, inputs, label_field)
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> EvaluationOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, EvaluationOptions)
    if params.get("sparse_labels") in ("unlabelled", "hidden"):
        values["sparse"] = params["sparse_labels"] == "unlabelled"
    if not values.get("cycle"):  # hidden fields keep their last value
        values.pop("tracker", None)
        values.pop("tracker_options", None)
    return EvaluationOptions(**values)


def _frame_fields(dataset: fo.Dataset, kinds: tuple[type, ...]) -> list[str]:
    schema = dataset.get_frame_field_schema(flat=False) or {}
    return [name for name, field in schema.items() if getattr(field, "document_type", None) in kinds]


def _add_label_field(ctx: Any, inputs: types.Object, fields: list[str]) -> str:
    default = EVALUATION_DEFAULTS.label_field if EVALUATION_DEFAULTS.label_field in fields else fields[0]
    choices = types.DropdownView()
    for name in fields:
        choices.add_choice(name, label=name)
    inputs.enum(
        "label_field",
        choices.values(),
        default=default,
        label="Tracks",
        description="The frame field with the tracks to judge",
        view=choices,
    )
    return ctx.params.get("label_field") or default


def _add_truth(ctx: Any, inputs: types.Object, more: types.Object, fields: list[str]) -> None:
    if not fields:
        inputs.view(
            "no_truth",
            types.Notice(
                label="There is no other frame field of keypoints, so there are no known tracks to compare with"
            ),
        )
        return
    default = _known_field(fields)
    _add_choice(
        inputs,
        "gt_field",
        fields,
        default=default,
        label="Known tracks",
        description="The frame field with true or corrected tracks; empty: judge without",
    )
    if not ctx.params.get("gt_field", default):
        return
    modes = types.RadioGroup()
    for name, text in _QUERY_MODES.items():
        modes.add_choice(name, label=name, description=text)
    inputs.enum(
        "query_mode",
        modes.values(),
        default=EVALUATION_DEFAULTS.query_mode,
        label="Frames that count",
        description="The two ways of the benchmark TAP-Vid: from where on is a point judged?",
        view=modes,
    )
    ways = types.DropdownView()
    for name, text in MATCH.items():
        ways.add_choice(name, label=name, description=text)
    more.enum(
        "match", ways.values(), default=EVALUATION_DEFAULTS.match, label="Match tracks with known tracks", view=ways
    )
    if isinstance(ctx.params.get("sparse"), bool):  # from Python
        more.bool("sparse")
    else:
        labels = types.DropdownView()
        for name, text in _SPARSE.items():
            labels.add_choice(name, label=text)
        more.enum("sparse_labels", labels.values(), default="auto", label="A frame without a label means", view=labels)
    if isinstance(ctx.params.get("metrics"), list):  # from Python
        inputs.list("metrics", types.Enum(list(METRICS)))


def _mask_fields(dataset: fo.Dataset) -> list[str]:
    return [FRAMES_PREFIX + name for name in _frame_fields(dataset, MASK_TYPES)]


def _add_masks(ctx: Any, inputs: types.Object) -> None:
    fields = _mask_fields(ctx.dataset)
    if not fields:
        return
    _add_choice(
        inputs,
        "mask_field",
        fields,
        label="Object masks",
        description="Points that start on the object are to stay on it; empty: judge without",
    )


def _add_cycle(ctx: Any, inputs: types.Object) -> None:
    inputs.bool(
        "cycle",
        default=EVALUATION_DEFAULTS.cycle,
        label="Track back to the start",
        description="Needs no truth: how near their start do points end? Takes as long as tracking did",
    )
    if not ctx.params.get("cycle"):
        return
    _add_choice(
        inputs,
        "tracker",
        list_trackers(),
        none="the one that made the tracks",
        label="Tracker that goes back",
        description="Empty: the one that made the tracks, with its options",
    )


def _add_purpose(ctx: Any, inputs: types.Object, fields: list[str]) -> None:
    """Says why Execute is disabled where nothing was chosen to judge by."""
    params = {"gt_field": _known_field(fields), **ctx.params}
    if not any(params.get(name) for name in ("gt_field", "mask_field", "cycle")):
        offered = ["known tracks"] if fields else []
        offered += ["object masks"] if _mask_fields(ctx.dataset) else []
        text = f"Choose {', '.join([*offered, ''])}or tracking back to the start" if offered else _ONLY_BACK
        forms.show_error(inputs.view("purpose", types.Warning(label=text)), OptionError(text))
        return
    error = forms.error_of(lambda: options_of(params))
    if error is not None:
        forms.add_error(inputs, "purpose", error)


def _known_field(fields: list[str]) -> str:
    """The field that is offered first as known tracks; "" for none."""
    return GT_FIELD if GT_FIELD in fields else ""


def _add_choice(
    inputs: types.Object, name: str, values: list[str], *, default: str = "", none: str = "none", **texts: str
) -> None:
    """A choice of names, with one for none."""
    choices = types.DropdownView()
    choices.add_choice("", label=f"({none})")
    for value in values:
        choices.add_choice(value, label=value)
    inputs.enum(name, choices.values(), default=default, view=choices, **texts)


def _add_totals(ctx: Any, inputs: types.Object) -> None:
    choices = types.AutocompleteView(allow_user_input=True)
    schema = ctx.dataset.get_field_schema(flat=False)
    for name, field in schema.items():
        if isinstance(field, (fo.StringField, fo.BooleanField, fo.IntField)) and name not in ("id", "filepath"):
            choices.add_choice(name, label=name)
    prop = inputs.str(
        "group_by",
        label="Totals per value of",
        description="A sample field, e.g. a kind of video; empty: one total",
        view=choices,
    )
    given = ctx.params.get("group_by")
    if given and given not in ctx.dataset.get_field_schema(flat=True):
        prop.invalid = True
        prop.error_message = f"There is no sample field {given!r}"


def _add_key(ctx: Any, inputs: types.Object, label_field: str) -> None:
    given = ctx.params.get("eval_key")
    prop = inputs.str(
        "eval_key",
        label="Evaluation key",
        description=f"Scores are stored in fields that start with it; chosen for you where empty (eval_{label_field})",
    )
    forms.check_field(prop, lambda: EvaluationOptions(eval_key=given or None))
    if not given or given not in ctx.dataset.list_runs():
        return
    if record_of(ctx.dataset, given)["method"] != EvaluationOptions.METHOD:
        prop.invalid = True
        prop.error_message = f"There is a run {given!r} already, and it is no evaluation. Choose another key"
        return
    replace = inputs.bool(
        "overwrite", default=EVALUATION_DEFAULTS.overwrite, label="Replace the evaluation of that name"
    )
    if not ctx.params.get("overwrite"):
        replace.invalid = True
        replace.error_message = f"There is an evaluation {given!r} already. Replace it, or choose another key"


def _add_size_notice(ctx: Any, inputs: types.Object, label_field: str) -> None:
    """Says how many videos will be judged; those without tracks are none of them."""
    sample_ids = forms.target_of(ctx).values("id")
    if not sample_ids:
        inputs.view("size", types.Warning(label="The chosen target holds no samples"))
        return
    contents = read_contents(ctx.dataset, sample_ids, label_field)
    number = len(contents.labelled | contents.finished)
    if not number:
        text = (
            f"None of the chosen videos holds tracks in {FRAMES_PREFIX}{label_field}: track points first, or choose "
            "another field or other videos"
        )
        forms.show_error(inputs.view("size", types.Warning(label=text)), OptionError(text))
        return
    text = count_of(number, "video")
    if number < len(sample_ids):
        without = len(sample_ids) - number
        text = (
            f"{number:,} of the {len(sample_ids):,} chosen videos hold tracks in {FRAMES_PREFIX}{label_field}; "
            f"{without:,} {'is' if without == 1 else 'are'} listed as not evaluated"
        )
    inputs.view("size", types.Notice(label=f"{text}; tracks are only read, scores are stored with samples"))
