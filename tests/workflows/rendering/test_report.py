"""A rendering run in words."""

from __future__ import annotations

from point_tracking.workflows.rendering.report import RenderOutcome, RenderReport


def test_a_report_counts_what_became_of_the_samples():
    statuses = ("done", "done", "skipped", "failed", "not run")
    outcomes = [RenderOutcome(str(k), f"{k}.mp4", status) for k, status in enumerate(statuses)]
    report = RenderReport(output_dir="out", label_field="tracks", num_targets=5, outcomes=outcomes)
    assert str(report) == "2 files made in out, 1 were there already, 1 failed, 1 not run"
    assert [failure.sample_id for failure in report.failures] == ["3"]
    assert RenderReport.from_dict(report.to_dict()) == report
    assert "0.mp4" in report.table("done")
