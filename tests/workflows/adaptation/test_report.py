"""What an adaptation says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from point_tracking.store.runs.outcomes import Failure
from point_tracking.workflows.adaptation.report import AdaptationReport, SkippedClips


def _report(**values: Any) -> AdaptationReport:
    known = {"seconds": 60.4, "num_videos": 3, "num_held_out": 2, "num_points": 40, "steps": 1, "reason": "because"}
    return AdaptationReport(name="mine", tracker="pt-small", **{**known, **values})


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"cancelled": True}, "was cancelled; nothing was stored"),
        ({"interrupted": True}, "was interrupted, or is still running"),
        ({}, "was not stored: because"),
        (
            {"kept": True, "license": "Apache-2.0", "commercial_use": True},
            "is stored as 'mine': because. Terms: Apache-2.0: commercial use allowed",
        ),
        ({"kept": True, "license": "CC-BY-NC-4.0"}, "Terms: CC-BY-NC-4.0: NON-COMMERCIAL use only"),
    ],
)
def test_what_became_of_it_is_said_in_words(values: dict[str, Any], text: str) -> None:
    said = str(_report(**values))
    assert said.startswith("'pt-small', adapted on 3 videos in 60 s (1 step), ")
    assert text in said
    assert "judged by 40 points in 2 held-out videos" in said


def test_weak_evidence_and_what_was_left_out_is_named() -> None:
    report = _report(
        num_held_out=1,
        skipped=[SkippedClips("/a.mp4", "too few features", 2), SkippedClips("/b.mp4", "gone", 1)],
        failures=[Failure("s", "/c.mp4", "VideoError", "broken")],
    )
    assert report.num_skipped == 3
    assert report.warnings[0] == ("/a.mp4", "2 clips not used: too few features")
    said = str(report)
    for part in ("one video is weak evidence", "3 clips not used", "1 held-out video that cannot be judged by"):
        assert part in said
    assert "weak evidence" not in str(_report(num_held_out=1, cancelled=True))


def test_scores_are_shown_before_and_after_in_percent() -> None:
    assert (_report().table(), _report().notes) == ("", [])
    before = {"returned": 0.5, "visible": 0.25, "median_px": 1.234, "motion_px": None}
    rows = _report(before=before).table().splitlines()
    assert len(rows) == 3
    assert rows[2] == "| before | 50.0 | 25.0 | 1.2 |  |"
    assert len(_report(before=before, after=before).table().splitlines()) == 4
    assert "This decides" in _report(before=before).notes[0]
