"""A sample's labels as tracks of shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.database.fields import FRAMES_PREFIX
from ....store.labels.frame_labels import FieldValues
from ....store.labels.objects import LabelledObject, objects_of
from ....store.tracks.imported_numbers import number_array
from ....store.tracks.sample_status import SampleMark
from ....store.tracks.videos import VideoShape
from ....tracker.coordinates import denormalize_xy
from ....tracker.errors import FieldError
from ....tracker.formats.annotation.tracked_shapes import ShapeKind, ShapeTrack, TrackedShape
from .from_points import layout_of, point_shape_tracks
from .notes import UNLABELLED, attributes_of, flags_of, made_track, notes_of, with_ends

Document = Mapping[str, Any]


def shape_tracks_of(
    values: FieldValues, mark: SampleMark | None, video: VideoShape, left_out: Counter[str]
) -> list[ShapeTrack]:
    """Turns what a field holds for a sample into tracks of shapes.

    Args:
        values: what the field holds
        mark: of the sample, where a run wrote it
        video: that it is of
        left_out: counts what a file cannot hold

    Returns:
        not numbered yet

    Raises:
        FieldError: if labels stand in frames that the video does not have
    """
    labels = [(t, document) for t, document in values.labels() if isinstance(document, Mapping)]
    name = values.path.removeprefix(FRAMES_PREFIX)
    late = max((t for t, _ in labels), default=0)
    if late >= video.num_frames:
        raise FieldError(
            f"The field {name!r} holds labels in frame {late + 1}, but the video has {video.num_frames} frames. Delete "
            "the frames behind its end"
        )
    kind = getattr(values.field, "document_type", None)
    layout = layout_of(labels, mark) if kind is fo.Keypoints else None
    if layout is not None:
        return point_shape_tracks(labels, mark, name, layout, video.size_px, video.num_frames, left_out)
    found = []
    for labelled in _with_doubles(objects_of(labels)):
        about = {"field": name, "kind": kind.__name__ if kind else "", "object": len(found)}
        found.extend(_tracks_of_object(labelled, about, video, left_out))
    return found


def _with_doubles(objects: list[LabelledObject]) -> Iterator[LabelledObject]:
    """Objects with one label per frame; further ones are objects of their own."""
    for labelled in objects:
        yield labelled
        for double in labelled.doubles:
            yield LabelledObject(labelled.key, [double])


def _tracks_of_object(
    labelled: LabelledObject, about: dict[str, Any], video: VideoShape, left_out: Counter[str]
) -> Iterator[ShapeTrack]:
    """As many tracks as its labels have parts."""
    label = labelled.label or UNLABELLED
    if labelled.index is not None:
        about["index"] = labelled.index
    if labelled.instance_id is not None:
        about["instance"] = labelled.instance_id
    parts: dict[int, list[TrackedShape]] = {}
    most = 1
    for one in labelled.labels:
        document = one.document
        assert isinstance(document, Mapping)
        if document.get("mask") is not None or document.get("mask_path") is not None:
            left_out["instance masks"] += 1
        shapes = _parts_of(document, video.size_px)
        most = max(most, len(shapes))
        shared = {"attributes": attributes_of(document, left_out), **flags_of(document)}
        scores = document.get("confidence")
        if not any(xy is not None for _, xy, _ in shapes):
            left_out["labels without a position"] += 1
        for place, (kind, xy, notes) in enumerate(shapes):
            if xy is None:
                continue
            score = scores[place] if isinstance(scores, list | tuple) and place < len(scores) else scores
            notes = {**notes_of(document, label, score, with_id=True), **notes}
            if len(shapes) > 1:
                notes["parts"] = len(shapes)
            parts.setdefault(place, []).append(TrackedShape(one.frame_index, kind, xy, **shared, notes=notes))
    for place, shapes in sorted(parts.items()):
        part = {"part": place} if most > 1 else {}
        yield made_track(label, with_ends(shapes, video.num_frames), {**about, **part})


def _parts_of(document: Document, size_px: tuple[int, int]) -> list[tuple[ShapeKind, np.ndarray | None, Document]]:
    """(kind, pixels, notes) of each part of a label; no pixels where a part has no position."""
    if document.get("_cls") == "Detection":
        sides = _finite(document.get("bounding_box") or [np.nan] * 4)
        if sides is None or sides.shape != (4,):
            return [("box", None, {})]
        corners = np.stack([sides[:2], sides[:2] + sides[2:]])  # (2, 2)
        return [("box", denormalize_xy(corners, size_px), {})]
    if document.get("_cls") == "Polyline":
        return [_line(document, line, size_px) for line in document.get("points") or [[]]]
    points = number_array([list(point) for point in document.get("points") or ()]).reshape(-1, 2)
    xy = denormalize_xy(points, size_px)
    return [("points", xy[k : k + 1] if np.isfinite(xy[k]).all() else None, {}) for k in range(len(xy))]


def _line(document: Document, line: Any, size_px: tuple[int, int]) -> tuple[ShapeKind, np.ndarray | None, Document]:
    points = _finite([list(point) for point in line])
    if points is None or points.ndim != 2 or not len(points):
        return "polyline", None, {}
    xy = denormalize_xy(points, size_px)
    closed, filled = bool(document.get("closed")), bool(document.get("filled"))
    notes = {"closed": closed, "filled": filled}
    if filled and len(xy) >= 3:
        return "polygon", xy, notes
    # a line that ends where it began, as a person sees it there
    return "polyline", np.concatenate([xy, xy[:1]]) if closed else xy, notes


def _finite(values: Any) -> np.ndarray | None:
    found = number_array(values)
    return found if np.isfinite(found).all() else None
