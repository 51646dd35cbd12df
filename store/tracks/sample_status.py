"""Which samples are finished: one small document per sample and label field.

A mark says "writing" before the first keypoint is stored and "done" after the
last, so a sample whose writing was interrupted can be told from one in which no
point happens to be visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

import fiftyone as fo

from ..database.fields import info_field_of, is_ours
from .videos import select_videos


@dataclass(frozen=True)
class SampleMark:
    """What was written for one sample.

    Args:
        state: "writing" or "done"
        layout: "points" or "frame"
        num_points: tracks, whether ever visible or not
        num_frames: frames of the video that decode
        num_keypoints: point positions stored
        tracker: name of the tracker, None where tracks came from elsewhere
        run_key: the run, None where written outside of one
    """

    state: str
    layout: str
    num_points: int
    num_frames: int
    num_keypoints: int = 0
    tracker: str | None = None
    run_key: str | None = None


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
    return {"_cls": "DynamicEmbeddedDocument", **asdict(mark), "written_at": now}


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
    names = list(SampleMark.__dataclass_fields__)
    columns = view.values(["id", *(f"{info_field_of(label_field)}.{name}" for name in names)])
    return {
        sample_id: SampleMark(**dict(zip(names, values, strict=True)))
        for sample_id, *values in zip(*columns, strict=True)
        if values[0] is not None
    }
