"""Runs that are killed, ended, or lose their database, in processes of their own, and the runs after them."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import pytest
from killable import lines_until, start_run
from own_server import OwnServer
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database.keys import Key
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.lifecycle.recovery import recover
from point_tracking.workflows.tracking import scheduler as conductor

from .test_recovery import leftovers, state_of

MakeDataset = Callable[..., fo.Dataset]
NUM_CLIPS = 8


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    return [media.video(tmp_path / f"{k}.mp4", num_frames=6 + k, size=(64, 48)) for k in range(NUM_CLIPS)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    with start_run(tmp_path) as begin:
        yield begin


def _undisturbed(clips: list[Path], make_dataset: MakeDataset, **options: Any) -> tuple[list[Any], list[Any]]:
    dataset = make_dataset(*clips)
    pt.track_dataset(dataset, tracker=DriftTracker(), progress=False, **options)
    return _without_ids(state_of(dataset))


def _without_ids(state: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
    frames = [{k: v for k, v in frame.items() if k not in ("_sample_id", "_dataset_id")} for frame in state[0]]
    for sample in state[1]:
        sample.get("tracks_info", {}).pop("run_key", None)
    return frames, state[1]


def test_killed_five_times_and_continued_it_ends_like_an_undisturbed_run(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    expected = _undisturbed(clips, make_dataset, grid_size=3)
    dataset = make_dataset(*clips)
    rng = random.Random(5)
    killed = []
    for attempt in range(5):
        process = start(dataset, pause_s=0.02, options={"grid_size": 3, "skip_existing": True})
        # from its first moment to about one sample further
        time.sleep(rng.uniform(0.02, 0.45))
        process.kill()
        process.wait()
        dataset.reload()
        done = dataset.values("tracks_info.state").count("done") if dataset.has_sample_field("tracks_info") else 0
        killed.append(done)
        del attempt
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, skip_existing=True)
    assert report.failures == []
    assert report.num_samples + report.num_skipped == NUM_CLIPS
    assert killed == sorted(killed)
    assert _without_ids(state_of(dataset)) == expected
    assert not leftovers(dataset)
    reports: list[Any] = [load_report(dataset, key) for key in dataset.list_runs()]
    assert sum(r.num_samples for r in reports) == NUM_CLIPS
    assert all(r.interrupted for r in reports[:-1])
    by_run = dataset.count_values("tracks_info.run_key")
    assert by_run == {r.run_key: r.num_samples for r in reports if r.num_samples}


def test_old_tracks_outlive_a_run_that_was_killed_while_replacing_them(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    expected = _undisturbed(clips, make_dataset, grid_size=3)
    dataset = make_dataset(*clips)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    process = start(dataset, pause_s=0.02, options={"grid_size": 3, "overwrite": True})
    lines_until(process, 3)
    process.kill()
    process.wait()
    recover(dataset)
    # every sample has all of its old tracks or all of its new ones, before any is tracked again
    for sample in dataset.view():
        tracks = pt.read_tracks(sample, "tracks")
        assert tracks.num_points in (4, 9)
        assert tracks.visible[0].all()
    found: Any = load_report(dataset, "track_tracks_2")
    assert found.interrupted
    assert found.num_samples >= 3
    assert found.num_not_run == NUM_CLIPS - found.num_samples
    assert "interrupted" in str(found)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, overwrite=True, progress=False)
    assert _without_ids(state_of(dataset)) == expected
    assert not leftovers(dataset)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_in_order(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen], number: signal.Signals
) -> None:
    dataset = make_dataset(*clips)
    process = start(dataset, pause_s=0.05, options={"grid_size": 2})
    lines_until(process, 2)
    process.send_signal(number)
    assert process.wait(timeout=10) == (128 + number if number == signal.SIGTERM else -number)
    assert not leftovers(dataset)
    dataset.reload()
    report: Any = load_report(dataset, "track_tracks")
    assert (report.cancelled, report.interrupted) == (True, False)
    states = dataset.values("tracks_info.state")
    assert [o.status for o in report.outcomes] == ["done" if s == "done" else "not run" for s in states]
    assert 2 <= states.count("done") < NUM_CLIPS


def test_the_database_is_away_for_a_while_twice(
    tmp_path: Path, clips: list[Path], make_dataset: MakeDataset, start: Callable[..., subprocess.Popen]
) -> None:
    expected = make_dataset(*clips)
    pt.track_dataset(expected, tracker=DriftTracker(), grid_size=2)
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"paths": [str(path) for path in clips], "pause_s": 0.03, "options": {"grid_size": 2}}
        process = start("away", env=env, **job)
        lines_until(process, 2)
        server.kill()
        time.sleep(5)
        server.start()
        lines_until(process, 4)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(5)
        server.process.send_signal(signal.SIGCONT)
        assert process.stdout is not None
        written = process.stdout.read()
        assert process.wait(timeout=60) == 0, (tmp_path / "stderr-0.txt").read_text()
        result = json.loads(written.splitlines()[-1])
        assert [(o["status"], o["message"]) for o in result["outcomes"]] == [("done", None)] * NUM_CLIPS
        assert result["keypoints"] == expected.count("frames.tracks.keypoints")
    finally:
        server.process.send_signal(signal.SIGCONT)
        server.kill()


def test_the_call_that_lost_its_database_can_be_made_again_in_the_same_process(
    tmp_path: Path, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"paths": [str(path) for path in clips], "pause_s": 0.03, "patience_s": 3.0, "beat_s": 0.4}
        process = start("away", env=env, **job, options={"grid_size": 2, "skip_existing": True})
        lines_until(process, 2)
        server.kill()
        assert process.stdin is not None
        assert process.stdout is not None
        assert any(line.startswith("-1") for line in process.stdout)
        server.start()
        process.stdin.write("go on\n")
        process.stdin.flush()
        result = json.loads(process.stdout.read().splitlines()[-1])
        # what the first call had claimed is taken over once its counter has stood still, not left to it
        outcomes = [(o["status"], o["warnings"]) for o in result["outcomes"]]
        assert {status for status, _ in outcomes} <= {"done", "skipped"}
        assert [warnings for _, warnings in outcomes] == [[]] * NUM_CLIPS
        # two of the four points drift out of the frame after the first
        assert result["keypoints"] == sum(2 * (6 + k) + 2 for k in range(NUM_CLIPS))
    finally:
        server.kill()


def test_a_database_that_stays_away_is_said_in_words() -> None:
    from pymongo import MongoClient
    from pymongo.errors import ConfigurationError

    client: MongoClient = MongoClient("mongodb://127.0.0.1:9", serverSelectionTimeoutMS=50)
    started = time.monotonic()
    with pytest.raises(pt.PointTrackingError, match=r"not answered for .*skip_existing=True"):
        database.with_retries(lambda: client.x.y.find_one(), patience_s=1.0)
    assert time.monotonic() - started < 20

    def refuse() -> None:
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError):
        database.with_retries(refuse)


def test_what_a_tracker_hands_in_after_the_run_ended_is_not_written(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conductor, "_GRACE_S", 0.2)
    dataset = make_dataset(*clips[:2])
    inside, go_on = threading.Event(), threading.Event()

    class Deaf(DriftTracker):
        """Spends all its time in one call that nothing can end."""

        def _track(self, source: Any, queries: pt.Queries, backward: bool, hooks: Any) -> pt.Tracks:
            inside.set()
            assert go_on.wait(60)
            xy = queries.xy[None].repeat(6, axis=0)
            return pt.Tracks(xy=xy, visible=xy[..., 0] >= 0, confidence=xy[..., 0] * 0)

    report = pt.track_dataset(dataset, tracker=Deaf(), grid_size=2, cancelled=inside.is_set, progress=False)
    assert (report.cancelled, report.num_not_run) == (True, 2)
    go_on.set()
    claims = database.collection(database.CLAIMS)
    deadline = time.monotonic() + 30
    while claims.plain.count_documents({"_id": Key(dataset._doc.id).below}) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert claims.plain.count_documents({"_id": Key(dataset._doc.id).below}) == 0
    assert dataset._frame_collection.count_documents({}) == 0
    assert dataset._sample_collection.count_documents({"tracks_info": {"$exists": True}}) == 0


def test_one_clip_that_runs_out_of_memory_or_kills_its_thread_fails_alone(
    make_dataset: MakeDataset, clips: list[Path]
) -> None:
    dataset = make_dataset(*clips[:4])
    tracker = DriftTracker()
    errors = {2: MemoryError("12 GiB"), 3: SystemExit(3)}

    def explode(_: int) -> None:
        if tracker.clips in errors:
            raise errors[tracker.clips]

    tracker._on_frame = explode
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "failed", "failed", "done"]
    assert [(f.kind, f.message) for f in report.failures] == [("MemoryError", "12 GiB"), ("SystemExit", "3")]
    assert not leftovers(dataset)


@pytest.mark.parametrize("stage", ["read", "track", "write"])
def test_a_thread_that_dies_costs_one_sample(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    from point_tracking.workflows.tracking.sample_steps import SampleSteps

    dataset = make_dataset(*clips[:4])
    victim = dataset.values("id")[1]
    real = getattr(SampleSteps, stage)

    def die(work: SampleSteps, job: Any) -> bool:
        if job.target.sample_id == victim:
            raise RuntimeError("the thread is gone")
        return real(work, job)

    monkeypatch.setattr(SampleSteps, stage, die)
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2)
    assert [o.status for o in report.outcomes] == ["done", "failed", "done", "done"]
    assert report.failures[0].message == "the thread is gone"
    assert not leftovers(dataset)


def test_two_runs_at_once_share_the_work_and_write_nothing_twice(
    make_dataset: MakeDataset, clips: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    from point_tracking.workflows.tracking import sample_steps as sample_work

    expected = _undisturbed(clips, make_dataset, grid_size=2)
    dataset = make_dataset(*clips)
    written: list[str] = []
    real = sample_work.store_tracks

    def store(dataset: fo.Dataset, sample_id: str, *arguments: Any, **options: Any) -> int:
        written.append(sample_id)
        return real(dataset, sample_id, *arguments, **options)

    monkeypatch.setattr(sample_work, "store_tracks", store)
    reports: dict[str, Any] = {}
    barrier = threading.Barrier(3)

    def work(name: str, label_field: str) -> None:
        tracker = DriftTracker(on_frame=lambda _: time.sleep(0.01))
        barrier.wait()
        reports[name] = pt.track_dataset(
            dataset, label_field, tracker=tracker, grid_size=2, skip_existing=True, run_key=name, progress=False
        )

    threads = [
        threading.Thread(target=work, args=arguments)
        for arguments in (("one", "tracks"), ("two", "tracks"), ("other", "other"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    one, two = reports["one"], reports["two"]
    assert one.num_samples + two.num_samples == NUM_CLIPS
    assert one.num_skipped + two.num_skipped == NUM_CLIPS
    assert one.failures == two.failures == []
    assert reports["other"].num_samples == NUM_CLIPS
    assert sorted(written) == sorted(dataset.values("id") * 2)
    frames, samples = _without_ids(state_of(dataset))
    for sample in samples:
        del sample["other_info"]
    assert samples == expected[1]
    assert [{k: v for k, v in frame.items() if k != "other"} for frame in frames] == expected[0]
    assert [frame["other"] for frame in frames] == [frame["tracks"] for frame in frames]
    assert not leftovers(dataset)


def test_a_killed_preprocessing_run_is_continued_and_leaves_no_files(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen]
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    dataset = make_dataset(*(media.video(tmp_path / "sources" / f"{k}.mp4", 150, size=(320, 240)) for k in range(4)))
    process = start(
        dataset, preprocess={"output_dir": str(out), "preset": "veryslow", "every_nth": 1, "num_workers": 1}
    )
    deadline = time.monotonic() + 30
    while not (out.exists() and list(out.glob("*.mp4")) and list(out.glob(".*.part"))) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.wait()
    assert list(out.glob(".*.part"))
    found: Any = load_report(dataset, "preprocess")
    assert found.interrupted
    report = pt.preprocess_dataset(dataset, out, preset="veryslow", every_nth=1, progress=False)
    assert report.failures == []
    assert report.num_reused >= 1
    assert sorted(path.name for path in out.iterdir()) == sorted(
        Path(p).name for p in report.dataset.values("filepath")
    )
    assert report.dataset.values("source_video.num_frames") == [150] * 4
    assert not leftovers(dataset)
    report.dataset.delete()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_preprocessing_in_order(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen], number: signal.Signals
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    dataset = make_dataset(*(media.video(tmp_path / "sources" / f"{k}.mp4", 150, size=(320, 240)) for k in range(4)))
    job = {"output_dir": str(out), "preset": "veryslow", "every_nth": 1, "num_workers": 1}
    process = start(dataset, preprocess=job)
    deadline = time.monotonic() + 30
    while not list(out.glob("*.mp4")) and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    assert process.wait(timeout=10) == (128 + number if number == signal.SIGTERM else -number)
    assert not leftovers(dataset)
    assert not list(out.glob(".*"))
    dataset.reload()
    found: Any = load_report(dataset, "preprocess")
    assert (found.cancelled, found.interrupted) == (True, False)
    assert 1 <= found.num_samples < 4
    # finished copies are in the dataset, whatever ended the run
    assert sorted(found.dataset.values("filepath")) == sorted(str(path) for path in out.glob("*.mp4"))
    assert len(found.dataset) == found.num_samples
    found.dataset.delete()


def test_the_database_is_away_while_preprocessing(
    tmp_path: Path, make_dataset: MakeDataset, start: Callable[..., subprocess.Popen]
) -> None:
    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    paths = [media.video(tmp_path / "sources" / f"{k}.mp4", 60, size=(160, 120)) for k in range(6)]
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        job = {"output_dir": str(out), "preset": "veryslow", "every_nth": 2, "num_workers": 1}
        process = start("away", env=env, paths=[str(path) for path in paths], preprocess=job)
        deadline = time.monotonic() + 30
        while not list(out.glob("*.mp4")) and time.monotonic() < deadline:
            time.sleep(0.005)
        server.kill()
        time.sleep(4)
        server.start()
        assert process.stdout is not None
        written = process.stdout.read()
        assert process.wait(timeout=60) == 0, (tmp_path / "stderr-0.txt").read_text()
        result = json.loads(written.splitlines()[-1])
        assert [(o["status"], o["message"]) for o in result["outcomes"]] == [("done", None)] * 6
        assert result["frames"] == [30] * 6
        assert len(list(out.iterdir())) == 6
    finally:
        server.kill()


def test_a_full_disk_fails_the_copy_and_leaves_nothing(
    make_dataset: MakeDataset, tmp_path: Path, start: Callable[..., subprocess.Popen]
) -> None:
    import resource

    (tmp_path / "sources").mkdir()
    out = tmp_path / "out"
    clips = [media.video(tmp_path / "sources" / f"{k}.mp4", n, size=(320, 240)) for k, n in enumerate((100, 4))]
    dataset = make_dataset(*clips)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # what a full disk does to a write, a limit on the size of files does too
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        report = pt.preprocess_dataset(dataset, out, every_nth=1, longest_side=None, crf=1, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert [o.status for o in report.outcomes] == ["failed", "done"]
    assert report.failures[0].kind == "OutputError"
    assert [path.name for path in out.iterdir()] == [Path(report.dataset.first().filepath).name]
    report.dataset.delete()
