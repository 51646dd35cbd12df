"""Reports of tracking runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.runs.outcomes import Outcome
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.lifecycle.report import SampleReport
from point_tracking.workflows.tracking import report as report_module
from point_tracking.workflows.tracking.report import TrackReport

MakeDataset = Callable[..., fo.Dataset]


NUM_CLIPS = 8  # of the fixture `clips`


def test_the_report_tells_what_each_stage_cost(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips)
    tracker = DriftTracker(on_frame=lambda _: time.sleep(0.01))
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert set(report.stages) == {"read", "track", "write"}
    slept = sum(6 + k for k in range(NUM_CLIPS)) * 0.01
    assert slept <= report.stages["track"]["seconds"] <= report.seconds
    assert all(0 <= stage["utilisation"] <= 1 for stage in report.stages.values())
    assert load_report(dataset, report.run_key) == report
    versions = dataset.get_run_info(report.run_key).config.versions
    import point_tracking

    assert versions["fiftyone-point-tracking"] == point_tracking.__version__


def _outcomes(**numbers: int) -> list[Outcome]:
    return [
        Outcome(f"{status}-{k}", f"/{status}-{k}.mp4", status, num_points=2, num_frames=3, num_keypoints=6)
        for status, number in numbers.items()
        for k in range(number)
    ]


def test_a_report_says_in_words_what_was_done() -> None:
    report = TrackReport(label_field="t", tracker="drift", seconds=2.0, num_targets=6)
    report.outcomes = _outcomes(done=2, skipped=1, failed=1)
    assert (report.num_samples, report.num_skipped, report.num_points, report.num_frames, report.num_keypoints) == (
        2,
        1,
        4,
        6,
        12,
    )
    text = "Tracked 4 points in 2 samples (6 frames, 12 keypoints) in 2.0 s with 'drift' into frames.t"
    assert str(report) == f"{text}; 1 finished sample left alone; 1 failure"
    report.cancelled = True
    assert "; cancelled with 2 samples to go; " in str(report)
    report.cancelled, report.interrupted = False, True
    assert "; interrupted, or still running, with 2 samples to go; " in str(report)


def test_rows_name_the_tracker() -> None:
    report = TrackReport(label_field="t", tracker="drift", outcomes=_outcomes(done=1, failed=1))
    assert [(row["status"], row["tracker"]) for row in report.rows()] == [("done", "drift"), ("failed", "drift")]
    assert [row["status"] for row in report.rows("failed")] == ["failed"]


def test_a_run_that_died_knows_its_samples_by_journal_and_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    known, marked = _outcomes(done=1), _outcomes(done=2)
    record = {"label_field": "t", "tracker": "drift", "num_targets": 3, "write_to": "source"}
    asked: list[bool] = []
    monkeypatch.setattr(report_module, "record_of", lambda _dataset, _key: record)
    base = TrackReport(label_field="t", tracker="d", outcomes=list(known))
    monkeypatch.setattr(SampleReport, "unfinished", classmethod(lambda _cls, *_: base))
    monkeypatch.setattr(
        report_module, "marked_outcomes", lambda *_, onto_source: asked.append(onto_source) or list(marked)
    )
    report = TrackReport.unfinished(None, "run")  # type: ignore[arg-type]
    assert [outcome.sample_id for outcome in report.outcomes] == ["done-0", "done-1"], "none is told twice"
    assert asked == [True]
