"""What a correction did, in words."""

from __future__ import annotations

from point_tracking.workflows.correction.report import CorrectionOutcome, CorrectionReport


def _report(**numbers: object) -> CorrectionReport:
    outcome = CorrectionOutcome("id", "a.mp4", **{"status": "done", **numbers})  # type: ignore[arg-type]
    return CorrectionReport(label_field="tracks", outcomes=[outcome], num_targets=1, seconds=7)


def test_it_says_what_was_stored_and_what_was_tracked_again() -> None:
    assert str(_report()) == "Nothing was corrected"
    assert str(_report(num_stored=1)) == "Stored 1 correction in frames.tracks"
    text = str(_report(num_stored=2, num_tracks=1, num_corrections=3, num_frames=40))
    assert "Tracked 1 track again from 3 corrections (5 s); wrote 40 frames" in text
    failed = _report(status="failed", kind="VideoError", message="cannot be read")
    assert "cannot be read" in str(failed)
    failed.interrupted = True
    assert "Interrupted" in str(failed)


def test_it_comes_back_as_it_was_stored() -> None:
    report = _report(num_stored=2)
    assert CorrectionReport.from_dict(report.to_dict()) == report
