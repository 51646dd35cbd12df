"""What a preprocessing run says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from point_tracking.tracker.errors import CollectionError
from point_tracking.workflows.preprocessing.report import REUSED, CopyOutcome, PreprocessReport

MIB = 2**20


def _report(*statuses: str, **values: Any) -> PreprocessReport:
    outcomes = [
        CopyOutcome(
            f"{k}", f"/{k}.mp4", s, num_frames=5, num_source_frames=20, size_bytes=MIB // 2, source_bytes=3 * MIB
        )
        for k, s in enumerate(statuses)
    ]
    known = {"output_dir": "/out", "target": "dataset", "dataset_name": "small", "seconds": 1.0}
    return PreprocessReport(outcomes=outcomes, num_targets=len(statuses), **{**known, **values})


def test_copies_are_counted_whether_made_or_reused() -> None:
    report = _report("done", REUSED, "failed", "not run")
    assert (report.num_samples, report.num_reused, report.num_frames, report.num_not_run) == (2, 1, 10, 1)
    text = "Preprocessed 2 videos (40 frames to 10, 6.0 MiB to 1.0 MiB) in 1.0 s into /out and the dataset 'small'"
    assert str(report) == f"{text}; 1 earlier copy reused; 1 failure"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"target": "media_field", "media_field": "small_path"}, "into /out and the field 'small_path'"),
        ({"cancelled": True}, "; cancelled with 1 video to go"),
        ({"interrupted": True}, "; interrupted, or still running, with 1 video to go"),
    ],
)
def test_how_it_ended_is_said(values: dict[str, Any], text: str) -> None:
    assert text in str(_report("done", "not run", **values))


def test_where_nothing_was_copied_no_place_is_named() -> None:
    assert "dataset" not in str(_report("failed"))


@pytest.mark.parametrize("name", [None, "no-such-dataset"])
def test_a_dataset_that_is_not_there_is_said_to_be_missing(name: str | None) -> None:
    with pytest.raises(CollectionError, match="no dataset of copies"):
        _ = _report("done", dataset_name=name).dataset
