"""What becomes of boxes, polylines and keypoints that a person corrected on the server: keyframes of their field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.database.label_lists import LabelChange, LabelLists
from ....store.labels.label_writer import declare_list_field
from ....store.labels.shapes import list_of, without_mask
from ....tracker.coordinates import frame_number_of, normalize_xy
from .comparing import ReturnedShape, SentShape, TrackChanges
from .report import CorrectionsLoaded

Document = dict[str, Any]
Sent = Mapping[int, Mapping[int, SentShape]]
_LABELS = {fo.Detections: fo.Detection, fo.Polylines: fo.Polyline, fo.Keypoints: fo.Keypoint}


class _Edited:
    """The labels of a sample with changes to them, each label changed once in the end."""

    def __init__(self, stored: Mapping[int, list[Document]]) -> None:
        self._before = {number: {str(label["_id"]): label for label in labels} for number, labels in stored.items()}
        self._after: dict[tuple[int, str], Document | None] = {}
        self._new: list[LabelChange] = []

    def get(self, number: int, label_id: str | None) -> Document | None:
        """A label as it is by now; None where it is gone."""
        if label_id is None:
            return None
        return self._after.get((number, label_id), self._before.get(number, {}).get(label_id))

    def set(self, number: int, label_id: str, label: Document | None) -> None:
        if label_id in self._before.get(number, {}):
            self._after[number, label_id] = label

    def add(self, number: int, label: Document) -> None:
        self._new.append(LabelChange(number, None, label))

    def changes(self) -> list[LabelChange]:
        changed = [LabelChange(n, self._before[n][i], after) for (n, i), after in sorted(self._after.items(), key=str)]
        return [*changed, *self._new]


def apply_to_labels(
    sample: fo.Sample,
    report: CorrectionsLoaded,
    sent: Sent,
    changes: Mapping[int, TrackChanges],
    new: Mapping[Any, Mapping[int, ReturnedShape]],
    size_px: tuple[int, int],
) -> None:
    """Makes the corrected labels keyframes of the field.

    Where an object is gone stands a keyframe with `outside=True`, and labels that were derived there go. A label that
    changed since it was sent is changed as it is now; one that is gone by now is drawn anew.

    Args:
        sample: whose labels they are
        report: receives warnings
        sent: number of the track -> frame index -> what was sent
        changes: number of the track -> what a person changed
        new: tracks that were drawn anew: frame index -> shape
        size_px: (width, height) of the displayed frame
    """
    dataset = sample.dataset
    lists = LabelLists(dataset, list_of(dataset, report.label_field))
    stored = lists.read(sample.id)
    edited = _Edited(stored)
    for number, change in changes.items():
        shapes = sent[number]
        if change.removed:
            for t, shape in shapes.items():
                _remove(edited, t, shape)
            continue
        for first, last in change.gone:
            for t in range(first, last + 1):
                _leave(edited, t, shapes[t], is_first=t == first)
        for first, last in change.occluded:
            for t in range(first, last + 1):
                _say(edited, t, shapes.get(t), {"occluded": True}, keyframe=t == first)
        for t, shape in sorted(change.placed.items()):
            _place(edited, t, shape, shapes, size_px, sample, report)
    _draw_new(edited, dataset, report.label_field, stored, new, size_px)
    declare_list_field(
        dataset,
        report.label_field,
        _kind(dataset, report.label_field),
        dict.fromkeys(("keyframe", "occluded", "outside"), bool),
    )
    lists.apply(sample.id, edited.changes())
    lists.refresh(sample.id)


def _kind(dataset: fo.Dataset, field: str) -> type[fo.Label]:
    return dataset.get_frame_field_schema(flat=False)[field].document_type


def _remove(edited: _Edited, t: int, shape: SentShape) -> None:
    """Takes a label away, or one part of it."""
    number = int(frame_number_of(t))
    label = edited.get(number, shape.source_id)
    if label is None or shape.source_id is None:
        return
    kept = label.get("points") or []
    if label["_cls"] == "Keypoint" and len(kept) > 1:
        points = [list(point) for point in kept]
        points[shape.source_part] = [float("nan")] * 2
        edited.set(number, shape.source_id, {**label, "points": points})
    else:
        edited.set(number, shape.source_id, None)


def _leave(edited: _Edited, t: int, shape: SentShape, *, is_first: bool) -> None:
    """Says that an object is not there: in the first frame with a keyframe, in others by having no derived label."""
    number = int(frame_number_of(t))
    label = edited.get(number, shape.source_id)
    if label is None or shape.source_id is None:
        return
    derived = label.get("keyframe") is False
    after = None if derived and not is_first else {**label, "keyframe": True, "outside": True}
    edited.set(number, shape.source_id, after)


def _say(edited: _Edited, t: int, shape: SentShape | None, values: Document, *, keyframe: bool) -> None:
    number = int(frame_number_of(t))
    label = edited.get(number, shape.source_id) if shape is not None else None
    if label is not None and shape is not None and shape.source_id is not None:
        edited.set(number, shape.source_id, {**label, **values, **({"keyframe": True} if keyframe else {})})


def _place(
    edited: _Edited,
    t: int,
    shape: ReturnedShape,
    sent: Mapping[int, SentShape],
    size_px: tuple[int, int],
    sample: fo.Sample,
    report: CorrectionsLoaded,
) -> None:
    """Puts a label, or one part of it, where a person drew it."""
    number = int(frame_number_of(t))
    there = sent.get(t)
    label = edited.get(number, there.source_id) if there is not None else None
    if label is not None and there is not None and there.source_id is not None:
        if label.get("mask") is not None or label.get("mask_path") is not None:
            report.warnings.append((sample.filepath, f"the instance mask in frame {number} goes: its box was moved"))
        edited.set(number, there.source_id, _moved(label, there.source_part, shape, size_px))
        return
    nearest = min(sent, key=lambda other: abs(other - t))
    model = edited.get(int(frame_number_of(nearest)), sent[nearest].source_id)
    if model is None:
        report.warnings.append(
            (sample.filepath, f"an object that is gone by now was corrected in frame {number}: left out")
        )
        return
    fresh = _LABELS[_kind(sample.dataset, report.label_field)]().to_dict()
    edited.add(
        number, {**_moved(model, sent[nearest].source_part, shape, size_px), "_id": fresh["_id"], "outside": False}
    )


def _moved(label: Document, part: int, shape: ReturnedShape, size_px: tuple[int, int]) -> Document:
    """A label with one of its parts where a person drew it."""
    points = normalize_xy(shape.xy, size_px)
    after = {**without_mask(label), "keyframe": True}
    if shape.occluded or label.get("occluded") is not None:
        after["occluded"] = shape.occluded
    if label.get("outside"):
        after["outside"] = False
    if label["_cls"] == "Detection":
        (left, top), (right, bottom) = points.tolist()
        return {**after, "bounding_box": [left, top, right - left, bottom - top]}
    parts = list(label.get("points") or [])
    if label["_cls"] == "Keypoint":
        parts[part] = points[0].tolist()
        return {**after, "points": parts}
    # a closed line was sent with its first point repeated
    closed = label.get("closed") and len(points) > 1 and np.allclose(points[0], points[-1], atol=1e-9)
    parts[part] = (points[:-1] if closed else points).tolist()
    return {**after, "points": parts}


def _draw_new(
    edited: _Edited,
    dataset: fo.Dataset,
    field: str,
    stored: Mapping[int, list[Document]],
    new: Mapping[Any, Mapping[int, ReturnedShape]],
    size_px: tuple[int, int],
) -> None:
    """Adds the keyframes of objects that were drawn anew, each under the next index that is free."""
    indices = [label["index"] for labels in stored.values() for label in labels if label.get("index") is not None]
    following = max(indices, default=0) + 1
    kind = _kind(dataset, field)
    for shapes in new.values():
        for t, shape in sorted(shapes.items()):
            if shape.keyframe:
                label = _LABELS[kind](label=shape.label, index=following)
                document = label.to_dict()
                if kind is fo.Polylines:
                    document["points"] = [[]]
                elif kind is fo.Keypoints:
                    document["points"] = [[0.0, 0.0]]
                edited.add(int(frame_number_of(t)), _moved(document, 0, shape, size_px))
        following += 1
