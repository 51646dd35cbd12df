"""What a person changed on the server: keyframes that came back against keyframes that went there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ....store.database.frame_documents import ranges_of

MOVED_PX = 0.5
"""What has moved less than this from where it was sent, was not moved by a person."""


@dataclass(frozen=True, eq=False)
class SentShape:
    """A label of the copy.

    Args:
        xy: (K, 2) pixels, as they were before the backend rounded them
        keyframe: whether it was sent; others only say that the object is there
        occluded: as sent
        source_id: of the label it is a copy of; None for points
        source_part: which part of that label
    """

    xy: np.ndarray
    keyframe: bool
    occluded: bool = False
    source_id: str | None = None
    source_part: int = 0


@dataclass(frozen=True, eq=False)
class ReturnedShape:
    """A label that came back.

    Args:
        xy: (K, 2) pixels
        keyframe: False = it lies between keyframes, and says nothing
        occluded: as the server has it
        label: what it is called
    """

    xy: np.ndarray
    keyframe: bool
    occluded: bool = False
    label: str | None = None


@dataclass
class TrackChanges:
    """What a person changed of one track.

    Args:
        placed: frame index -> the shape as it is now: of keyframes that were moved or added, and where one was
            deleted and the line that is left there is elsewhere
        gone: [first, last] frame indices in which the object is said not to be there
        occluded: [first, last] frame indices in which it is newly said to be hidden
        removed: the whole track was deleted
        num_moved, num_added, num_deleted: keyframes
    """

    placed: dict[int, ReturnedShape] = field(default_factory=dict)
    gone: list[list[int]] = field(default_factory=list)
    occluded: list[list[int]] = field(default_factory=list)
    removed: bool = False
    num_moved: int = 0
    num_added: int = 0
    num_deleted: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.placed or self.gone or self.occluded or self.removed)


def changes_of_track(sent: Mapping[int, SentShape], returned: Mapping[int, ReturnedShape]) -> TrackChanges:
    """Tells what a person changed of a track; frames between keyframes are not looked at.

    Args:
        sent: frame index -> label of the copy, in every frame in which the object is there
        returned: frame index -> label that came back

    Returns:
        the changes; empty where only rounding lies between
    """
    changes = TrackChanges()
    if not returned:
        changes.removed = True
        return changes
    for t, shape in sorted(returned.items()):
        before = sent.get(t)
        if before is not None and before.keyframe:
            _compare_keyframe(changes, t, before, shape, returned)
        elif shape.keyframe:
            changes.placed[t] = shape
            changes.num_added += 1
            if before is not None and shape.occluded and not before.occluded:
                changes.occluded.append([t, _until(t, returned)])
    changes.gone = ranges_of(sorted(set(sent) - set(returned)))
    return changes


def _compare_keyframe(
    changes: TrackChanges, t: int, before: SentShape, shape: ReturnedShape, returned: Mapping[int, ReturnedShape]
) -> None:
    if has_moved(before.xy, shape.xy):
        changes.placed[t] = shape
        if shape.keyframe:
            changes.num_moved += 1
        else:
            changes.num_deleted += 1
    elif not shape.keyframe:
        changes.num_deleted += 1  # the line that is left says the same
    if not shape.keyframe or before.occluded == shape.occluded:
        return
    if shape.occluded:
        changes.occluded.append([t, _until(t, returned)])
    elif t not in changes.placed:
        changes.placed[t] = shape
        changes.num_moved += 1


def has_moved(sent: np.ndarray, returned: np.ndarray) -> bool:
    """Whether a shape is elsewhere than where the backend sent it: in whole pixels."""
    if sent.shape != returned.shape:
        return True
    return bool((np.hypot(*(returned - np.round(sent)).T) > MOVED_PX).any()) and bool(
        (np.hypot(*(returned - sent).T) > MOVED_PX).any()
    )


def _until(t: int, returned: Mapping[int, ReturnedShape]) -> int:
    """The last frame that is drawn as a keyframe says: before the next one, or before the object is gone."""
    last = t
    while last + 1 in returned and not returned[last + 1].keyframe:
        last += 1
    return last


def by_track(
    shapes: Iterable[tuple[int | None, int, ReturnedShape]],
) -> tuple[dict[int, dict[int, ReturnedShape]], int]:
    """Labels that came back, by the number of their track and frame.

    Args:
        shapes: (number of the track, frame index, shape); those without a number were drawn anew and are left out

    Returns:
        the shapes, and how many more there were of a track in one frame, as where a track was copied
    """
    found: dict[int, dict[int, ReturnedShape]] = {}
    doubles = 0
    for number, t, shape in shapes:
        if number is None:
            continue
        of_track = found.setdefault(number, {})
        if t in of_track:
            doubles += 1
            if of_track[t].keyframe or not shape.keyframe:
                continue
        of_track[t] = shape
    return found, doubles
