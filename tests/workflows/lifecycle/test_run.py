"""The life of a run is the same for every workflow: keys, records, dead runs, signals, a database that is away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adaptable
import fiftyone as fo
import media
import pytest
from killable import lines_until, start_run
from own_server import OwnServer
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database.connection import CLAIMS, OUTCOMES, OWNERS, collection
from point_tracking.store.database.keys import Key
from point_tracking.store.runs.records import record_of, run_keys, stored_report
from point_tracking.tracker.errors import DatabaseError, OptionError
from point_tracking.workflows.lifecycle.options import RunOptions, option
from point_tracking.workflows.lifecycle.recovery import recover
from point_tracking.workflows.lifecycle.report import Report
from point_tracking.workflows.lifecycle.run import choose_key, open_run, run_environment

MakeDataset = Callable[..., fo.Dataset]
NUM_CLIPS = 4


@dataclass(frozen=True)
class _Options(RunOptions):
    METHOD = "point_tracking_adaptation"

    overwrite: bool = False
    run_key: str | None = option(None, not_recorded="it is the record's own name")

    @property
    def base_key(self) -> str:
        return "test"


@dataclass(kw_only=True)
class _Report(Report):
    name: str = "n"
    tracker: str = "t"


@pytest.fixture
def tracked(make_dataset: MakeDataset, tmp_path: Path) -> fo.Dataset:
    """Clips with tracks, and the same tracks as truth."""
    dataset = make_dataset(*(media.video(tmp_path / f"{k}.mp4", num_frames=4, size=(64, 48)) for k in range(NUM_CLIPS)))
    for name in ("tracks", "truth"):
        pt.track_dataset(dataset, name, tracker=DriftTracker(), grid_size=2, keep_hidden=True, progress=False)
    dataset.persistent = True
    return dataset


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    with start_run(tmp_path) as begin:
        yield begin


def _open(dataset: fo.Dataset, options: _Options | None = None, **more: Any) -> Any:
    return open_run(dataset, options or _Options(), _Report(), num_targets=1, **more)


def test_a_run_is_recorded_before_its_work_and_reported_after_it(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    report = _Report()
    with run_environment(dataset), open_run(dataset, _Options(), report, num_targets=3) as run:
        assert (run.key, report.run_key, report.num_targets) == ("test", "test", 3)
        record = record_of(dataset, "test")
        assert (record["method"], record["num_targets"], record["overwrite"]) == (_Options.METHOD, 3, False)
        assert "run_key" not in record
        assert record["versions"]["fiftyone-point-tracking"] == pt.__version__
        assert stored_report(dataset, "test") is None
        (owner,) = collection(OWNERS).find({"dataset_id": dataset._doc.id})
        assert (owner["run_key"], owner["pid"]) == ("test", os.getpid())
    stored = stored_report(dataset, "test")
    assert stored == report.to_dict()
    assert report.seconds > 0
    assert collection(OWNERS).find({"dataset_id": dataset._doc.id}) == []


def test_what_ends_the_work_stays_the_error_and_the_report_is_stored(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    with pytest.raises(ZeroDivisionError), _open(dataset):
        _ = 1 / 0
    assert stored_report(dataset, "test") is not None


def test_a_database_that_is_away_at_the_end_is_told_within_seconds(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    waits: list[float | None] = []

    def away(_dataset: Any, _key: str, _report: Any, *, patience_s: float | None) -> None:
        waits.append(patience_s)
        raise DatabaseError("away")

    monkeypatch.setattr("point_tracking.workflows.lifecycle.run.save_report", away)
    with pytest.raises(KeyboardInterrupt), _open(dataset):
        raise KeyboardInterrupt
    with pytest.raises(DatabaseError), _open(dataset):
        pass
    assert waits == [database.LAST_PATIENCE_S, None], "who is ended waits seconds; who has finished waits longer"


def test_keys_that_are_taken_are_refused_unless_they_may_be_replaced(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    with _open(dataset):
        pass
    assert choose_key(dataset, _Options()) == "test_2"
    with pytest.raises(
        OptionError, match=r"'test' already\. Choose another run key, delete that run, or use overwrite"
    ):
        choose_key(dataset, _Options(run_key="test"))
    assert choose_key(dataset, _Options(run_key="test", overwrite=True)) == "test"
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=1, run_key="tracking", progress=False)
    with pytest.raises(OptionError, match=r"Choose another run key or delete that run$"):
        choose_key(dataset, _Options(run_key="tracking", overwrite=True))
    with pytest.raises(OptionError, match="run key"):
        _Options(run_key="_hidden")


def test_nothing_is_recorded_where_the_preparation_refuses(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)

    def refuse(key: str) -> None:
        raise OptionError(f"no {key}")

    with pytest.raises(OptionError, match="no test"), _open(dataset, prepare=refuse):
        pass
    assert dataset.list_runs() == []
    assert collection(CLAIMS).find({"_id": Key(dataset._doc.id).below}) == []


def test_two_evaluations_at_once_share_neither_key_nor_fields(tracked: fo.Dataset) -> None:
    at_once, reports = threading.Barrier(2), []

    def evaluate() -> None:
        at_once.wait(60)
        reports.append(pt.evaluate_dataset(tracked, "tracks", "truth", progress=False))

    threads = [threading.Thread(target=evaluate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.run_key for report in reports) == ["eval_tracks", "eval_tracks_2"]
    assert not set(reports[0].fields) & set(reports[1].fields)
    for report in reports:
        assert report.failures == []
        assert tracked.count(f"{report.run_key}_delta_avg") == NUM_CLIPS
        assert pt.load_report(tracked, report.run_key) == report


def test_a_killed_evaluation_is_ended_by_the_next_run(
    tracked: fo.Dataset, start: Callable[..., subprocess.Popen]
) -> None:
    # the journal is written once a second
    process = start(tracked, pause_s=1.1, evaluate={"label_field": "tracks", "gt_field": "truth"})
    lines_until(process, 2)
    process.kill()
    process.wait()
    tracked.reload()
    assert stored_report(tracked, "eval_tracks") is None
    pt.track_dataset(tracked, "others", tracker=DriftTracker(), grid_size=1, progress=False)
    assert stored_report(tracked, "eval_tracks") is not None
    report: Any = pt.load_report(tracked, "eval_tracks")
    assert report.interrupted
    assert report.num_targets == NUM_CLIPS
    assert 1 <= report.num_samples < NUM_CLIPS
    assert report.num_not_run == NUM_CLIPS - report.num_samples
    assert report.totals[0].figures["delta_avg"] == 1.0
    assert collection(OUTCOMES).find({"_id": Key(tracked._doc.id).below}) == []
    assert collection(OWNERS).find({"dataset_id": tracked._doc.id}) == []


@pytest.mark.parametrize("workflow", ["evaluate", "adapt"])
def test_sigterm_ends_every_workflow_in_order(
    tracked: fo.Dataset, start: Callable[..., subprocess.Popen], tmp_path: Path, workflow: str
) -> None:
    job = {"evaluate": {"label_field": "tracks", "gt_field": "truth"}} if workflow == "evaluate" else _adaptation()
    if workflow == "adapt":
        tracked.add_samples(
            [fo.Sample(filepath=str(adaptable.textured_video(tmp_path / f"t{k}.mp4", k))) for k in (7, 8)]
        )
    process = start(tracked, pause_s=0.3 if workflow == "evaluate" else 60.0, **job)
    lines_until(process, 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    tracked.reload()
    (key,) = run_keys(tracked, "point_tracking_evaluation", "point_tracking_adaptation")
    assert stored_report(tracked, key) is not None
    assert collection(OWNERS).find({"dataset_id": tracked._doc.id}) == []
    if workflow == "evaluate":
        report: Any = pt.load_report(tracked, key)
        assert report.cancelled
        assert 1 <= report.num_samples < NUM_CLIPS


def _adaptation() -> dict[str, Any]:
    return {"adapt": {"name": "mine", "steps": 1, "points": 8}}


def test_a_killed_adaptation_is_ended_by_the_next_run(
    tracked: fo.Dataset, start: Callable[..., subprocess.Popen]
) -> None:
    process = start(tracked, pause_s=60.0, **_adaptation())
    lines_until(process, 1)
    process.kill()
    process.wait()
    tracked.reload()
    recover(tracked)
    report: Any = pt.load_report(tracked, "adapt_mine")
    assert report.interrupted
    assert (report.name, report.num_targets) == ("mine", NUM_CLIPS)
    assert stored_report(tracked, "adapt_mine") is not None


def test_two_adaptations_at_once_share_no_key(tracked: fo.Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    from adaptable import TeacherTracker, drifting_start

    from point_tracking.tracker.training.adapting import adaptation

    at_once = threading.Barrier(2)

    def adapt(*_arguments: Any, **_options: Any) -> Any:
        raise ZeroDivisionError("nothing is trained here")

    monkeypatch.setattr(adaptation, "adapt", adapt)

    def start() -> None:
        student = {"tracker": drifting_start(), "teachers": [TeacherTracker()], "own_start": False}
        at_once.wait(60)
        with pytest.raises(ZeroDivisionError):
            pt.adapt_tracker(tracked, "mine", steps=1, points=8, progress=False, **student)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run_keys(tracked, "point_tracking_adaptation")) == ["adapt_mine", "adapt_mine_2"]
    reports: list[Any] = [pt.load_report(tracked, key) for key in ("adapt_mine", "adapt_mine_2")]
    assert [report.reason for report in reports] == ["nothing is trained here"] * 2


def test_an_evaluation_that_loses_its_database_says_so_and_is_over_soon(
    tracked: fo.Dataset, start: Callable[..., subprocess.Popen], tmp_path: Path
) -> None:
    server = OwnServer(tmp_path / "own-database")
    # the driver would look for a server for half a minute
    uri = f"mongodb://127.0.0.1:{server.port}/?serverSelectionTimeoutMS=500"
    env = {"FIFTYONE_DATABASE_URI": uri, "FIFTYONE_DATABASE_NAME": "away"}
    paths = tracked.values("filepath")
    make = (
        "import sys; sys.path.insert(0, sys.argv[1]); import fiftyone as fo, point_tracking as pt\n"
        "from trackers import DriftTracker\n"
        "dataset = fo.Dataset('away', persistent=True)\n"
        "dataset.add_samples([fo.Sample(filepath=path) for path in sys.argv[2:]])\n"
        "for name in ('tracks', 'truth'):\n"
        "    pt.track_dataset(dataset, name, tracker=DriftTracker(), grid_size=2, progress=False)\n"
    )
    try:
        tests = str(Path(__file__).parents[2])
        subprocess.run([sys.executable, "-c", make, tests, *paths], env={**os.environ, **env}, check=True, timeout=120)
        job = {"evaluate": {"label_field": "tracks", "gt_field": "truth"}, "patience_s": 1.0}
        process = start("away", env=env, pause_s=0.5, **job)
        lines_until(process, 1)
        server.kill()
        began = time.monotonic()
        assert process.wait(timeout=60) != 0
        assert time.monotonic() - began < 20, "the report at the end waits for seconds, not for a minute"
        errors = (tmp_path / "stderr-0.txt").read_text()
        assert "The database has not answered" in errors
        assert "DatabaseError" in errors
    finally:
        server.kill()
