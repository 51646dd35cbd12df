"""The part of Track points' form that asks what to track, and refuses what no chosen video can hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import fiftyone as fo
import fiftyone.operators.types as types

from ...store.database.fields import FRAMES_PREFIX
from ...store.labels.fields import find_field, has_field
from ...store.labels.masks import MASK_TYPES
from ...store.labels.prompts.count import count_prompts
from ...store.labels.prompts.points import LIST_FIELDS, POINT_TYPES, PromptRules
from ...store.runs.outcomes import count_of
from ...store.tracks.known_videos import KnownVideo, known_videos
from ...store.tracks.source_links import FILEPATH
from ...tracker.coordinates import frame_index_of
from ...tracker.errors import OptionError, PointTrackingError, QueryError
from ...tracker.queries.grid import check_frame_index, check_grid_size
from ...tracker.queries.inside import check_points_per_object
from ...workflows.tracking.options import TRACK_DEFAULTS, TrackOptions
from ...workflows.tracking.prompts import check_prompt_fields
from ..shared import forms
from .label_inputs import OF_LABELS, Asked, add_count, add_label_rules

GRID, MASKS, POINTS = "grid", "masks", "points"
_KINDS = {
    GRID: ("A grid of points", "Over the whole frame"),
    MASKS: ("Objects", "Points on masks that the dataset holds"),
    POINTS: ("Labels or points", "Boxes, masks, lines or keypoints of any frames; or positions that you type"),
}
# what belongs to the other kinds, and keeps its last value in hidden inputs
_OF_OTHERS = {
    GRID: ("mask_field", "points", *OF_LABELS),
    MASKS: ("points", "classes", "prompt_frames"),
    POINTS: ("mask_field",),
}
# the App draws points of one size, also on the small pictures of its grid
HIDES_PICTURE_FROM = 400
SUGGESTED_PER_OBJECT = 50


def add_prompts(ctx: Any, inputs: types.Object, written_to: fo.Dataset, chosen: Any) -> Asked:
    """Asks what to track.

    Args:
        ctx: FiftyOne's execution context
        inputs: the form
        written_to: the dataset that tracks are written to
        chosen: the samples

    Returns:
        what that comes to, as far as that is known
    """
    kind = kind_of(ctx.params)
    choices = types.RadioGroup()
    for name, (label, description) in _KINDS.items():
        choices.add_choice(name, label=label, description=description)
    inputs.enum("prompt_kind", choices.values(), default=kind, label="What to track", view=choices)
    if kind == MASKS:
        asked = replace(_add_masks(ctx, inputs, written_to, chosen), num_frames=1, most_frames=1, fills_frame=True)
    elif kind == POINTS:
        asked = _add_points(ctx, inputs, written_to, chosen)
    else:
        asked = Asked(_add_grid_size(ctx, inputs), 1, 1, fills_frame=True)
    if kind != POINTS or _are_on_samples(ctx, _given_points(ctx.params)):
        _add_frame_index(ctx, inputs, kind, chosen)
    return asked


def kind_of(params: dict[str, Any]) -> str:
    """What is tracked: as was chosen; from Python, by what is given."""
    if params.get("prompt_kind") in _KINDS:
        return params["prompt_kind"]
    return POINTS if params.get("points") else MASKS if params.get("mask_field") else GRID


def without_other_prompts(params: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values of options without those of inputs that are hidden, because something else is tracked.

    Args:
        params: of the execution context
        values: of options, by name
    """
    hidden = _OF_OTHERS[params["prompt_kind"]] if params.get("prompt_kind") in _KINDS else ()
    if params.get("prompt_kind") == POINTS and not isinstance(_given_points(params), str):
        hidden += OF_LABELS
    return {name: value for name, value in values.items() if name not in hidden}


def _add_grid_size(ctx: Any, inputs: types.Object) -> int | None:
    grid_size = ctx.params.get("grid_size", TRACK_DEFAULTS.grid_size)
    prop = inputs.int(
        "grid_size", default=TRACK_DEFAULTS.grid_size, label="Grid size", description=_grid_caption(grid_size)
    )
    forms.check_field(prop, lambda: check_grid_size(grid_size))
    return None if prop.invalid else grid_size**2


def _grid_caption(grid_size: Any) -> str:
    if not isinstance(grid_size, int) or grid_size < 1:
        return "Points per side"
    text = f"Points per side: {grid_size} x {grid_size} = {grid_size**2:,} points per video"
    if grid_size**2 >= HIDES_PICTURE_FROM:
        text += ". So many points hide the picture in the App's grid; switch the field off in its sidebar there"
    return text


def _add_masks(ctx: Any, inputs: types.Object, written_to: fo.Dataset, chosen: Any) -> Asked:
    given = ctx.params.get("mask_field")
    prop = _add_field_choice(
        inputs,
        "mask_field",
        fields_of(ctx.dataset, MASK_TYPES),
        label="Mask field",
        description="Segmentation, or Detections with instance masks (boxes alone do not do)",
    )
    if given:
        forms.check_field(prop, lambda: _check_field(ctx, written_to, mask_field=given))
    else:
        forms.show_error(prop, OptionError("Choose the field with the masks"))
    number = ctx.params.get("points_per_object", SUGGESTED_PER_OBJECT)
    prop = inputs.int(
        "points_per_object",
        default=SUGGESTED_PER_OBJECT,
        label="Points on each object",
        description="About so many, evenly, however small it is. Empty: those of a grid over the whole frame",
    )
    if number is None:
        _add_grid_size(ctx, inputs)
        return Asked()
    forms.check_field(prop, lambda: check_points_per_object(number))
    # masks on frames count in one frame alone
    if prop.invalid or not given or not _are_on_samples(ctx, given):
        return Asked()
    return add_count(inputs, count_prompts(chosen, given, PromptRules(points_per_object=number)), len(chosen))


def _add_points(ctx: Any, inputs: types.Object, written_to: fo.Dataset, chosen: Any) -> Asked:
    given = ctx.params.get("points")
    if isinstance(given, list):  # from Python: the schema follows the value
        prop = inputs.define_property("points", types.List(types.List(types.Number())))
    elif isinstance(given, dict):
        prop = inputs.obj("points")
    else:
        prop = _add_field_choice(
            inputs,
            "points",
            fields_of(ctx.dataset, POINT_TYPES, lists=True),
            label="Labels or points",
            description="A field with labels; or type frame, x, y in pixels: 0, 320, 180; 0, 100, 50",
        )
    if not given:
        forms.show_error(prop, QueryError("Choose a field with labels, or type points"))
        return Asked()
    try:
        points = TrackOptions(points=forms.parse_points(given)).points
        if isinstance(points, str):
            _check_field(ctx, written_to, points=points)
            return add_label_rules(ctx, inputs, points, chosen)
    except PointTrackingError as error:
        forms.show_error(prop, error)
        return Asked()
    if not isinstance(points, list):
        return Asked()
    known = known_videos(chosen, _media_field(ctx), last_frame=int(max(row[0] for row in points)))
    _check_fit(prop, inputs, known, points, "these points")
    num_frames = len({row[0] for row in points})
    return Asked(len(points), num_frames, num_frames)


def _are_on_samples(ctx: Any, points: Any) -> bool:
    """Whether points are those of labels on samples, which belong to a frame that has to be said."""
    return isinstance(points, str) and has_field(ctx.dataset, points) and not find_field(ctx.dataset, points)[1]


def _add_frame_index(ctx: Any, inputs: types.Object, kind: str, chosen: Any) -> None:
    of_what = {GRID: "the grid", MASKS: "the masks", POINTS: "labels on samples"}[kind]
    looked_at = _selected_frame_index(ctx)
    default = TRACK_DEFAULTS.frame_index if looked_at is None else looked_at
    text = "Counted from 0" if looked_at is None else "Counted from 0; that of the selected label"
    prop = inputs.int("frame_index", default=default, label=f"Frame of {of_what}", description=text)
    index = ctx.params.get("frame_index", default)
    forms.check_field(prop, lambda: check_frame_index(index))
    if prop.invalid or not index or kind == POINTS:
        return
    known = known_videos(chosen, _media_field(ctx), last_frame=index)
    _check_fit(prop, inputs, known, [(index,)], f"frame {index}")


def _check_fit(
    prop: Any, inputs: types.Object, known: Sequence[KnownVideo], points: Sequence[Sequence[float]], what: str
) -> None:
    """Refuses what surely none of the videos can hold; warns of what some cannot."""
    unfit = [video for video in known if not video.can_hold(points)]
    if not unfit:
        return
    if len(unfit) == len(known):
        longest = max((video.num_frames or 0 for video in known), default=0)
        sizes = sorted({video.size_px for video in known if video.size_px is not None})
        facts = [f"at most {count_of(longest, 'frame')}, counted from 0"] if longest else []
        facts += [f"{width} x {height} pixels" for width, height in sizes[-1:]]
        none = (
            "The chosen video cannot hold" if len(known) == 1 else f"None of the {len(known):,} chosen videos can hold"
        )
        forms.show_error(prop, QueryError(f"{none} {what}: {', '.join(facts)}"))
        return
    text = (
        f"{len(unfit):,} of the {len(known):,} chosen videos cannot hold {what}: too short or too small. They are left "
        "alone and counted apart"
    )
    inputs.view("unfit", types.Warning(label=text))


def _check_field(ctx: Any, written_to: fo.Dataset, **prompt: Any) -> None:
    """Refuses a field that is not there or holds something else, as the run would."""
    media_field = _media_field(ctx)
    write_to = "media" if media_field == FILEPATH else "source"
    options = TrackOptions(media_field=media_field, write_to=write_to, **prompt)
    check_prompt_fields(ctx.dataset, written_to, options)


def _media_field(ctx: Any) -> str:
    return ctx.params.get("media_field") or FILEPATH


def _given_points(params: dict[str, Any]) -> Any:
    """The points as far as they can be read."""
    try:
        return forms.parse_points(params.get("points"))
    except PointTrackingError:
        return None


def _selected_frame_index(ctx: Any) -> int | None:
    """The frame of the label that is selected in the open sample: all that the App tells of where it stands."""
    numbers = {label.get("frame_number") for label in getattr(ctx, "selected_labels", None) or ()}
    number = numbers.pop() if len(numbers) == 1 else None
    return None if number is None else int(frame_index_of(number))


def fields_of(dataset: fo.Dataset, label_types: tuple[type, ...], lists: bool = False) -> list[str]:
    """The fields of a dataset that hold labels of some types.

    Args:
        dataset: the dataset
        label_types: classes of FiftyOne
        lists: lists on samples too, which may hold rows of numbers

    Returns:
        names, those on frames with the prefix "frames."
    """

    def is_wanted(field: fo.Field) -> bool:
        return getattr(field, "document_type", None) in label_types

    schema = dataset.get_field_schema(flat=False)
    found = [name for name, field in schema.items() if is_wanted(field) or (lists and _may_hold_rows(field))]
    frames = dataset.get_frame_field_schema(flat=False) or {}
    return found + [FRAMES_PREFIX + name for name, field in frames.items() if is_wanted(field)]


def _may_hold_rows(field: fo.Field) -> bool:
    inner = getattr(field, "field", None)
    return isinstance(field, LIST_FIELDS) and (inner is None or isinstance(inner, LIST_FIELDS))


def _add_field_choice(inputs: types.Object, name: str, fields: list[str], **texts: Any) -> Any:
    choices = types.AutocompleteView(allow_user_input=True)
    for field in fields:
        choices.add_choice(field, label=field)
    return inputs.str(name, view=choices, **texts)
