"""What may be wrong with a dataset, or change while a run is going on, and what the run leaves behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from own_server import OwnServer
from pymongo import MongoClient
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database import liveness as owners
from point_tracking.store.database.claims import Claims
from point_tracking.store.database.connection import with_retries, write_permission
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.liveness import Owner
from point_tracking.tracker.errors import DatabaseError, FieldError
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.tracking import scheduler as conductor

from ..lifecycle.test_recovery import leftovers

MakeDataset = Callable[..., fo.Dataset]
NUM_CLIPS = 8


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [media.video(tmp_path / f"{k}.mp4", num_frames=6 + k, size=(64, 48)) for k in range(NUM_CLIPS)]


def test_samples_come_and_go_during_a_run(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:5])
    ids = dataset.values("id")
    tracker = DriftTracker()

    def change(frame: int) -> None:
        if tracker.clips == 1 and frame == 0:
            dataset.delete_samples([ids[3], ids[4]])
            dataset.add_sample(fo.Sample(filepath=str(clips[5])))

    tracker._on_frame = change
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "done", "done", "failed", "failed"]
    assert all("no longer in the dataset" in f.message for f in report.failures)
    assert dataset.values("tracks_info.state") == ["done", "done", "done", None]
    assert {str(i) for i in dataset._frame_collection.distinct("_sample_id")} == set(ids[:3])
    assert not leftovers(dataset)


def test_a_field_deleted_during_a_run_ends_in_words(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:5])
    tracker = DriftTracker()
    deleted = threading.Event()

    def delete(_: int) -> None:
        if tracker.clips == 4 and not deleted.is_set():
            deleted.set()
            dataset.delete_frame_field("tracks")

    tracker._on_frame = delete
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert any("'tracks' was deleted" in f.message for f in report.failures) or report.failures == []
    # whatever was told, what is there can be read
    dataset.reload()
    for sample in dataset.view():
        assert sample.frames is not None
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, overwrite=True)
    assert again.failures == []


def test_a_view_of_what_is_not_tracked_yet_is_run_whole(make_dataset: MakeDataset, clips: list[Path]) -> None:
    dataset = make_dataset(*clips[:4])
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2)
    view = dataset.match(fo.ViewField("tracks_info.state") != "done")
    report = pt.track_dataset(view, tracker=DriftTracker(), grid_size=2)
    assert [o.status for o in report.outcomes] == ["done"] * 3
    assert dataset.values("tracks_info.state") == ["done"] * 4
    assert len(view) == 0


def test_thousands_of_missing_files_are_failures(make_dataset: MakeDataset, clips: list[Path], tmp_path: Path) -> None:
    dataset = make_dataset(*(tmp_path / f"missing-{k}.mp4" for k in range(2000)), clips[0])
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    assert (len(report.failures), report.num_samples) == (2000, 1)
    assert {f.kind for f in report.failures} == {"VideoNotFoundError"}
    assert load_report(dataset, report.run_key) == report


def test_only_what_failed_is_run_again(make_dataset: MakeDataset, clips: list[Path], tmp_path: Path) -> None:
    late = tmp_path / "late.mp4"
    dataset = make_dataset(clips[0], late, clips[1], tmp_path / "never.mp4")
    first = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2)
    assert [row["status"] for row in first.rows()] == ["done", "failed", "done", "failed"]
    assert [row["kind"] for row in first.rows("failed")] == ["VideoNotFoundError"] * 2
    assert first.table("failed").count("\n") == 3
    assert "late.mp4" in first.table("failed")
    media.video(late, 5)
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, only_failed_of=first.run_key)
    assert [(Path(o.filepath).name, o.status) for o in again.outcomes] == [
        ("late.mp4", "done"),
        ("never.mp4", "failed"),
    ]
    with pytest.raises(pt.PointTrackingError, match="no point tracking run"):
        pt.track_dataset(dataset, tracker=DriftTracker(), only_failed_of="nothing")


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


def test_a_clock_that_goes_backwards_changes_nothing(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(*clips[:4])
    now = [2_000_000_000.0]

    def earlier() -> float:
        now[0] -= 3600.0
        return now[0]

    monkeypatch.setattr(time, "time", earlier)
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    assert [o.status for o in report.outcomes] == ["done"] * 4
    assert 0 < report.seconds < 60
    again = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, skip_existing=True, progress=False)
    assert again.num_skipped == 4
    assert not leftovers(dataset)


def test_a_database_user_who_may_only_read_is_told_so_in_words(tmp_path: Path) -> None:
    server = OwnServer(tmp_path / "own-database", "--auth")
    try:
        first: Any = MongoClient("127.0.0.1", server.port)
        first.admin.command("createUser", "admin", pwd="x", roles=["root"])
        admin: Any = MongoClient("127.0.0.1", server.port, username="admin", password="x")
        admin.admin.command("createUser", "reader", pwd="x", roles=["readAnyDatabase"])
        reader: Any = MongoClient("127.0.0.1", server.port, username="reader", password="x")
        with pytest.raises(DatabaseError, match="does not let this user write"), write_permission():
            with_retries(lambda: reader.kept.samples.insert_one({}))
    finally:
        server.kill()


@pytest.mark.parametrize("name", ["frames.tracks", "tracks_info"])
def test_a_read_only_field_is_refused_before_anything_is_tracked(
    make_dataset: MakeDataset, clips: list[Path], name: str
) -> None:
    dataset = make_dataset(*clips[:2])
    pt.track_dataset(dataset.limit(1), tracker=DriftTracker(), grid_size=2)
    field = dataset.get_field(name)
    field.read_only = True
    field.save()
    tracker = DriftTracker()
    with pytest.raises(FieldError, match="read-only"):
        pt.track_dataset(dataset, tracker=tracker, grid_size=2, skip_existing=True)
    assert tracker.clips == 0


@pytest.mark.parametrize("wait", [False, True])
def test_a_sample_that_another_run_holds_is_left_to_it_or_waited_for(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch, wait: bool
) -> None:
    monkeypatch.setattr(owners, "BEAT_S", 0.1)
    monkeypatch.setattr(conductor, "BEAT_S", 0.1)
    dataset = make_dataset(*clips[:3])
    held = dataset.values("id")[0]
    with Owner(dataset, "other_run") as owner:
        other = Claims(FrameStore(dataset, "tracks"), owner)
        assert other.take(held) is None
        release = threading.Timer(1.0, lambda: other.release(held))
        release.start()
        report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, wait_for_others=wait)
        release.join()
    assert [o.status for o in report.outcomes] == ["done" if wait else "skipped", "done", "done"]
    if not wait:
        assert report.outcomes[0].warnings == ("the run 'other_run' is at this sample",)
    assert not leftovers(dataset)
