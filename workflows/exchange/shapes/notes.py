"""What a file of an annotation program has no place for, and how it is noted for the way back.

Of a whole track (`ShapeTrack.notes`): `field`, `kind` ("tracks" for point tracks, else the label type of the field),
and `index`, `instance`; of point tracks `layout`, `points` (how many there are), `object`, `node`, and `of`: which
label of the layout "objects" it is a point of, as [number, place, places]; of labels `object` (a number of the field)
and `part`: its place, where one label takes several tracks.

Of a shape: `confidence`, `id`, `tags`, `label` (if not that of the track), `parts` (how many), `closed`, `filled`, and
`said`: which of `keyframe` and `occluded` the label says anything of.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from ....tracker.formats.annotation.cvat_video import NOTES
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape, Value

TRACKS = "tracks"
UNLABELLED = "unlabelled"
_LARGEST = 10**7
FLAGS = ("keyframe", "occluded")
# what labels have by themselves, and what is noted or said elsewhere
_OWN = {
    *("_id", "_cls", "attributes", "tags", "label", "points", "confidence", "index", "occluded", "keyframe", "object"),
    *("node", "track_numbers", "instance", "bounding_box", "mask", "mask_path", "closed", "filled", NOTES),
}


def attributes_of(document: Mapping[str, Any], left_out: Counter[str], place: int | None = None) -> dict[str, Value]:
    """The attributes of a label that a file holds as attributes.

    Args:
        document: the label as it is stored
        left_out: counts what a file cannot hold
        place: of a point; attributes with one value per point give that point's
    """
    found: dict[str, Value] = {}
    for name, value in document.items():
        if name in _OWN or value is None:
            continue
        if place is not None and isinstance(value, Sequence) and not isinstance(value, str) and place < len(value):
            value = value[place]
        if isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
            found[name] = value
        else:
            left_out[f"attribute {name!r} ({type(value).__name__})"] += 1
    if document.get("attributes"):
        left_out["`attributes` of labels"] += 1
    return found


def notes_of(document: Mapping[str, Any], label: str, confidence: Any, *, with_id: bool) -> dict[str, Any]:
    """What is noted of one label.

    Args:
        document: the label as it is stored
        label: what its track is called
        confidence: of it, or of the point; None where it has none
        with_id: whether it shall have the same id when it comes back
    """
    notes: dict[str, Any] = {}
    said = [name for name in FLAGS if document.get(name) is not None]
    if said:
        notes["said"] = said
    if isinstance(confidence, int | float) and math.isfinite(confidence):
        notes["confidence"] = confidence
    if document.get("tags"):
        notes["tags"] = [str(tag) for tag in document["tags"]]
    if document.get("label") != label:
        notes["label"] = document.get("label")
    if with_id and document.get("_id") is not None:
        notes["id"] = str(document["_id"])
    return notes


def flags_of(document: Mapping[str, Any]) -> dict[str, bool]:
    """How a label's flags stand in a file: what says nothing of keyframes was measured there, so it is one."""
    return {"keyframe": document.get("keyframe") is not False, "occluded": bool(document.get("occluded"))}


def with_ends(shapes: Iterable[TrackedShape], num_frames: int) -> tuple[TrackedShape, ...]:
    """Shapes with a mark after each stretch that the object is not there any more.

    Args:
        shapes: of one object, by frame
        num_frames: T; no mark stands behind the last frame
    """
    ended: list[TrackedShape] = []
    ordered = sorted(shapes, key=lambda shape: shape.frame_index)
    for shape, following in zip_longest(ordered, ordered[1:]):
        ended.append(shape)
        after = shape.frame_index + 1
        if after < num_frames and (following is None or following.frame_index > after):
            gone = replace(
                shape, frame_index=after, outside=True, occluded=False, keyframe=True, attributes={}, notes={}
            )
            ended.append(gone)
    return tuple(ended)


def never_there(kind: str = "points") -> TrackedShape:
    """The one shape of a track that is seen in no frame."""
    return TrackedShape(0, kind, np.zeros((1, 2)), outside=True)  # type: ignore[arg-type]


def made_track(label: str, shapes: Sequence[TrackedShape], notes: Mapping[str, Any]) -> ShapeTrack:
    """A track without a number of its own yet, with what is noted of it at its first shape."""
    first = replace(shapes[0], notes={**shapes[0].notes, "track": dict(notes)})
    return ShapeTrack(0, label, (first, *shapes[1:]))


def numbered(tracks: Sequence[ShapeTrack]) -> list[ShapeTrack]:
    """Tracks with the number of their index where no other has it, else the next that is free."""
    taken: set[int] = set()
    numbers: list[int | None] = []
    for index in (whole(track.notes.get("index")) for track in tracks):
        numbers.append(None if index in taken else index)
        if index is not None:
            taken.add(index)
    following = max(taken, default=0) + 1
    done = []
    for track, number in zip(tracks, numbers, strict=True):
        if number is None:
            number, following = following, following + 1
        done.append(replace(track, number=number))
    return done


def said_of(shape: TrackedShape) -> Sequence[str]:
    """Which flags its label said anything of, as noted."""
    said = shape.notes.get("said")
    return [name for name in said if name in FLAGS] if isinstance(said, list) else ()


def whole(value: Any) -> int | None:
    """A noted number that can be one of a track, a place or an object; None for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LARGEST else None


def is_object_id(value: Any) -> bool:
    """Whether a noted value can be an id of the database."""
    return isinstance(value, str) and len(value) == 24 and all(c in "0123456789abcdef" for c in value)


def is_attribute_name(name: str, kind: type) -> bool:
    """Whether a file's attribute can be one of a label, beside what labels have by themselves.

    Args:
        name: of the attribute
        kind: of the label: fo.Detection, fo.Polyline or fo.Keypoint
    """
    return name.isidentifier() and not name.startswith("_") and name not in _OWN and not hasattr(kind, name)
