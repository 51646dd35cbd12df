"""A rendering run in words."""

from __future__ import annotations

from point_tracking.workflows.rendering.report import RenderOutcome, RenderReport


def test_a_report_counts_what_became_of_the_samples():
    statuses = ("done", "done", "skipped", "failed", "not run")
    outcomes = [RenderOutcome(str(k), f"{k}.mp4", status, size_bytes=3 * 2**18) for k, status in enumerate(statuses)]
    told = {"output_dir": "out", "label_field": "tracks", "media_field": "trails", "seconds": 3.0, "cancelled": True}
    report = RenderReport(**told, num_targets=5, outcomes=outcomes)
    assert str(report) == (
        "Drew tracks of 2 samples in 3.0 s into out (1.5 MiB); 1 file was there already; the App offers them as media "
        "'trails'; cancelled with 1 sample to go; 1 failure"
    )
    assert [failure.sample_id for failure in report.failures] == ["3"]
    assert RenderReport.from_dict(report.to_dict()) == report
    assert "0.mp4" in report.table("done")
