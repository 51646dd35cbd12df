"""All frames of one object from its keyframes: carried from both sides, bent to what was drawn, and blended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..errors import ShapeError
from ..types import Tracks
from .blending import blend_paths, shape_at
from .carrying import Carried, carried_shape, carry_shape
from .keyframes import Keyframe, Stretch, find_stretches, sorted_keyframes
from .options import PropagationOptions, Rules
from .ownership import own_points
from .polylines import with_common_vertices
from .shapes import Polyline, Shape, clip_to_frame

HALF_VISIBLE = 0.5
_FADING_FRAMES = 10  # in which the confidence of a shape that was lost and kept halves


@dataclass(frozen=True, eq=False)
class FilledFrame:
    """One object in one frame.

    Args:
        t: frame index
        shape: where it is
        keyframe: whether that is what was drawn
        visible_share: points seen, of those the nearer keyframes began with, 0 to 1
        confidence: 0 to 1: visible share, the tracker's own confidence, and how well the keyframes agree
        occluded: fewer than half of the points are seen
        interpolated: too few points are seen: this is the straight way between what is known, or what was last seen
        sources: frame indices of the keyframes it comes from
    """

    t: int
    shape: Shape
    keyframe: bool
    visible_share: float
    confidence: float
    occluded: bool
    interpolated: bool
    sources: tuple[int, ...]


def fill_frames(
    keyframes: Sequence[Keyframe],
    tracks: Mapping[int, Tracks],
    num_frames: int,
    size_px: tuple[int, int],
    options: PropagationOptions | None = None,
    rules: Rules | None = None,
) -> list[FilledFrame]:
    """Fills all frames of one object that can be filled.

    Args:
        keyframes: in any order
        tracks: for each keyframe with a shape, by its frame index, tracks of its `seed_points` in all T frames, made
            with `backward=True`; a keyframe without tracks is interpolated from
        num_frames: T
        size_px: (width, height) of the displayed frame
        options: direction, and what is done where points are lost
        rules: constants

    Returns:
        in order of time, the keyframes as they were drawn and the frames that could be filled; none where an object
        is gone or lost

    Raises:
        QueryError: if two keyframes are in one frame, one is past the end, or a shape lies outside the frame
        ShapeError: if shapes or tracks do not fit together
    """
    options = options or PropagationOptions()
    ordered = sorted_keyframes(keyframes, num_frames)
    frames = [_drawn(one.t, one.shape) for one in ordered if one.shape is not None]
    for stretch in find_stretches(ordered, num_frames, options.direction):
        frames += fill_stretch(stretch, ordered, tracks, num_frames, size_px, options, rules)
    return sorted(frames, key=lambda one: one.t)


def fill_stretch(
    stretch: Stretch,
    keyframes: Sequence[Keyframe],
    tracks: Mapping[int, Tracks],
    num_frames: int,
    size_px: tuple[int, int],
    options: PropagationOptions | None = None,
    rules: Rules | None = None,
) -> list[FilledFrame]:
    """Fills one stretch; only tracks of its own keyframes are looked at.

    Args:
        stretch: of `find_stretches` for these keyframes
        keyframes, tracks, num_frames, size_px, options, rules: as of `fill_frames`

    Returns:
        in order of time, the frames that could be filled

    Raises:
        QueryError, ShapeError: as of `fill_frames`
    """
    options, rules = options or PropagationOptions(), rules or Rules()
    shapes = {one.t: one.shape for one in keyframes if one.shape is not None}
    for t in stretch.sources:
        if t in tracks and tracks[t].num_frames != num_frames:
            raise ShapeError(
                f"Invalid tracks of {tracks[t].num_frames} frames for the keyframe in frame {t}. "
                f"The clip has {num_frames} frames"
            )
    if stretch.before is not None and stretch.after is not None:
        return _between(stretch, shapes, tracks, size_px, options, rules)
    return _open_end(stretch, shapes, tracks, size_px, options, rules)


def _drawn(t: int, shape: Shape) -> FilledFrame:
    return FilledFrame(t, shape, True, 1.0, 1.0, False, False, (t,))


def _between(
    stretch: Stretch,
    shapes: Mapping[int, Shape],
    tracks: Mapping[int, Tracks],
    size_px: tuple[int, int],
    options: PropagationOptions,
    rules: Rules,
) -> list[FilledFrame]:
    assert stretch.before is not None
    assert stretch.after is not None
    ends = (stretch.before, stretch.after)
    drawn = _comparable(shapes[ends[0]], shapes[ends[1]])
    frames = range(ends[0], ends[1] + 1)
    carried: list[Carried | None] = [None, None]
    for side, wanted in enumerate(("forward", "backward")):
        t = ends[side]
        if t in tracks and options.direction in ("both", wanted):
            own = own_points(shapes[t], drawn[1 - side], tracks[t], ends[1 - side], size_px, options, rules)
            comparable = drawn[side]
            refined = comparable if isinstance(comparable, Polyline) else None
            carried[side] = carry_shape(
                shapes[t], t, tracks[t], size_px, options, rules, own=own, frames=frames, refined=refined
            )
    both = (carried[0], carried[1])
    path = blend_paths(drawn, ends, both, rules)
    filled = []
    for t in range(stretch.first, stretch.last + 1):
        row = t - ends[0]
        shape = shape_at(path, row, drawn, both, t)
        shape = None if shape is None else clip_to_frame(shape, size_px)
        if shape is not None:
            seen, sure = float(path.visible_share[row]), float(path.confidence[row])
            interpolated = not path.enough[row]
            filled.append(FilledFrame(t, shape, False, seen, sure, seen < HALF_VISIBLE, interpolated, ends))
    return filled


def _comparable(one: Shape, other: Shape) -> tuple[Shape, Shape]:
    if isinstance(one, Polyline) and isinstance(other, Polyline):
        return with_common_vertices(one, other)
    return one, other


def _open_end(
    stretch: Stretch,
    shapes: Mapping[int, Shape],
    tracks: Mapping[int, Tracks],
    size_px: tuple[int, int],
    options: PropagationOptions,
    rules: Rules,
) -> list[FilledFrame]:
    (t,) = stretch.sources
    if t not in tracks:
        return []
    frames = range(stretch.first, stretch.last + 1)
    carried = carry_shape(shapes[t], t, tracks[t], size_px, options, rules, frames=frames)
    away = frames if stretch.before is not None else reversed(frames)
    filled: list[FilledFrame] = []
    last, confidence, lost = shapes[t], 1.0, 0
    for u in away:
        shape = clip_to_frame(carried_shape(shapes[t], carried, u), size_px) if carried.enough[u] else None
        if lost == 0 and shape is not None:
            share, confidence = float(carried.visible_share[u]), float(carried.confidence[u])
            last = shape
            filled.append(FilledFrame(u, shape, False, share, confidence, share < HALF_VISIBLE, False, (t,)))
            continue
        lost += 1
        if not options.keep_lost:
            break
        fallen = confidence * 0.5 ** (lost / _FADING_FRAMES)
        filled.append(FilledFrame(u, last, False, float(carried.visible_share[u]), fallen, True, True, (t,)))
    return sorted(filled, key=lambda one: one.t)
