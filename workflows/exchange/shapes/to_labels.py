"""Tracks of shapes as a sample's labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.labels.label_writer import check_list_field, check_replaced, declare_list_field, write_labels
from ....store.labels.objects import instance_document
from ....tracker.coordinates import frame_number_of, normalize_xy
from ....tracker.errors import FormatError
from ....tracker.formats.annotation.between import shown_shapes
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from .notes import is_attribute_name, is_object_id, said_of, whole

LIST_KINDS: Mapping[str, type[fo.Label]] = {
    "Detections": fo.Detections,
    "Polylines": fo.Polylines,
    "Keypoints": fo.Keypoints,
}
_KIND_OF_SHAPE = {"box": "Detections", "polyline": "Polylines", "polygon": "Polylines", "points": "Keypoints"}
_LABELS = {"Detections": fo.Detection, "Polylines": fo.Polyline, "Keypoints": fo.Keypoint}
Document = dict[str, Any]


def list_kind_of(track: ShapeTrack) -> str:
    """The type of the field that a track's labels belong into."""
    noted = track.notes.get("kind")
    return str(noted) if noted in LIST_KINDS else _KIND_OF_SHAPE[track.shapes[0].kind]


@dataclass
class ListLabels:
    """Labels out of a file, ready to be stored.

    Args:
        kind: "Detections", "Polylines" or "Keypoints"
        documents: frame number (from 1) -> labels
        attributes: of them, and their types
        num_filled: labels that lie between the file's keyframes
        warnings: what the user should know, in words
    """

    kind: str
    documents: dict[int, list[Document]]
    attributes: dict[str, type] = field(default_factory=dict)
    num_filled: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def num_labels(self) -> int:
        return sum(len(labels) for labels in self.documents.values())


def list_labels_of(found: Sequence[ShapeTrack], size_px: tuple[int, int], num_frames: int, *, fill: bool) -> ListLabels:
    """Puts the labels of one field together.

    Args:
        found: tracks of one field
        size_px: (width, height) of the displayed frame
        num_frames: T of the video
        fill: whether frames between keyframes are filled

    Returns:
        the labels, in each frame in the order of the file

    Raises:
        FormatError: if tracks of one field are shapes of several types, or stand behind the end of the video
    """
    kinds = {list_kind_of(track) for track in found}
    if len(kinds) > 1:
        raise FormatError(
            f"One field cannot hold {' and '.join(sorted(kinds))}. Import them into fields of their own: "
            "field={'boxes': ..., 'polylines': ...}"
        )
    made = ListLabels(kinds.pop(), defaultdict(list))
    ids: set[str] = set()
    for parts in _objects_in(found):
        by_frame: dict[int, dict[int, tuple[TrackedShape, bool]]] = defaultdict(dict)
        for track in parts:
            place = whole(track.notes.get("part")) or 0
            for shape, filled in shown_shapes(track, num_frames, fill=fill):
                _check_kind(track, shape, made.kind)
                by_frame[shape.frame_index][place] = (shape, filled)
        for t, places in sorted(by_frame.items()):
            document = _document(made, parts[0], places, size_px, ids)
            made.documents[frame_number_of(t)].append(document)
    return made


def check_list_target(dataset: fo.Dataset, sample_id: str, name: str, made: ListLabels, *, overwrite: bool) -> None:
    """Refuses to write labels where that is not possible, or would replace what is to stay.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of the frame field, without "frames."
        made: what shall be written
        overwrite: replace labels that are there

    Raises:
        FieldError: if the field's name or type does not allow it
        FieldExistsError: if it holds labels of the sample, and replacing them was not asked for
    """
    check_list_field(dataset, name, LIST_KINDS[made.kind])
    if dataset.has_frame_field(name):
        check_replaced(dataset, sample_id, name, overwrite=overwrite)


def store_list_labels(dataset: fo.Dataset, sample_id: str, name: str, made: ListLabels, *, overwrite: bool) -> None:
    """Writes labels out of a file to a sample.

    Args:
        dataset: the dataset
        sample_id: the sample
        name: of a checked frame field, without "frames."
        made: what to write
        overwrite: replace labels that are there

    Raises:
        FieldExistsError: if it holds labels of the sample, and replacing them was not asked for
    """
    kind = LIST_KINDS[made.kind]
    for other in declare_list_field(dataset, name, kind, made.attributes):
        made.warnings.append(f"the attribute {other!r} has another type in the field {name!r}, and is left out")
        for labels in made.documents.values():
            for document in labels:
                document.pop(other, None)
    write_labels(dataset, sample_id, name, made.documents, overwrite=overwrite)


def _check_kind(track: ShapeTrack, shape: TrackedShape, kind: str) -> None:
    """Refuses a shape that no label of the field's type can have."""
    if _KIND_OF_SHAPE[shape.kind] != kind:
        raise FormatError(
            f"Track {track.number} ({track.label!r}) has a shape of the kind {shape.kind!r} in frame "
            f"{shape.frame_index}, and belongs into a field of {kind}"
        )


def _objects_in(found: Sequence[ShapeTrack]) -> list[list[ShapeTrack]]:
    """Tracks that are parts of one object together, in the order of the file."""
    objects: dict[Any, list[ShapeTrack]] = {}
    for track in found:
        number = whole(track.notes.get("object"))
        objects.setdefault(("alone", track.number) if number is None else ("object", number), []).append(track)
    return list(objects.values())


def _document(
    made: ListLabels,
    track: ShapeTrack,
    places: Mapping[int, tuple[TrackedShape, bool]],
    size_px: tuple[int, int],
    ids: set[str],
) -> Document:
    """One label as it is stored, from its parts."""
    first, filled = places[min(places)]
    foreign = "field" not in track.notes
    label = _LABELS[made.kind](**_geometry(made.kind, places, size_px))
    label.label = (
        first.notes.get("label", track.label) if isinstance(first.notes.get("label", ""), str | None) else track.label
    )
    label.index = _index_of(track, foreign=foreign)
    _say(label, made, first, places, foreign=foreign, filled=filled)
    made.num_filled += filled
    document = label.to_dict()
    noted = first.notes.get("id")
    if is_object_id(noted) and noted not in ids:
        # of that type in the document, which its own field makes
        label.id = noted
        document["_id"] = label.to_dict()["_id"]
        ids.add(str(noted))
    if is_object_id(track.notes.get("instance")):
        document["instance"] = instance_document(str(track.notes["instance"]))
    return document


def _index_of(track: ShapeTrack, *, foreign: bool) -> int | None:
    return track.number if foreign else whole(track.notes.get("index"))


def _say(
    label: fo.Label,
    made: ListLabels,
    first: TrackedShape,
    places: Mapping[int, tuple[TrackedShape, bool]],
    *,
    foreign: bool,
    filled: bool,
) -> None:
    """Says of a label what the file says besides its place."""
    values: dict[str, Any] = {k: v for k, v in first.attributes.items() if is_attribute_name(k, type(label))}
    said = said_of(first)
    if foreign or filled or "keyframe" in said:
        values["keyframe"] = first.keyframe
    if first.occluded or "occluded" in said:
        values["occluded"] = first.occluded
    if filled:
        values["interpolated"] = True
    for name, value in values.items():
        known = made.attributes.setdefault(name, type(value))
        if known is float and type(value) is int:
            value = float(value)
        elif known is int and type(value) is float:
            made.attributes[name] = float
        elif known is not type(value):
            made.attributes[name], value = str, str(value)
        label[name] = value
    tags = first.notes.get("tags")
    if isinstance(tags, list):
        label.tags = [str(tag) for tag in tags]
    if made.kind == "Keypoints":
        scores = [places[k][0].notes.get("confidence") if k in places else 0.0 for k in range(len(label.points))]
        if any(isinstance(score, int | float) for score in scores):
            label.confidence = [float(score) if isinstance(score, int | float) else 1.0 for score in scores]
    elif isinstance(first.notes.get("confidence"), int | float):
        label.confidence = float(first.notes["confidence"])


def _geometry(kind: str, places: Mapping[int, tuple[TrackedShape, bool]], size_px: tuple[int, int]) -> dict[str, Any]:
    """Where a label is, as FiftyOne writes it."""
    shapes = {place: shape for place, (shape, _) in sorted(places.items())}
    first = shapes[min(shapes)]
    if kind == "Detections":
        (left, top), (right, bottom) = normalize_xy(first.xy, size_px).tolist()
        return {"bounding_box": [left, top, right - left, bottom - top]}
    if kind == "Keypoints":
        if len(shapes) == 1 and "parts" not in first.notes and len(first.xy) > 1:
            return {"points": normalize_xy(first.xy, size_px).tolist()}
        number = max(whole(first.notes.get("parts")) or 0, max(shapes) + 1)
        points = np.full((number, 2), np.nan)
        for place, shape in shapes.items():
            points[place] = normalize_xy(shape.xy[0], size_px)
        return {"points": points.tolist()}
    closed = bool(first.notes.get("closed", first.kind == "polygon"))
    filled = bool(first.notes.get("filled", first.kind == "polygon"))
    lines = []
    for shape in shapes.values():
        xy = normalize_xy(shape.xy, size_px)
        # a closed line stands there with its first point repeated
        ends = shape.kind == "polyline" and closed and len(xy) > 1 and np.array_equal(xy[0], xy[-1])
        lines.append((xy[:-1] if ends else xy).tolist())
    return {"points": lines, "closed": closed, "filled": filled}
