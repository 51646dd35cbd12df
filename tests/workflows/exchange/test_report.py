"""What became of an export or import, in words."""

from __future__ import annotations

from collections import Counter

from point_tracking.workflows.exchange.report import ExchangeReport, FileOutcome


def test_the_report_says_what_was_done_and_what_was_left_out():
    done = FileOutcome("a.xml", "1", "a.mp4", num_tracks=2, num_labels=1200, num_filled=7, warnings=("mind this",))
    other = FileOutcome("b.xml", "2", "b.mp4", num_tracks=1, left_out=Counter({"instance masks": 3}))
    failed = FileOutcome("c.xml", "3", "c.mp4", "failed", kind="FormatError", message="is no XML")
    report = ExchangeReport("cvat", "imported", [done, other, failed])
    assert str(report).splitlines() == [
        "imported as cvat: 2 files, 3 tracks, 1,200 labels",
        "7 labels of these lie between the file's keyframes",
        "left out: 3 x instance masks",
        "a.xml: mind this",
        "failed: c.xml: is no XML",
    ]
    assert [(f.sample_id, f.kind) for f in report.failures] == [("3", "FormatError")]


def test_an_empty_report_says_so():
    assert str(ExchangeReport("cvat", "exported")) == "exported as cvat: 0 files, 0 tracks, 0 labels"
