"""Some tracks of a sample changed in all its frames as one; the last such change can be taken back.

The new documents of the frames are stored aside first, and moved into place once they are complete, as the writer of
tracks does with tracks that replace others: whatever ends the work, the sample has the old state or the new one, at
the latest after the next run on the dataset. What is replaced is kept until the sample is written again.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fiftyone as fo

from ...tracker.errors import FieldError, WriteError
from ..database.claims import CLAIMED, SWITCHING, Claims
from ..database.connection import changing_document, retried
from ..database.fields import has_label_field
from ..database.frame_documents import MARK_DONE, FrameStore
from ..tracks.sample_status import read_marks
from ..tracks.writer import write_whole
from .frame_edits import num_positions

Labels = dict[int, dict[str, Any]]
NewLabels = Mapping[int, dict[str, Any] | None]
Edit = Callable[[Labels, Mapping[str, Any]], tuple[NewLabels, Mapping[str, Any]]]
"""Given the label documents by frame number and the sample's mark; returns those of the frames that change, and what
changes in the mark."""

_FRAMES_PER_WRITE = 50


def check_tracked(dataset: fo.Dataset, sample_id: str, label_field: str) -> str:
    """Refuses samples without finished tracks of a run.

    Returns:
        the layout that they are stored in

    Raises:
        FieldError: saying what was found
    """
    if not has_label_field(dataset, label_field):
        raise FieldError(f"There is no frame field {label_field!r}. Track this dataset first, or check the name")
    mark = read_marks(dataset, [sample_id], label_field).get(sample_id)
    if mark is None or mark.state != MARK_DONE:
        raise FieldError(
            f"The field {label_field!r} of this sample holds no tracks that point tracking wrote. Track the sample "
            "first; tracks from elsewhere can be brought in with write_tracks"
        )
    return mark.layout


@retried
def declare_corrections(dataset: fo.Dataset, label_field: str, layout: str) -> None:
    """Declares the attributes that corrected keypoints carry; what exists stays as it is.

    Args:
        dataset: the dataset
        label_field: the name, without "frames."
        layout: of the tracks
    """
    prefix = f"{label_field}.keypoints"
    known = dataset.get_frame_field_schema(flat=True)
    with changing_document:
        if f"{prefix}.keyframe" not in known:
            dataset.add_frame_field(f"{prefix}.keyframe", fo.BooleanField)
        if f"{prefix}.corrected" not in known:
            if layout == "objects":
                dataset.add_frame_field(f"{prefix}.corrected", fo.ListField, subfield=fo.BooleanField)
            else:
                dataset.add_frame_field(f"{prefix}.corrected", fo.BooleanField)


def new_correction() -> str:
    """An id for a correction to come; all its steps are taken back together."""
    return uuid.uuid4().hex


def edit_sample(dataset: fo.Dataset, sample_id: str, edit: Edit, claims: Claims, correction: str | None = None) -> int:
    """Changes what is stored of a sample, whole or not at all.

    Args:
        dataset: the dataset
        sample_id: the sample; claimed, and with tracks of a run
        edit: says what changes; asked just before it is written, and maybe twice
        claims: of the label field
        correction: that this is a step of, from `new_correction`; None = one of its own

    Returns:
        the number of frames that were written

    Raises:
        ClaimError, FieldError, LimitError, WriteError, DatabaseError: as of `store_tracks`
    """
    store, correction = claims.store, correction or new_correction()
    written = 0

    def write() -> None:
        nonlocal written
        mark = store.mark(sample_id)
        if mark is None:
            raise WriteError(f"The sample {sample_id} is gone, or its tracks were deleted meanwhile")
        labels = store.labels(sample_id)
        changed, facts = edit(labels, mark)
        written = len(changed)
        store.keep_replaced(sample_id, sorted(changed), correction)
        gained = sum(num_positions(label) - num_positions(labels.get(number)) for number, label in changed.items())
        new_mark = {**mark, **facts, "num_keypoints": (mark.get("num_keypoints") or 0) + gained}
        _replace(claims, sample_id, changed, {**new_mark, "correction": correction})
        store.drop_replaced(sample_id, but=correction)

    write_whole(write, dataset, claims, sample_id)
    return written


def restore_sample(dataset: fo.Dataset, sample_id: str, claims: Claims) -> int:
    """Takes the last change of a sample back, whole or not at all.

    Args:
        dataset: the dataset
        sample_id: the sample, claimed
        claims: of the label field

    Returns:
        the number of frames that were put back; 0 where there is nothing to take back

    Raises:
        the errors of `edit_sample`
    """
    store, restored = claims.store, 0

    def write() -> None:
        nonlocal restored
        replaced = store.replaced(sample_id)
        if replaced is None:
            return
        before, numbers = replaced
        restored = len(numbers)
        claims.check(sample_id)
        store.stage_replaced(sample_id, (store.mark(sample_id) or {})["correction"], numbers)
        _put_in_place(claims, sample_id, before)
        store.drop_replaced(sample_id)

    write_whole(write, dataset, claims, sample_id)
    return restored


def _replace(claims: Claims, sample_id: str, labels: NewLabels, mark: Mapping[str, Any]) -> None:
    store: FrameStore = claims.store
    for piece in _pieces(labels):
        claims.check(sample_id)
        store.stage(sample_id, piece)
    _put_in_place(claims, sample_id, mark)


def _put_in_place(claims: Claims, sample_id: str, mark: Mapping[str, Any]) -> None:
    """Moves what is stored aside into place, with the mark that goes with it."""
    store: FrameStore = claims.store
    store.check_declared()
    # from here on, whoever comes after a death completes it
    claims.advance(sample_id, SWITCHING, mark=dict(mark))
    store.switch(sample_id)
    if not store.set_mark(sample_id, mark, on_disk=True):
        raise WriteError(f"The sample {sample_id} was deleted while its tracks were being written")
    store.drop_staged(sample_id)
    claims.advance(sample_id, CLAIMED)


def _pieces(labels: NewLabels) -> Iterator[dict[int, Any]]:
    numbers = sorted(labels)
    for start in range(0, len(numbers), _FRAMES_PER_WRITE):
        yield {number: labels[number] for number in numbers[start : start + _FRAMES_PER_WRITE]}
