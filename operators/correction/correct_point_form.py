"""The forms of `correct_point` and `retrack_corrections`."""

from __future__ import annotations

from typing import Any

import fiftyone.operators.types as types

from ...store.corrections.selected_labels import SelectedPoint
from ...store.runs.outcomes import count_of
from ...tracker.coordinates import frame_number_of
from ...tracker.errors import OptionError, PointTrackingError
from ...tracker.models.registry import list_trackers
from ...workflows.correction.options import CorrectOptions
from ...workflows.correction.points import checked_corrections, tracked_sample
from ..shared import forms
from .actions import field_of, stored_corrections
from .edit_points_form import add_field
from .selected import Selection, open_sample_of, selection_of

_SAME_TRACKER = "the same"


def build_point_form(ctx: Any) -> types.Object:
    """The form for the current state of its values.

    Args:
        ctx: FiftyOne's execution context

    Returns:
        the inputs
    """
    inputs = types.Object()
    try:
        chosen = selection_of(ctx)
    except PointTrackingError as error:
        forms.add_error(inputs, "cannot", error)
        return inputs
    if len(chosen.points) > 1:
        choices = types.DropdownView()
        for point in chosen.points:
            choices.add_choice(_name_of(point), label=_words_of(point))
        names = [_name_of(point) for point in chosen.points]
        inputs.enum("point", names, default=names[0], required=True, label="Point", view=choices)
    point, (width, height) = _point(ctx, chosen), tracked_sample(chosen.sample, chosen.label_field).size_px
    inputs.view("which", types.Notice(label=f"{_words_of(point)}; the frame is {width} x {height} pixels"))
    for name, value, size in (("x", _at(point)[0], width), ("y", _at(point)[1], height)):
        inputs.float(name, default=value, required=True, label=f"{name} in pixels", description=f"0 to {size - 1}")
    inputs.bool(
        "retrack",
        default=True,
        label="Follow the track again now",
        description="Off: the position is only stored; 'Retrack from corrections' follows all corrected tracks later",
    )
    if ctx.params.get("retrack", True):
        _add_tracker(inputs)
        text = f"The track {point.index} will be followed again, from here both ways; other tracks stay as they are"
        inputs.view("consequence", types.Notice(label=text))
    error = forms.error_of(lambda: _checked(ctx, chosen))
    if error is not None:
        forms.add_error(inputs, "wrong", error)
    return inputs


def point_options(ctx: Any) -> tuple[Any, CorrectOptions]:
    """The sample and what is to be corrected in it.

    Args:
        ctx: FiftyOne's execution context

    Raises:
        PointTrackingError: for values that are not supported
    """
    chosen = selection_of(ctx)
    row = _checked(ctx, chosen)
    retrack = bool(ctx.params.get("retrack", True))
    return chosen.sample, CorrectOptions(chosen.label_field, [row], retrack, tracker=_tracker(ctx) if retrack else None)


def build_retrack_form(ctx: Any) -> types.Object:
    """The form of `retrack_corrections`; arguments and result as of `build_point_form`."""
    inputs = types.Object()
    add_field(ctx, inputs)
    try:
        number, tracks = stored_corrections(ctx)
        if not number:
            raise OptionError(
                f"No point of this video was corrected in {field_of(ctx)}. Select a point and use 'Correct a point'"
            )
    except PointTrackingError as error:
        forms.add_error(inputs, "cannot", error)
        return inputs
    text = f"{count_of(tracks, 'track')} will be followed again from {count_of(number, 'correction')}"
    inputs.view("preview", types.Notice(label=f"{text}; other tracks stay as they are"))
    _add_tracker(inputs)
    return inputs


def retrack_options(ctx: Any) -> tuple[Any, CorrectOptions]:
    """The sample and what is to be followed again in it; arguments and errors as of `point_options`."""
    return open_sample_of(ctx), CorrectOptions(field_of(ctx), tracker=_tracker(ctx))


def _add_tracker(inputs: types.Object) -> None:
    choices = types.DropdownView()
    choices.add_choice(_SAME_TRACKER, label="The one that made the tracks")
    for name in list_trackers():
        choices.add_choice(name, label=name)
    inputs.enum("tracker", choices.values(), default=_SAME_TRACKER, label="Tracker", view=choices)


def _tracker(ctx: Any) -> str | None:
    given = ctx.params.get("tracker")
    return None if given in (None, "", _SAME_TRACKER) else given


def _checked(ctx: Any, chosen: Selection) -> list[float]:
    """(index, frame, x, y) as the form has it.

    Raises:
        QueryError: if that is outside the frame
    """
    point = _point(ctx, chosen)
    values = [ctx.params.get(name) for name in ("x", "y")]
    x, y = (default if value is None else value for value, default in zip(values, _at(point), strict=True))
    row = [point.index, point.t, x, y]
    checked_corrections([row], tracked_sample(chosen.sample, chosen.label_field))
    return row


def _point(ctx: Any, chosen: Selection) -> SelectedPoint:
    named = {_name_of(point): point for point in chosen.points}
    return named.get(str(ctx.params.get("point")), chosen.points[0])


def _name_of(point: SelectedPoint) -> str:
    return f"{point.index} in frame {frame_number_of(point.t)}"


def _words_of(point: SelectedPoint) -> str:
    return f"Track {point.index} ({point.called}) in frame {frame_number_of(point.t)}"


def _at(point: SelectedPoint) -> tuple[float, float]:
    x, y = point.xy or (0.0, 0.0)
    return round(x, 1), round(y, 1)
