"""Points to track out of a field: keypoints of samples or frames, or a list of (t, x, y).

What else a person can point with gets a module of its own beside this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...tracker.coordinates import clamped_to_frame, denormalize_xy, frame_index_of
from ...tracker.errors import EmptyQueriesError, FieldError, NoPromptError
from ...tracker.queries import point_queries
from ...tracker.types import Queries
from ..tracks.imported_numbers import number_array
from ..tracks.track_names import DEFAULT_LABEL, TrackNames
from .fields import find_field

POINT_TYPES = (fo.Keypoints, fo.Keypoint)
LIST_FIELDS = (fo.ListField, fo.ArrayField)


def read_points(
    sample: fo.Sample | SampleView,
    points_field: str,
    frame_index: int,
    size_px: tuple[int, int],
    warnings: list[str],
    num_frames: Callable[[int], int],
) -> tuple[Queries, TrackNames | None]:
    """Reads the points of one sample.

    Keypoints with the same label and index, or of the same instance, are one object; so are those
    with neither, where no frame holds two of their label. Each joint of an object counts in the
    first frame in which its place is known.

    Args:
        sample: with the field
        points_field: "field" or "frames.field"
        frame_index: the frame that keypoints on the sample itself belong to
        size_px: (width, height) of the displayed frame
        warnings: receives what the user should know, in words
        num_frames: called with the last frame index of a label; the frames that decode, as
            exactly as is needed to tell whether there is such a frame

    Returns:
        Queries in pixels of the displayed frame, and what the points are called; None for a list of numbers

    Raises:
        FieldError: if the field cannot hold points
        NoPromptError: if it holds none for this sample
        EmptyQueriesError: if it holds points, but none in the video
    """
    name, on_frames, found = find_field(sample.dataset, points_field)
    nothing = f"The field {points_field!r} holds no points for this sample"
    if isinstance(found, LIST_FIELDS):
        if on_frames:
            raise FieldError(f"The points field {points_field!r} is a list on frames; a list belongs on samples")
        rows = sample[name]
        if rows is None or len(rows) == 0:
            raise NoPromptError(nothing)
        return point_queries(rows), None
    if on_frames:
        labels = [(frame_index_of(n), sample.frames[n][name]) for n in sorted(sample.frames)]
    else:
        labels = [(frame_index, sample[name])]
    places = list(_first_places([_Seen(t, k) for t, label in labels for k in _keypoints_in(label)], warnings))
    if not places:
        raise NoPromptError(nothing)
    places = _in_video(places, points_field, size_px, num_frames, warnings)
    names = TrackNames(tuple(place.label for place in places), tuple(place.index for place in places))
    return point_queries([(place.t, *place.xy) for place in places]), names


def _keypoints_in(label: Any) -> Sequence[Any]:
    return () if label is None else label.keypoints if isinstance(label, fo.Keypoints) else (label,)


@dataclass(frozen=True)
class _Seen:
    """A keypoint in a frame."""

    t: int
    keypoint: Any

    @property
    def own_key(self) -> tuple[Any, ...] | None:
        """Which object it is, as far as it says so itself."""
        if self.keypoint.index is not None:
            return "index", self.keypoint.label, self.keypoint.index
        instance = getattr(self.keypoint, "instance", None)
        return None if instance is None else ("instance", str(instance.id))

    def known_joints(self) -> Iterator[tuple[int, tuple[float, float]]]:
        """The joints whose place is known and not marked as hidden, with their normalised positions."""
        keypoint = self.keypoint
        hidden = getattr(keypoint, "occluded", None)
        for joint, xy in enumerate(number_array(list(keypoint.points or ()))):
            covered = hidden[joint] if isinstance(hidden, list | tuple) and joint < len(hidden) else hidden
            if not covered and np.isfinite(xy).all():
                yield joint, (float(xy[0]), float(xy[1]))


@dataclass(frozen=True)
class _Place:
    """Where a point is asked for, and what it is called."""

    t: int
    xy: tuple[float, float]
    label: str
    index: int | None


def _first_places(seen: Sequence[_Seen], warnings: list[str]) -> Iterator[_Place]:
    """Yields every joint of every object where it is known first; objects in the order of their appearance."""
    nameless = [s for s in seen if s.own_key is None]
    per_frame = Counter((s.keypoint.label, s.t) for s in nameless)
    ambiguous = {label for (label, _), number in per_frame.items() if number > 1}
    objects: dict[tuple[Any, ...], dict[int, _Place]] = {}
    for number, s in enumerate(seen):
        label = s.keypoint.label
        key = s.own_key or (("one of several", number) if label in ambiguous else ("label", label))
        joints = objects.setdefault(key, {})
        for joint, xy in s.known_joints():
            if joint not in joints:
                joints[joint] = _Place(s.t, xy, label or DEFAULT_LABEL, s.keypoint.index)
    alone = [s for s in nameless if s.keypoint.label in ambiguous]
    if len({s.t for s in alone}) > 1:
        warnings.append(
            f"{len(alone)} keypoints have no index, and some frames hold several with the same label, so each of them "
            "is tracked as a point of its own. Give the keypoints of one object the same index, and it is tracked once"
        )
    for joints in objects.values():
        yield from (joints[joint] for joint in sorted(joints))


def _in_video(
    places: list[_Place],
    points_field: str,
    size_px: tuple[int, int],
    num_frames: Callable[[int], int],
    warnings: list[str],
) -> list[_Place]:
    """The places that are in the video, in pixels; says what was left out or moved onto the last pixel."""
    end = num_frames(max(place.t for place in places))
    width, height = size_px
    inside: list[_Place] = []
    beside = late = moved = 0
    for place in places:
        x, y = denormalize_xy(np.array(place.xy), size_px).tolist()
        if place.t >= end:
            late += 1
        elif not (0 <= place.xy[0] <= 1 and 0 <= place.xy[1] <= 1):
            beside += 1
        else:
            moved += x > width - 1 or y > height - 1
            xy = clamped_to_frame(np.array([x, y]), size_px).tolist()
            inside.append(_Place(place.t, (xy[0], xy[1]), place.label, place.index))
    found = f"{len(places)} points in {points_field!r}"
    if late:
        warnings.append(f"{late} of {found} lie past the end of the video ({end} frames)")
    if beside:
        warnings.append(f"{beside} of {found} lie outside the frame")
    if moved:
        warnings.append(f"{moved} of {found} lie in the last pixel, beyond its centre, and are tracked from its centre")
    if not inside:
        raise EmptyQueriesError(f"None of the {found} lies in the video: {'; '.join(warnings)}")
    return inside
