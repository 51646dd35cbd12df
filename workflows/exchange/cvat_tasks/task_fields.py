"""The field that is made for a task: a copy of the labels, thinned to keyframes, that goes to the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.labels.shapes import list_of
from ....tracker.coordinates import frame_number_of, normalize_xy
from ....tracker.formats.annotation.keyframes import thin_keyframes
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from ..shapes.notes import said_of

NUMBER = "pt_track"
"""The attribute that tells a track on the server: it does not change with what a person does there."""
COPY_ATTRIBUTES: Mapping[str, type] = {
    NUMBER: int,
    "keyframe": bool,
    "occluded": bool,
    "source_id": str,
    "source_part": int,
}
_KIND_OF_SHAPE = {"points": fo.Keypoints, "box": fo.Detections, "polyline": fo.Polylines, "polygon": fo.Polylines}


def copy_field_of(field: str, anno_key: str) -> str:
    """The field that goes to the server."""
    return f"{field}_{anno_key}"


def returned_field_of(field: str, anno_key: str) -> str:
    """The field that the server's answer is loaded into."""
    return f"{copy_field_of(field, anno_key)}_back"


def label_schema(dataset: fo.Dataset, copy_field: str, classes: Sequence[str]) -> dict[str, Any]:
    """What FiftyOne's backend is told about the copy."""
    kind = list_of(dataset, copy_field).partition(".")[2]
    attributes = {"occluded": {"type": "occluded"}, NUMBER: {"type": "text", "values": [], "mutable": False}}
    return {f"frames.{copy_field}": {"type": kind, "classes": sorted(classes), "attributes": attributes}}


def keyframes_of(track: ShapeTrack, required: Iterable[int], tolerance_px: float) -> set[int]:
    """The frames of a track that a person is shown as keyframes.

    Args:
        track: with a shape in every frame in which it is there
        required: frames that must be among them, where the track is there
        tolerance_px: how far any position may be from the line between two keyframes

    Returns:
        frame indices; all that the labels themselves say to be keyframes are among them
    """
    shown = [shape for shape in track.shapes if not shape.outside]
    if not shown:
        return set()
    first, last = shown[0].frame_index, shown[-1].frame_index
    said = {shape.frame_index for shape in shown if shape.keyframe and "keyframe" in said_of(shape)}
    wanted = np.array(sorted({*required, *said}), dtype=np.int64) - first
    found: set[int] = set()
    # a line with another number of vertices is no move of the one before
    for number in {len(shape.xy) for shape in shown}:
        xy = np.full((last - first + 1, number, 2), np.nan)
        known, occluded = np.zeros(len(xy), dtype=bool), np.zeros(len(xy), dtype=bool)
        for shape in shown:
            if len(shape.xy) == number:
                t = shape.frame_index - first
                xy[t], known[t], occluded[t] = shape.xy, True, shape.occluded
        chosen = thin_keyframes(xy, known, required=wanted, occluded=occluded, tolerance_px=tolerance_px)
        found |= {int(t) + first for t in np.flatnonzero(chosen)}
    return found


def copied_labels(
    tracks: Sequence[ShapeTrack], keyframes: Sequence[set[int]], size_px: tuple[int, int]
) -> dict[int, list[dict[str, Any]]]:
    """The labels of the copy.

    Args:
        tracks: numbered
        keyframes: of each, frame indices
        size_px: (width, height) of the displayed frame

    Returns:
        frame number (from 1) -> labels; in all frames, so that the backend sees where an object is gone
    """
    labels: dict[int, list[dict[str, Any]]] = {}
    for track, chosen in zip(tracks, keyframes, strict=True):
        for shape in track.shapes:
            if shape.outside:
                continue
            label = _label_of(shape, size_px)
            label.label, label.index = track.label, track.number
            label[NUMBER], label["occluded"] = track.number, shape.occluded
            label["keyframe"] = shape.frame_index in chosen
            if isinstance(shape.notes.get("id"), str):
                label["source_id"] = shape.notes["id"]
                label["source_part"] = int(track.notes.get("part", 0))
            labels.setdefault(int(frame_number_of(shape.frame_index)), []).append(label.to_dict())
    return labels


def list_kind(tracks: Sequence[ShapeTrack]) -> type[fo.Label]:
    """The type of field that some tracks of one field are copied into."""
    return _KIND_OF_SHAPE[tracks[0].shapes[0].kind]


def _label_of(shape: TrackedShape, size_px: tuple[int, int]) -> fo.Label:
    points = normalize_xy(shape.xy, size_px)
    if shape.kind == "box":
        (left, top), (right, bottom) = points.tolist()
        return fo.Detection(bounding_box=[left, top, right - left, bottom - top])
    if shape.kind == "points":
        return fo.Keypoint(points=points.tolist())
    # the backend sends fields with lines or with polygons, not with both
    closed = points if shape.kind == "polyline" else np.concatenate([points, points[:1]])
    return fo.Polyline(points=[closed.tolist()], closed=False, filled=False)
