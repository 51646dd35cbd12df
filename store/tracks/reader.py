"""Tracks out of the database, column by column instead of object by object."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import fiftyone as fo
import numpy as np

from ...tracker.coordinates import column_of, denormalize_xy, frame_index_of, frame_number_of, track_index_of
from ...tracker.errors import FieldError
from ...tracker.types import Tracks
from ..database.fields import has_label_field
from ..database.raw_values import keypoint_columns, raw_keypoints
from .imported_numbers import number_array
from .sample_status import SampleMark, read_marks
from .track_names import DEFAULT_LABEL
from .videos import dataset_of, frame_size_of, video_shape_of


def read_tracks(sample: fo.Sample, label_field: str) -> Tracks:
    """Reads the tracks of a video sample back.

    Positions, visibility and confidence are what was stored: a hidden point that
    was not kept has no position (NaN) and confidence 0.

    Args:
        sample: a video sample of a dataset
        label_field: name of the frame field, without "frames."

    Returns:
        Tracks of all frames of the video; column j holds the keypoints with index j + 1 (of the
        layout "objects", the points with that track number). `labels` and `objects` are what
        the points were asked for with; None where no prompt said anything

    Raises:
        FieldError: if the field does not hold tracks: no such field, keypoints
            without an index, or several points under one index
        VideoError: if the video's size cannot be found out
    """
    return _read(sample, label_field, drop_late=False)[0]


def read_tracks_in_video(sample: fo.Sample, label_field: str) -> tuple[Tracks, int]:
    """As `read_tracks`, without what people or other programs stored past the end of the video.

    Args:
        sample: a video sample of a dataset
        label_field: name of the frame field, without "frames."

    Returns:
        the tracks, and the number of frames with keypoints that were left out

    Raises:
        the same errors as `read_tracks`
    """
    return _read(sample, label_field, drop_late=True)


def read_tracks_at(sample: fo.Sample, label_field: str, frame_indices: Sequence[int] | np.ndarray) -> Tracks:
    """As `read_tracks`, of some frames alone: what the others hold is not loaded.

    Args:
        sample: a video sample of a dataset, with tracks that were written by this package
        label_field: name of the frame field, without "frames."
        frame_indices: (T,) strictly increasing, from 0

    Returns:
        Tracks of these T frames; `labels` and `objects` are what keypoints in them say

    Raises:
        FieldError: if the field does not hold such tracks of this sample
        VideoError: if the video's size cannot be found out
    """
    dataset, sample_id = dataset_of(sample)
    _check_field(dataset, label_field)
    mark = read_marks(dataset, [sample_id], label_field).get(sample_id)
    if mark is None:
        raise FieldError(f"{label_field!r} holds no tracks of this video that point tracking wrote. Track it first")
    numbers = frame_number_of(np.asarray(frame_indices, dtype=np.int64)).tolist()
    found = raw_keypoints(dataset, sample_id, label_field, numbers, _ATTRIBUTES)
    # as if these were all frames of the video
    rows = [row for row, number in enumerate(numbers) if number in found]
    columns: dict[str, list[Any]] = {"frame_number": [frame_number_of(row) for row in rows]}
    for name in _ATTRIBUTES:
        columns[name] = [[keypoint.get(name) for keypoint in found[numbers[row]]] for row in rows]
    _check_points(columns["points"])
    return _READERS[mark.layout](columns, frame_size_of(sample), len(numbers), mark)


def _check_field(dataset: fo.Dataset, label_field: str) -> None:
    if not has_label_field(dataset, label_field):
        raise FieldError(f"There is no frame field {label_field!r}. Track this dataset first, or check the name")


def _check_points(points: list[list[Any]]) -> None:
    if any(not of_one for of_frame in points for of_one in of_frame):
        raise FieldError("A keypoint of this field has no point. Delete it, or mark a hidden one with occluded=True")


def _read(sample: fo.Sample, label_field: str, *, drop_late: bool) -> tuple[Tracks, int]:
    dataset, sample_id = dataset_of(sample)
    _check_field(dataset, label_field)
    columns = keypoint_columns(dataset, sample_id, label_field, _ATTRIBUTES)
    _check_points(columns["points"])
    mark = read_marks(dataset, [sample_id], label_field).get(sample_id)
    if mark is not None:
        size_px, num_frames = frame_size_of(sample), mark.num_frames
    else:
        shape = video_shape_of(sample, expected_frames=max(columns["frame_number"], default=0))
        size_px, num_frames = shape.size_px, shape.num_frames
    num_late = 0
    if drop_late and mark is None:
        kept = [k for k, number in enumerate(columns["frame_number"]) if frame_index_of(number) < num_frames]
        num_late = len(columns["frame_number"]) - len(kept)
        columns = {name: [column[k] for k in kept] for name, column in columns.items()}
    return _READERS[_layout_of(columns, mark)](columns, size_px, num_frames, mark), num_late


def _layout_of(columns: dict[str, list[Any]], mark: SampleMark | None) -> str:
    if mark is not None:
        return mark.layout
    if any(numbers for frame in columns["track_numbers"] for numbers in frame):
        return "objects"
    return "frame" if any(len(points) == 1 and len(points[0]) > 1 for points in columns["points"]) else "points"


def _empty(num_frames: int, num_points: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    xy = np.full((num_frames, num_points, 2), np.nan, dtype=np.float32)
    return xy, np.zeros((num_frames, num_points), dtype=bool), np.zeros((num_frames, num_points), dtype=np.float32)


def _from_single_points(
    columns: dict[str, list[Any]], size_px: tuple[int, int], num_frames: int, mark: SampleMark | None
) -> Tracks:
    counts = [len(points) for points in columns["points"]]
    rows = np.repeat(frame_index_of(np.array(columns["frame_number"], dtype=np.int64)), counts)  # (K,)
    indices = list(chain.from_iterable(columns["index"]))
    if any(index is None for index in indices):
        raise FieldError("These keypoints have no index, so they do not form tracks. Give each track one index")
    points = list(chain.from_iterable(columns["points"]))
    if any(len(p) != 1 for p in points):
        raise FieldError("These keypoints have several points under one index, so they do not form point tracks")
    position = number_array(points).reshape(-1, 2)  # (K, 2)
    column = column_of(np.array(indices, dtype=np.int64))  # (K,)
    if column.size and column.min() < 0:
        raise FieldError(f"These keypoints have the index {int(column.min()) + 1}. Tracks are numbered from 1")
    num_points = mark.num_points if mark else int(column.max(initial=-1)) + 1
    _check_fit(rows, column, num_frames, num_points)
    xy, visible, confidence = _empty(num_frames, num_points)
    xy[rows, column] = denormalize_xy(position, size_px)
    known = np.isfinite(position).all(axis=1)
    flags = (f or [None] * n for f, n in zip(columns["occluded"], counts, strict=True))
    visible[rows, column] = known & ~np.array([bool(flag) for flag in chain.from_iterable(flags)], dtype=bool)
    scores = (c or [None] * n for c, n in zip(columns["confidence"], counts, strict=True))
    score = number_array([1.0 if not s else s[0] for s in chain.from_iterable(scores)]).astype(np.float32)
    confidence[rows, column] = np.where(known, score, 0)
    labels, objects = ([v for f, n in zip(columns[k], counts, strict=True) for v in f or [None] * n] for k in _NAMES)
    return Tracks(xy=xy, visible=visible, confidence=confidence, **_names(labels, objects, column, num_points))


def _names(labels: list[Any], objects: list[Any], column: np.ndarray, num_points: int) -> dict[str, Any]:
    """What the first keypoint of each track says that says anything, as `Tracks` has it.

    Args:
        labels, objects: (K,) of each keypoint
        column: (K,) int, the track it is of
        num_points: N
    """
    said = np.empty((2, num_points), dtype=object)
    for kind, (wanted, values) in enumerate(((str, labels), (int, objects))):
        for track, value in zip(column[::-1].tolist(), reversed(values), strict=True):
            # other programs have attributes of that name too
            if isinstance(value, wanted) and not isinstance(value, bool):
                said[kind, track] = value
    unnamed = all(label in (None, DEFAULT_LABEL) for label in said[0].tolist())
    return {"labels": None if unnamed else said[0], "objects": said[1]}


def _check_fit(rows: np.ndarray, column: np.ndarray, num_frames: int, num_points: int) -> None:
    """Refuses keypoints that someone added beyond the video or beyond the tracks that were written."""
    if rows.max(initial=-1) >= num_frames:
        raise FieldError(
            f"Frame {frame_number_of(int(rows.max()))} holds keypoints, but the video has {num_frames} frames. "
            "Delete the frames behind its end"
        )
    if column.max(initial=-1) >= num_points:
        raise FieldError(
            f"A keypoint has the index {track_index_of(int(column.max()))}, but {num_points} tracks were written. "
            "Give it the index of one of them, or keep it in another field"
        )


def _from_multi_points(
    columns: dict[str, list[Any]], size_px: tuple[int, int], num_frames: int, mark: SampleMark | None
) -> Tracks:
    num_points = mark.num_points if mark else max((len(p[0]) for p in columns["points"]), default=0)
    xy, visible, confidence = _empty(num_frames, num_points)
    _check_fit(frame_index_of(np.array(columns["frame_number"], dtype=np.int64)), np.empty(0), num_frames, num_points)
    for number, points, scores in zip(columns["frame_number"], columns["points"], columns["confidence"], strict=True):
        if len(points) != 1 or len(points[0]) > num_points:
            raise FieldError("These keypoints are not one per frame with the same points in every frame")
        row, n = frame_index_of(number), len(points[0])
        xy[row, :n] = denormalize_xy(number_array(points[0]).reshape(-1, 2), size_px)
        visible[row, :n] = np.isfinite(xy[row, :n]).all(axis=1)
        confidence[row, :n] = 1.0 if not scores or not scores[0] else number_array(scores[0])
    confidence = np.where(visible, confidence, 0)
    # the one keypoint of a frame says it of all its points
    label, number = (next((v for frame in columns[k] for v in frame if v is not None), None) for k in _NAMES)
    names = _names([label] * num_points, [number] * num_points, np.arange(num_points), num_points)
    return Tracks(xy=xy, visible=visible, confidence=confidence, **names)


def _from_objects(
    columns: dict[str, list[Any]], size_px: tuple[int, int], num_frames: int, mark: SampleMark | None
) -> Tracks:
    """Of the layout "objects": each keypoint says which tracks its points are of."""
    rows, column, position, scores, owner = [], [], [], [], []
    names: list[tuple[Any, Any]] = []
    for frame in zip(*(columns[n] for n in ("frame_number", *_OF_OBJECTS)), strict=True):
        number, *attributes = frame
        attributes = [values or [None] * len(attributes[0]) for values in attributes]
        for points, numbers, score, label, index in zip(*attributes, strict=True):
            _check_numbers(number, points, numbers)
            rows.extend([frame_index_of(number)] * len(points))
            column.extend(column_of(n) for n in numbers)
            position.extend(points)
            scores.extend(score or [1.0] * len(points))
            owner.extend([len(names)] * len(points))
            names.append((label, index))
    tracked = np.array(column, dtype=np.int64) >= 0  # (K,)
    row_of, column_of_point = np.array(rows, dtype=np.int64)[tracked], np.array(column, dtype=np.int64)[tracked]
    num_points = mark.num_points if mark else int(column_of_point.max(initial=-1)) + 1
    _check_fit(row_of, column_of_point, num_frames, num_points)
    xy, _, confidence = _empty(num_frames, num_points)
    xy[row_of, column_of_point] = denormalize_xy(number_array(position).reshape(-1, 2)[tracked], size_px)
    visible: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    confidence[row_of, column_of_point] = number_array(scores)[tracked]
    called = [names[k] for k in np.array(owner, dtype=np.int64)[tracked].tolist()]
    of_points = _names([label for label, _ in called], [index for _, index in called], column_of_point, num_points)
    return Tracks(xy=xy, visible=visible, confidence=np.where(visible, confidence, 0), **of_points)


def _check_numbers(frame_number: int, points: Any, numbers: Any) -> None:
    """Refuses a keypoint of the layout "objects" that does not say which tracks its points are of."""
    if len(numbers or ()) != len(points):
        raise FieldError(
            f"A keypoint in frame {frame_number} has {len(points)} points and {len(numbers or ())} track_numbers, so "
            "it does not say which tracks its points are of. Delete it, or keep it in another field"
        )


_ATTRIBUTES = ("points", "index", "confidence", "occluded", "label", "object", "track_numbers")
_NAMES = ("label", "object")
_OF_OBJECTS = ("points", "track_numbers", "confidence", "label", "index")
_READERS = {"points": _from_single_points, "frame": _from_multi_points, "objects": _from_objects}
