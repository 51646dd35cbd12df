"""The form of `describe_motion`: its fields, and how its values are read."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import DEFAULT_LABEL_FIELD
from ...tracker.models.registry import list_trackers
from ...workflows.motion.describe_motion import MOTION_DEFAULTS
from ...workflows.motion.motion_fields import check_motion_fields
from ...workflows.motion.options import OF_TRACKS, MotionOptions
from ..shared import forms

_GRID = ""


def build_form(ctx: Any) -> types.Object:
    """Builds the form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    forms.unfold(ctx)
    inputs, more = types.Object(), types.Object()
    if not forms.add_videos(ctx, inputs, "Describe the motion in", blocked="Point tracking needs videos"):
        return inputs
    fields = _track_fields(ctx.dataset)
    default = DEFAULT_LABEL_FIELD if DEFAULT_LABEL_FIELD in fields else fields[0] if fields else _GRID
    choices = types.DropdownView()
    for name in fields:
        choices.add_choice(name, label=name)
    choices.add_choice(_GRID, label="(none: track a small grid for this alone)")
    inputs.enum(
        "label_field",
        choices.values(),
        default=default,
        label="Tracks",
        description="The frame field with the tracks to look at; without one a grid is tracked, and not stored",
        view=choices,
    )
    chosen = ctx.params.get("label_field", default) or None
    if chosen is not None:
        forms.add_options(ctx, more, MotionOptions, OF_TRACKS)
    if chosen is None or ctx.params.get("cycle_consistency"):
        trackers = types.DropdownView()
        for name in list_trackers():
            trackers.add_choice(name, label=name)
        more.enum("tracker", trackers.values(), default=MOTION_DEFAULTS.tracker, label="Tracker", view=trackers)
    if chosen is None:
        more.int("grid_size", default=MOTION_DEFAULTS.grid_size, min=4, max=40, label="Points per side of the grid")
    forms.add_options(ctx, more, MotionOptions, "more")
    told: dict[str, Any] = {name: ctx.params.get(name) is not False for name in ("texture", "groups")}
    error = forms.error_of(lambda: check_motion_fields(ctx.dataset, MotionOptions(label_field=chosen, **told)))
    if error is not None:
        forms.add_error(inputs, "fields", error)
    forms.add_folded(inputs, more)
    return inputs


def options_of(params: dict[str, Any]) -> MotionOptions:
    """Reads the form's values, or parameters given from Python, as options.

    Args:
        params: of the execution context

    Returns:
        checked options

    Raises:
        PointTrackingError: for values that are not supported
    """
    values = forms.given_values(params, MotionOptions)
    values["label_field"] = params.get("label_field") or None
    if params.get("label_field") == _GRID:  # inputs that are hidden again keep their last value
        values.pop("cycle_consistency", None)
    return MotionOptions(**values)


def _track_fields(dataset: fo.Dataset) -> list[str]:
    schema = dataset.get_frame_field_schema(flat=False) or {}
    return [name for name, field in schema.items() if getattr(field, "document_type", None) is fo.Keypoints]
