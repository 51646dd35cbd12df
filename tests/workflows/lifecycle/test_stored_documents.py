"""What earlier versions stored is read, and what their dead runs left behind is ended, by today's code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from bson import json_util
from fiftyone.core.odm import get_db_conn

import point_tracking as pt
from point_tracking.store.database.connection import CLAIMS, OUTCOMES, OWNERS, STAGED, collection
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import this_host
from point_tracking.store.tracks.sample_status import read_marks
from point_tracking.workflows.lifecycle.recovery import recover

STORED = Path(__file__).parents[2] / "data" / "stored" / "21f6ae4.json"


@pytest.fixture
def dataset() -> Iterator[fo.Dataset]:
    """The dataset with all that belongs to it, as commit 21f6ae4 left it."""
    content = json_util.loads(STORED.read_text())
    for owner in content[OWNERS]:
        owner["host"] = this_host()  # a process of this machine that is gone can be told at once
    for name, documents in content.items():
        get_db_conn()[name].insert_many(documents)
        if name.startswith("frames."):  # as FiftyOne has it
            get_db_conn()[name].create_index([("_sample_id", 1), ("frame_number", 1)], unique=True)
    loaded = fo.load_dataset("stored-by-21f6ae4")
    yield loaded
    loaded.delete()
    for name in (CLAIMS, OUTCOMES, OWNERS, STAGED):
        collection(name).delete_many({})


def test_reports_of_finished_runs_are_read(dataset: fo.Dataset) -> None:
    reports: dict[str, Any] = {key: pt.load_report(dataset, key) for key in dataset.list_runs() if "died" not in key}
    assert {key: type(report).__name__ for key, report in reports.items()} == {
        "track_tracks": "TrackReport",
        "track_truth": "TrackReport",
        "eval_tracks": "EvaluationReport",
        "preprocess": "PreprocessReport",
        "adapt_mine": "AdaptationReport",
    }
    tracked = reports["track_tracks"]
    assert (tracked.num_samples, tracked.num_points, tracked.num_targets, tracked.tracker) == (1, 4, 1, "optical-flow")
    assert set(tracked.stages) == {"read", "track", "write"}
    assert tracked.to_dict()["outcomes"][0]["warnings"] == ()
    assert reports["eval_tracks"].totals[0].figures["delta_avg"] == 1.0
    assert "eval_tracks_delta_avg" in reports["eval_tracks"].fields
    assert (reports["preprocess"].num_samples, reports["preprocess"].media_field) == (1, "preprocessed_filepath")
    adapted = reports["adapt_mine"]
    assert (adapted.reason, adapted.num_skipped, adapted.failures[0].kind) == ("not better", 2, "VideoError")
    assert not any(report.interrupted for report in reports.values())


def test_runs_that_died_tell_what_is_known_of_them(dataset: fo.Dataset) -> None:
    tracking: Any = pt.load_report(dataset, "died_tracking")
    assert (tracking.interrupted, tracking.num_targets, tracking.label_field) == (True, 2, "tracks")
    assert [(failure.kind, failure.message) for failure in tracking.failures] == [("VideoError", "cannot be read")]
    assert tracking.num_not_run == 1
    preprocessing: Any = pt.load_report(dataset, "died_preprocess")
    assert (preprocessing.interrupted, preprocessing.target, preprocessing.num_not_run) == (True, "media_field", 1)
    evaluation: Any = pt.load_report(dataset, "died_evaluation")
    assert (evaluation.interrupted, evaluation.gt_field, evaluation.query_mode) == (True, "truth", "first")
    adaptation: Any = pt.load_report(dataset, "died_adaptation")
    assert (adaptation.interrupted, adaptation.name, adaptation.tracker) == (True, "mine", "pt-small")
    assert "interrupted" in str(tracking)


def test_marks_and_tracks_are_read(dataset: fo.Dataset) -> None:
    ids = dataset.values("id")
    marks = read_marks(dataset, ids, "truth")
    assert set(marks) == {ids[0]}
    mark = marks[ids[0]]
    assert (mark.state, mark.layout, mark.num_points, mark.run_key) == ("done", "points", 4, "track_truth")
    tracks = pt.read_tracks(dataset.first(), "truth")
    assert tracks.xy.shape == (4, 4, 2)
    assert tracks.visible[0].all()


def test_the_dead_run_is_ended(dataset: fo.Dataset) -> None:
    first, second, third = dataset.values("id")
    recover(dataset)
    dataset.reload()
    marks = read_marks(dataset, [first, second, third], "tracks")
    assert marks[first].run_key == "died_tracking", "a switch that had begun was completed"
    assert set(marks) == {first}, "what was half filled was taken back"
    held = {sample.id: [n for n, frame in sample.frames.items() if frame["tracks"] is not None] for sample in dataset}
    assert held == {first: [1, 3, 4], second: [], third: []}, (
        "frame 2 was to be cleared, frames 3 and 4 were not staged"
    )
    key = {"_id": Key(dataset._doc.id).below}
    assert [collection(name).find(key) for name in (CLAIMS, STAGED, OUTCOMES)] == [[], [], []]
    assert collection(OWNERS).find({"dataset_id": dataset._doc.id}) == []
    report: Any = pt.load_report(dataset, "died_tracking")
    # the mark of the switched sample tells that it was finished
    assert {outcome.sample_id: outcome.status for outcome in report.outcomes} == {first: "done", second: "failed"}


def test_evaluations_know_the_options_of_the_run_that_made_the_tracks(dataset: fo.Dataset) -> None:
    config = dataset.get_run_info("track_tracks").config
    assert config.method == "point_tracking"
    assert config.tracker_options == {}
    assert config.weights == {"license": None, "from": "needs none"}
