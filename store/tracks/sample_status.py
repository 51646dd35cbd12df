"""Which samples are finished: one small document per sample and label field.

A mark says "writing" before the first keypoint is stored and "done" after the
last, so a sample whose writing was interrupted can be told from one in which no
point happens to be visible. What is stored decides: tracks that were removed with
FiftyOne's own calls are gone, whatever the mark says, and labels without a mark were
made by no run.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo
import numpy as np

from ...tracker.errors import FieldExistsError
from ..database.fields import FRAMES_PREFIX, INFO_SUBFIELDS, has_label_field, info_field_of, is_ours
from ..database.frame_documents import MARK_DONE, FrameStore
from .videos import select_videos

# query frames of more tracks than this would make the sample's own document large
_MOST_NOTED = 10_000


@dataclass(frozen=True)
class SampleMark:
    """What was written for one sample.

    Args:
        state: "writing" or "done"
        layout: "points", "frame" or "objects"
        num_points: tracks, whether ever visible or not
        num_frames: frames of the video that decode
        num_keypoints: point positions stored
        tracker: name of the tracker, None where tracks came from elsewhere
        run_key: the run, None where written outside of one
        query_t: frame index that each track was asked for in, or one for all; None = not known. Not read back by
            `read_marks`: datasets of earlier versions do not have it
    """

    state: str
    layout: str
    num_points: int
    num_frames: int
    num_keypoints: int = 0
    tracker: str | None = None
    run_key: str | None = None
    query_t: int | list[int] | None = None


def noted_queries(query_t: np.ndarray, num_tracks: int) -> int | list[int] | None:
    """What `SampleMark.query_t` says of some tracks.

    Args:
        query_t: (N,) int, frame index that each track was asked for in
        num_tracks: how many are stored; those behind the N were asked for in none
    """
    frames = [*query_t.tolist(), *([-1] * (num_tracks - len(query_t)))]
    if len(set(frames)) == 1:
        return frames[0]
    return frames if len(frames) <= _MOST_NOTED else None


def mark_document(mark: SampleMark) -> dict[str, Any]:
    """A mark as FiftyOne stores it.

    Args:
        mark: what to store

    Returns:
        the embedded document, as a dictionary
    """
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    # as the database keeps it, in milliseconds
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    facts = asdict(mark)
    if mark.query_t is None:
        del facts["query_t"]
    return {"_cls": "DynamicEmbeddedDocument", **facts, "written_at": now}


def read_marks(dataset: fo.Dataset, sample_ids: Sequence[str], label_field: str) -> dict[str, SampleMark]:
    """Reads the marks of some samples.

    Args:
        dataset: the dataset
        sample_ids: which samples
        label_field: the name, without "frames."

    Returns:
        sample id -> mark, for the samples that have one
    """
    if not sample_ids or not is_ours(dataset, label_field):
        return {}
    view = select_videos(dataset, list(sample_ids))
    names = [name for name in SampleMark.__dataclass_fields__ if name in INFO_SUBFIELDS]
    columns = view.values(["id", *(f"{info_field_of(label_field)}.{name}" for name in names)])
    return {
        sample_id: SampleMark(**dict(zip(names, values, strict=True)))
        for sample_id, *values in zip(*columns, strict=True)
        if values[0] is not None
    }


@dataclass(frozen=True)
class FieldContents:
    """What a label field holds of some samples.

    Args:
        marks: sample id -> what was written, for samples that have a mark
        stored: ids of samples with a label in any frame, with or without keypoints
        labelled: ids of those with a keypoint
    """

    marks: Mapping[str, SampleMark]
    stored: set[str]
    labelled: set[str]

    @property
    def finished(self) -> set[str]:
        """Samples that were tracked, and whose tracks were not removed since."""
        done = {sample_id for sample_id, mark in self.marks.items() if mark.state == MARK_DONE}
        never_seen = {sample_id for sample_id in done & self.stored if not self.marks[sample_id].num_keypoints}
        return (done & self.labelled) | never_seen

    @property
    def written(self) -> set[str]:
        """Samples that hold something that was written by this package, finished or not."""
        return self.stored & set(self.marks)

    @property
    def foreign(self) -> set[str]:
        """Samples that hold labels which no run made: hand labels, or those of other programs."""
        return self.labelled - set(self.marks)


def read_contents(dataset: fo.Dataset, sample_ids: Sequence[str], label_field: str) -> FieldContents:
    """Looks at what a label field holds.

    Args:
        dataset: the dataset
        sample_ids: which samples to look at
        label_field: the name, without "frames."
    """
    marks = read_marks(dataset, sample_ids, label_field)
    if not sample_ids or not has_label_field(dataset, label_field):
        return FieldContents(marks, set(), set())
    store = FrameStore(dataset, label_field)
    stored = store.holders(sample_ids, of_keypoints=False)
    labelled = store.holders(sorted(stored), of_keypoints=True) if stored else set()
    return FieldContents(marks, stored, labelled)


def count_labels(dataset: fo.Dataset, sample_ids: Collection[str], label_field: str) -> int:
    """The keypoints that a label field holds.

    Args:
        dataset: the dataset
        sample_ids: of the samples to count in
        label_field: the name, without "frames."
    """
    if not sample_ids:
        return 0
    return int(select_videos(dataset, sorted(sample_ids)).count(f"{FRAMES_PREFIX}{label_field}.keypoints"))


def check_foreign_labels(
    dataset: fo.Dataset, foreign: Collection[str], label_field: str, replace_labels: int | None, remedy: str
) -> None:
    """Refuses to delete labels that no run made, unless their number was given.

    Args:
        dataset: the dataset
        foreign: ids of the samples that hold them, of those to be written
        label_field: the name, without "frames."
        replace_labels: the number that the user gave
        remedy: how to give it, with "{number}" in its place; may be empty

    Raises:
        FieldExistsError: naming the number
    """
    number = count_labels(dataset, foreign, label_field)
    if number in (0, replace_labels):
        return
    samples = f"{len(foreign)} of the samples" if len(foreign) > 1 else "1 of the samples"
    given = "" if replace_labels is None else f"replace_labels={replace_labels} is not their number. "
    raise FieldExistsError(
        f"{FRAMES_PREFIX}{label_field} holds {number} labels in {samples} that point tracking did not write, such as "
        f"labels made by hand. {given}They are not replaced by overwrite=True. Use another label field"
        f"{remedy.format(number=number)}"
    )
