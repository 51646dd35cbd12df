"""What a propagation says it did."""

from __future__ import annotations

import json

from point_tracking.workflows.propagation.report import PropagationOutcome, PropagationReport


def _report(*outcomes: PropagationOutcome, **more: object) -> PropagationReport:
    return PropagationReport(
        field="box",
        target_field="out",
        tracker="drift",
        seconds=10,
        num_targets=len(outcomes),
        outcomes=[*outcomes],
        **more,
    )


DONE = PropagationOutcome("1", "/a.mp4", "done", num_objects=2, num_keyframes=3, num_filled=88)


def test_it_says_in_words_what_was_written() -> None:
    text = str(_report(DONE))
    assert "Carried 2 objects from 3 keyframes in 1 sample" in text
    assert "wrote 88 labels to frames.out" in text
    assert len(text.splitlines()) == 1


def test_it_says_what_is_interpolated_removed_unchanged_failed_and_missing() -> None:
    outcomes = [
        PropagationOutcome("1", "/a.mp4", "done", num_filled=88, num_interpolated=5, num_removed=1, num_unchanged=30),
        PropagationOutcome("2", "/b.mp4", "failed", kind="VideoError", message="broken"),
        PropagationOutcome("3", "/c.mp4", "no prompt", message="none"),
        PropagationOutcome("4", "/d.mp4", "not run"),
    ]
    report = _report(*outcomes)
    text = str(report)
    for words in (
        "5 of them interpolated",
        "removed 1 derived label",
        "left 30 frames alone",
        "1 sample failed",
        "1 sample had nothing to carry",
        "1 sample to go",
    ):
        assert words in text
    assert "interpolated" in report.notes[0]
    assert [failure.kind for failure in report.failures] == ["VideoError"]
    assert _report(DONE).notes == []


def test_it_comes_back_from_its_record() -> None:
    report = _report(DONE, PropagationOutcome("2", "/b.mp4", "done", warnings=("careful",)), run_key="key")
    assert PropagationReport.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    assert report.warnings == [("/b.mp4", "careful")]
