"""Tracks into the database: in bulk, whole samples at a time, all or nothing.

Only FiftyOne's public API is used: frame documents are created where they are
missing, then `set_values` stores plain dictionaries, many frames per call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import fiftyone as fo
import numpy as np
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError

from ..coordinates import FIRST_FRAME_NUMBER, frame_number_of
from ..errors import FieldExistsError, LimitError, ShapeError, WriteError
from ..types import Tracks
from .encoding import encoded_frame_documents
from .fields import FRAMES_PREFIX, check_label_field, declare, has_label_field
from .keypoints import check_document_size, check_layout, frame_documents, visible_in_frame
from .marks import DONE, WRITING, SampleMark, read_marks, set_mark
from .video_samples import VideoShape, dataset_of, video_shape_of

# keypoints turned into documents per call: bounds memory without costing speed
_POINTS_PER_WRITE = 50_000
# server codes: the object, the resulting document, the update would be too large
_TOO_LARGE_CODES = {10334, 17419, 17420}


def write_tracks(
    sample: fo.Sample,
    label_field: str,
    tracks: Tracks,
    *,
    frame_numbers: Sequence[int] | np.ndarray | None = None,
    layout: str = "points",
    keep_hidden: bool = False,
    overwrite: bool = False,
) -> None:
    """Stores tracks as the frame-level keypoints of a video sample.

    Args:
        sample: a video sample of a data set
        label_field: name of the frame field, without "frames."
        tracks: T rows, N points, in pixels of the displayed frame
        frame_numbers: (T,) increasing frame numbers (from 1), one per row; row i
            is frame number i + 1 where not given
        layout: "points", one Keypoint per visible point, or "frame", one Keypoint
            per frame with all points (hidden = NaN)
        keep_hidden: also store hidden points, with occluded=True (layout "points")
        overwrite: replace what the field holds for this sample

    Raises:
        CollectionError: if the sample is no video sample of a data set
        FieldError: if the field's name or type does not allow it
        FieldExistsError: if the field holds data and overwrite is False
        ShapeError: if there are more rows than frames, or bad frame numbers
        LimitError: if a frame's document would pass the database's limit
        VideoError: if the video's size cannot be found out
        WriteError: if the database refused; nothing is left half written
    """
    dataset, sample_id = dataset_of(sample)
    check_label_field(dataset, label_field)
    check_layout(layout, keep_hidden)
    check_document_size(tracks.num_points, layout, keep_hidden)
    if not overwrite and samples_with_data(dataset, [sample_id], label_field):
        raise FieldExistsError(
            f"The field {label_field!r} of this sample already holds data. Use overwrite=True to replace it, "
            "or another label field"
        )
    shape = video_shape_of(sample, expected_frames=tracks.num_frames)
    store_tracks(
        dataset,
        sample_id,
        label_field,
        tracks,
        shape,
        frame_numbers=frame_numbers,
        keep_hidden=keep_hidden,
        mark=SampleMark(state=WRITING, layout=layout, num_points=tracks.num_points, num_frames=shape.num_frames),
    )


def store_tracks(
    dataset: fo.Dataset,
    sample_id: str,
    label_field: str,
    tracks: Tracks,
    shape: VideoShape,
    *,
    frame_numbers: Sequence[int] | np.ndarray | None,
    keep_hidden: bool,
    mark: SampleMark,
    interpolated: np.ndarray | None = None,
) -> int:
    """Replaces what a field holds for one sample; on any failure the old state is restored.

    Args:
        dataset: the data set
        sample_id: the sample
        label_field: a checked label field
        tracks: T rows, N points, in pixels of the displayed frame
        shape: of the video
        frame_numbers: (T,) frame numbers of the rows; None = 1, 2, ...
        keep_hidden: also store hidden points
        mark: layout, tracker and run to note with the sample
        interpolated: (T,) bool, rows to be marked as filled in; None where no row is

    Returns:
        the number of point positions stored

    Raises:
        ShapeError: if the rows do not fit the video's frames
        LimitError: if a frame's document passes the database's limit
        WriteError: if the database refused
    """
    numbers = _check_frame_numbers(frame_numbers, tracks.num_frames, shape.num_frames)
    mark = replace(mark, state=WRITING, num_points=tracks.num_points, num_frames=shape.num_frames)
    declare(dataset, label_field, occluded=keep_hidden, interpolated=interpolated is not None)
    with _all_or_nothing(dataset, sample_id, label_field) as existing_numbers:
        set_mark(dataset, sample_id, label_field, mark)
        _create_frames(dataset[sample_id], shape.num_frames, existing_numbers)
        _clear(dataset, sample_id, label_field)
        for rows in _row_chunks(tracks):
            if mark.layout == "points":
                documents = encoded_frame_documents(
                    tracks, shape.size_px, rows=rows, keep_hidden=keep_hidden, interpolated=interpolated
                )
            else:
                documents = frame_documents(
                    tracks, shape.size_px, rows=rows, layout=mark.layout, interpolated=interpolated
                )
            _set_frames(dataset, sample_id, label_field, dict(zip(numbers[rows].tolist(), documents, strict=True)))
        stored = _count_stored(tracks, shape.size_px, keep_hidden)
        set_mark(dataset, sample_id, label_field, replace(mark, state=DONE, num_keypoints=stored))
    return stored


def samples_with_data(dataset: fo.Dataset, sample_ids: Sequence[str], label_field: str) -> set[str]:
    """Which samples hold anything in a label field, finished, half written or foreign.

    Args:
        dataset: the data set
        sample_ids: which samples to look at
        label_field: name of the frame field, without "frames."

    Returns:
        ids of those that do
    """
    if not has_label_field(dataset, label_field):
        return set()
    marked = set(read_marks(dataset, sample_ids, label_field))
    unmarked = [sample_id for sample_id in sample_ids if sample_id not in marked]
    if not unmarked:
        return marked
    holds_data = fo.ViewField(label_field).exists()
    found = dataset.select(unmarked).match_frames(holds_data, omit_empty=True).values("id")
    return marked | set(found)


def _check_frame_numbers(
    frame_numbers: Sequence[int] | np.ndarray | None, num_rows: int, num_frames: int
) -> np.ndarray:
    if frame_numbers is None:
        if num_rows > num_frames:
            raise ShapeError(f"{num_rows} rows of tracks were given, but the video has {num_frames} frames")
        return frame_number_of(np.arange(num_rows))
    numbers = np.asarray(frame_numbers)
    if numbers.shape != (num_rows,) or (numbers.size and numbers.dtype.kind not in "iu"):
        raise ShapeError(
            f"Invalid frame numbers of shape {numbers.shape}. Expected {num_rows} whole numbers, one per row"
        )
    if numbers.size and ((np.diff(numbers) <= 0).any() or numbers[0] < FIRST_FRAME_NUMBER or numbers[-1] > num_frames):
        raise ShapeError(
            f"Invalid frame numbers from {numbers.min()} to {numbers.max()}. "
            f"Expected increasing numbers from {FIRST_FRAME_NUMBER} to {num_frames}"
        )
    return numbers.astype(np.int64)


def _row_chunks(tracks: Tracks) -> Iterator[slice]:
    step = max(_POINTS_PER_WRITE // max(tracks.num_points, 1), 1)
    for start in range(0, tracks.num_frames, step):
        yield slice(start, min(start + step, tracks.num_frames))


def _count_stored(tracks: Tracks, size_px: tuple[int, int], keep_hidden: bool) -> int:
    if keep_hidden:
        return int(np.isfinite(tracks.xy).all(axis=2).sum())
    return int(visible_in_frame(tracks, size_px).sum())


def _create_frames(sample: fo.Sample, num_frames: int, existing: set[int]) -> None:
    missing = [n for n in range(FIRST_FRAME_NUMBER, frame_number_of(num_frames)) if n not in existing]
    if not missing:
        return
    for number in missing:
        sample.frames[number] = fo.Frame()
    sample.save()


def _set_frames(dataset: fo.Dataset, sample_id: str, label_field: str, documents: dict[int, Any]) -> None:
    if documents:
        dataset.set_values(
            FRAMES_PREFIX + label_field,
            {sample_id: documents},
            key_field="id",
            validate=False,
            expand_schema=False,
            progress=False,
        )


def _stored_frames(dataset: fo.Dataset, sample_id: str, label_field: str) -> dict[int, Any]:
    """frame number -> raw document, for the frames that hold one."""
    view = dataset.select(sample_id)
    numbers, documents = view.aggregate(
        [fo.Values("frames.frame_number"), fo.Values(FRAMES_PREFIX + label_field, _raw=True)]
    )
    return {n: d for n, d in zip(numbers[0] or [], documents[0] or [], strict=True) if d is not None}


def _clear(dataset: fo.Dataset, sample_id: str, label_field: str) -> None:
    holds_data = fo.ViewField(label_field).exists()
    found = dataset.select(sample_id).match_frames(holds_data).values("frames.frame_number")
    if found and found[0]:
        _set_frames(dataset, sample_id, label_field, dict.fromkeys(found[0]))


@contextmanager
def _all_or_nothing(dataset: fo.Dataset, sample_id: str, label_field: str) -> Iterator[set[int]]:
    """Restores the frames, the labels and the mark of a sample if the block fails.

    Yields:
        numbers of the frame documents that exist already
    """
    numbers = dataset.select(sample_id).values("frames.frame_number")
    if not numbers:
        raise WriteError(f"The sample {sample_id} is no longer in the data set")
    existing = set(numbers[0] or [])
    old_mark = read_marks(dataset, [sample_id], label_field).get(sample_id)
    # a half-written state is not worth restoring
    keep_old = old_mark is None or old_mark.state == DONE
    old_documents = _stored_frames(dataset, sample_id, label_field) if keep_old else {}
    try:
        yield existing
    except BaseException as error:
        _restore(dataset, sample_id, label_field, existing, old_documents, old_mark if keep_old else None)
        refusal = _database_error(error)
        if refusal is None:
            raise
        if _is_too_large(refusal):
            raise LimitError(
                "A frame's document with these tracks passes MongoDB's limit of 16 MiB, which other labels of the "
                "frame share. Use layout='frame' or fewer points"
            ) from error
        raise WriteError(f"The database refused the tracks of sample {sample_id}: {refusal}") from error


def _database_error(error: BaseException) -> PyMongoError | None:
    """The database's own error; FiftyOne hands bulk errors on as the cause of a ValueError."""
    found = error if isinstance(error, PyMongoError) else error.__cause__
    return found if isinstance(found, PyMongoError) else None


def _is_too_large(error: PyMongoError) -> bool:
    if isinstance(error, DocumentTooLarge):
        return True
    codes = {getattr(error, "code", None)}
    if isinstance(error, BulkWriteError):
        codes |= {refused.get("code") for refused in error.details.get("writeErrors", [])}
    return bool(codes & _TOO_LARGE_CODES)


def _restore(
    dataset: fo.Dataset,
    sample_id: str,
    label_field: str,
    existing: set[int],
    old_documents: dict[int, Any],
    old_mark: SampleMark | None,
) -> None:
    view = dataset.select(sample_id)
    frame_ids, numbers = view.values(["frames.id", "frames.frame_number"])
    if not numbers:
        return
    created = [f for f, n in zip(frame_ids[0] or [], numbers[0] or [], strict=True) if n not in existing]
    if created:
        dataset.delete_frames(created)
    _clear(dataset, sample_id, label_field)
    _set_frames(dataset, sample_id, label_field, old_documents)
    set_mark(dataset, sample_id, label_field, old_mark)
