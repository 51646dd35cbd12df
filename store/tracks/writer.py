"""Tracks into the database: in bulk, whole samples at a time, all or nothing.

An empty field is filled frame by frame under the mark "writing"; the process that
dies in the middle has noted which frames were there before, and the next run takes
the rest back. Tracks that replace others are stored aside until they are complete;
only then are they moved into place, and whoever comes next ends a move that was cut
off. So old tracks are lost at no moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import fiftyone as fo
import numpy as np
from pymongo.errors import BulkWriteError, DocumentTooLarge, PyMongoError

from ...tracker.arrays import detached
from ...tracker.coordinates import FIRST_FRAME_NUMBER, frame_number_of
from ...tracker.errors import (
    ClaimError,
    DatabaseError,
    FieldError,
    FieldExistsError,
    LimitError,
    OptionError,
    ShapeError,
    WriteError,
)
from ...tracker.types import Tracks
from ..database.claims import CLAIMED, FILLING, SWITCHING, Claims, check_free, claimed
from ..database.connection import changing_document, database_error, reload_dataset, server_process
from ..database.fields import check_label_field, declare
from ..database.frame_documents import MARK_DONE, MARK_WRITING, FrameStore, missing_numbers, ranges_of
from .keypoint_bytes import encoded_frame_documents
from .keypoints import check_document_size, check_layout, frame_documents, visible_in_frame
from .sample_status import SampleMark, check_foreign_labels, mark_document, read_contents
from .track_names import TrackNames, names_of
from .videos import VideoShape, dataset_of, video_shape_of

# keypoints turned into documents per call: bounds memory without costing speed
_POINTS_PER_WRITE = 50_000
# server codes: the object, the resulting document, the update would be too large
_TOO_LARGE_CODES = {10334, 17419, 17420}
Amend = Callable[[int, Any], Any]
"""Called with a frame's number and its document; returns the document to store."""


def write_tracks(
    sample: fo.Sample,
    label_field: str,
    tracks: Tracks,
    *,
    frame_numbers: Sequence[int] | np.ndarray | None = None,
    layout: str = "points",
    keep_hidden: bool = False,
    overwrite: bool = False,
    replace_labels: int | None = None,
    discard_corrections: bool = False,
) -> None:
    """Stores tracks as the frame-level keypoints of a video sample.

    Args:
        sample: a video sample of a dataset
        label_field: name of the frame field, without "frames."
        tracks: T rows, N points, in pixels of the displayed frame
        frame_numbers: (T,) increasing frame numbers (from 1), one per row; row i
            is frame number i + 1 where not given
        layout: "points", one Keypoint per visible point; "frame", one Keypoint
            per frame with all points (hidden = NaN); or "objects", one Keypoint per frame and
            object with all its points: tracks that share `tracks.labels` and `tracks.objects`
        keep_hidden: also store hidden points, with occluded=True (layout "points")
        overwrite: replace the tracks that this package wrote for this sample
        replace_labels: the number of other labels, such as hand labels, that the field
            holds for this sample: replace these; without it they are never touched
        discard_corrections: replace tracks that a person corrected, too

    Raises:
        CollectionError: if the sample is no video sample of a dataset
        FieldError: if the field's name or type does not allow it
        OptionError: for the layout "objects" where the tracks say nothing of objects
        FieldExistsError: if the field holds tracks and overwrite is False, or other labels
            whose number was not given
        ShapeError: if there are more rows than frames, or bad frame numbers
        LimitError: if a frame's document would pass the database's limit
        VideoError: if the video's size cannot be found out
        WriteError: if the database refused; nothing is left half written
    """
    dataset, sample_id = dataset_of(sample)
    check_label_field(dataset, label_field)
    check_layout(layout, keep_hidden)
    names = names_of(tracks.labels, tracks.objects)
    if layout == "objects" and names is None:
        raise OptionError(
            "layout='objects' stores the points of each object together, and these tracks have neither labels nor "
            "objects. Give them: dataclasses.replace(tracks, objects=[...]), or use layout='points'"
        )
    check_document_size(tracks.num_points, layout, keep_hidden, names=names)
    contents = read_contents(dataset, [sample_id], label_field)
    check_foreign_labels(
        dataset, contents.foreign, label_field, replace_labels, ", or replace_labels={number} to replace them"
    )
    if not overwrite and contents.written:
        raise FieldExistsError(
            f"The field {label_field!r} of this sample already holds data. Use overwrite=True to replace it, "
            "or another label field"
        )
    if not discard_corrections and FrameStore(dataset, label_field).has_corrections(sample_id):
        raise FieldExistsError(
            f"Tracks of this sample in {label_field!r} were corrected by hand, and would be lost. Use "
            "discard_corrections=True to replace them, or another label field"
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
        names=names,
        mark=SampleMark(state=MARK_WRITING, layout=layout, num_points=tracks.num_points, num_frames=shape.num_frames),
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
    names: TrackNames | None = None,
    claims: Claims | None = None,
    amend: Amend | None = None,
) -> int:
    """Replaces what a field holds for one sample, whole or not at all.

    Whatever ends the work, an error or the death of the process, the sample has
    the old state or the new one, at the latest after the next run on the dataset.

    Args:
        dataset: the dataset
        sample_id: the sample
        label_field: a checked label field
        tracks: T rows, N points, in pixels of the displayed frame
        shape: of the video
        frame_numbers: (T,) frame numbers of the rows; None = 1, 2, ...
        keep_hidden: also store hidden points
        mark: layout, tracker and run to note with the sample
        interpolated: (T,) bool, rows to be marked as filled in; None where no row is
        names: what the tracks are called; None = as `DEFAULT_LABEL` says
        claims: of the run that has claimed the sample; None claims it for this call
        amend: changes what is stored of each frame; given the frame's number and its document

    Returns:
        the number of point positions stored

    Raises:
        ShapeError: if the rows do not fit the video's frames
        LimitError: if a frame's document passes the database's limit
        ClaimError: if another run is at the sample
        FieldError: if the field was deleted meanwhile
        WriteError: if the database refused
        DatabaseError: if it stays away
    """
    numbers = _check_frame_numbers(frame_numbers, tracks.num_frames, shape.num_frames)
    stored = _count_stored(tracks, shape.size_px, keep_hidden)
    mark = replace(
        mark, state=MARK_DONE, num_points=tracks.num_points, num_frames=shape.num_frames, num_keypoints=stored
    )
    with claimed(dataset, label_field, sample_id, mark.run_key) if claims is None else nullcontext(claims) as held:

        def write() -> None:
            with changing_document:
                declare(
                    dataset,
                    label_field,
                    occluded=keep_hidden,
                    interpolated=interpolated is not None,
                    objects=mark.layout != "objects" and names is not None and names.has_objects,
                    nodes=mark.layout == "points" and names is not None and names.has_nodes,
                    track_numbers=mark.layout == "objects",
                )
            pieces = _pieces(tracks, numbers, shape, mark.layout, keep_hidden, interpolated, names)
            if amend is not None:
                pieces = ({number: amend(number, label) for number, label in piece.items()} for piece in pieces)
            _write(held, sample_id, pieces, shape.num_frames, mark)

        write_whole(write, dataset, held, sample_id)
    return stored


def write_whole(write: Callable[[], None], dataset: fo.Dataset, claims: Claims, sample_id: str) -> None:
    """Does the steps of a write, whole or not at all.

    Args:
        write: the steps, each noted in the claim before it is done; may be done twice
        dataset: the dataset
        claims: of the sample
        sample_id: the sample

    Raises:
        the errors of `store_tracks`
    """
    try:
        _until_one_server_has_all(write, dataset, claims, sample_id)
    except BaseException as error:
        if not isinstance(error, ClaimError | DatabaseError):
            claims.settle(sample_id)
            claims.store.refresh(sample_id)
        raise _in_words(error, sample_id) from error
    claims.store.refresh(sample_id)


def _until_one_server_has_all(write: Callable[[], None], dataset: fo.Dataset, claims: Claims, sample_id: str) -> None:
    """Writes again where the server was started anew in the middle: it may have lost some of what it had confirmed."""
    server = server_process()
    while True:
        lost: ClaimError | FieldError | None = None
        try:
            write()
        except (ClaimError, FieldError) as error:
            lost = error
        now = server_process()
        if now == server:
            if lost is not None:
                raise lost
            return
        server = now
        reload_dataset(dataset)
        check_free(claims.take(sample_id))
        claims.settle(sample_id)


def _write(claims: Claims, sample_id: str, pieces: Iterator[dict[int, Any]], num_frames: int, mark: SampleMark) -> None:
    """Fills an empty field frame by frame, or has the new tracks ready before the old ones go."""
    store = claims.store
    found = store.find(sample_id)
    if found is None:
        raise WriteError(f"The sample {sample_id} is no longer in the dataset")
    missing = dict.fromkeys(missing_numbers(found.numbers, num_frames))
    if found.holding:
        left = {**missing, **dict.fromkeys(found.holding)}
        for piece in pieces:
            claims.check(sample_id)
            store.stage(sample_id, piece)
            for number in piece:
                left.pop(number, None)
        store.stage(sample_id, left)
        store.check_declared()
        claims.advance(sample_id, SWITCHING, mark=mark_document(mark))
        store.switch(sample_id)
    else:
        claims.advance(sample_id, FILLING, frames_before=ranges_of(found.numbers))
        store.set_mark(sample_id, mark_document(replace(mark, state=MARK_WRITING, num_keypoints=0)))
        write = store.write if found.numbers else store.insert
        for piece in pieces:
            claims.check(sample_id)
            write(sample_id, piece)
            for number in piece:
                missing.pop(number, None)
        write(sample_id, missing)
        claims.check(sample_id)
    store.check_declared()
    if not store.set_mark(sample_id, mark_document(mark), on_disk=True):
        raise WriteError(f"The sample {sample_id} was deleted while its tracks were being written")
    if found.holding:
        store.drop_staged(sample_id)
        claims.advance(sample_id, CLAIMED)
        store.drop_replaced(sample_id)  # corrections of the tracks that are gone


def _pieces(
    tracks: Tracks,
    numbers: np.ndarray,
    shape: VideoShape,
    layout: str,
    keep_hidden: bool,
    interpolated: np.ndarray | None,
    names: TrackNames | None,
) -> Iterator[dict[int, Any]]:
    """Yields frame number -> document, some frames at a time."""
    for rows in _row_chunks(tracks):
        if layout == "points":
            documents = encoded_frame_documents(
                tracks, shape.size_px, rows=rows, keep_hidden=keep_hidden, interpolated=interpolated, names=names
            )
        else:
            documents = frame_documents(
                tracks, shape.size_px, rows=rows, layout=layout, interpolated=interpolated, names=names
            )
        yield dict(zip(numbers[rows].tolist(), documents, strict=True))


def _check_frame_numbers(
    frame_numbers: Sequence[int] | np.ndarray | None, num_rows: int, num_frames: int
) -> np.ndarray:
    if frame_numbers is None:
        if num_rows > num_frames:
            raise ShapeError(f"{num_rows} rows of tracks were given, but the video has {num_frames} frames")
        return frame_number_of(np.arange(num_rows))
    numbers = np.asarray(detached(frame_numbers))
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


def _in_words(error: BaseException, sample_id: str) -> BaseException:
    """The error to raise in place of one of the database."""
    refusal = database_error(error)
    if refusal is None:
        return error
    if _is_too_large(refusal):
        return LimitError(
            "A frame's document with these tracks passes MongoDB's limit of 16 MiB, which other labels of the "
            "frame share. Use layout='frame' or fewer points"
        )
    return WriteError(f"The database refused the tracks of sample {sample_id}: {refusal}")


def _is_too_large(error: PyMongoError) -> bool:
    if isinstance(error, DocumentTooLarge):
        return True
    codes = {getattr(error, "code", None)}
    if isinstance(error, BulkWriteError):
        codes |= {refused.get("code") for refused in error.details.get("writeErrors", [])}
    return bool(codes & _TOO_LARGE_CODES)
