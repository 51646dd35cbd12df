"""Samples on their way through a run: threads that die, clips that do not end, samples that others hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import fiftyone as fo
import pytest
from run_states import leftovers, state_of, undisturbed, without_ids
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database import liveness as owners
from point_tracking.store.database.claims import Busy, Claims
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner
from point_tracking.tracker.errors import Cancelled, DatabaseError
from point_tracking.workflows.lifecycle.progress import ProgressReporter
from point_tracking.workflows.tracking import scheduler as conductor
from point_tracking.workflows.tracking.sample_steps import Job, Stopped
from point_tracking.workflows.tracking.targets import Target

NUM_CLIPS = 8  # of the fixture `clips`

MakeDataset = Callable[..., fo.Dataset]


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

    expected = undisturbed(clips, make_dataset, grid_size=2)
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
    frames, samples = without_ids(state_of(dataset))
    for sample in samples:
        del sample["other_info"]
    assert samples == expected[1]
    assert [{k: v for k, v in frame.items() if k != "other"} for frame in frames] == expected[0]
    assert [frame["other"] for frame in frames] == [frame["tracks"] for frame in frames]
    assert not leftovers(dataset)


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


class FakeQueue:
    """A `JobQueue` that decides about jobs as it is told, without any thread."""

    num_workers = 2

    def __init__(self, decide: Callable[[Job], Any], room: int = 2, ends: bool = True) -> None:
        self.busy_s = {"read": 1.0, "track": 3.0, "write": 0.5}
        self.waiting: list[Job] = []
        self.most = 0
        self._decide, self._room, self._ends = decide, room, ends
        self.closing = False

    def begin(self, *_: Any) -> None:
        raise AssertionError("it was begun already")

    def submit(self, job: Job) -> bool:
        if len(self.waiting) >= self._room:
            return False
        self.waiting.append(job)
        self.most = max(self.most, len(self.waiting))
        return True

    def next_finished(self, timeout_s: float) -> Job | None:
        del timeout_s
        if not self.waiting:
            return None
        job = self.waiting.pop(0)
        job.share = 0.5
        job.move_to(self._decide(job))
        return job

    def close(self, *, grace_s: float) -> bool:
        del grace_s
        return self._ends

    def shut_down(self) -> None:
        raise AssertionError("whoever made it ends it")


class FakeClaims:
    """Claims of samples that somebody else holds for a while."""

    def __init__(self, holders: list[str | None], dead: bool | None = False) -> None:
        self._holders, self._dead = holders, dead
        self.released = False
        self.watch = self

    def holder(self, _sample_id: str) -> str | None:
        return self._holders.pop(0) if len(self._holders) > 1 else self._holders[0]

    def is_dead(self, _owner_id: str) -> bool | None:
        return self._dead

    def release_all(self) -> None:
        self.released = True


class FakeSteps:
    decoded_s, waited_s = 0.25, 0.5

    def __init__(self, claims: Any = None, *, wait: bool = False, cancelled: Callable[[], bool] | None = None) -> None:
        self.claims, self.cancelled = claims or FakeClaims([None]), cancelled
        self.options = SimpleNamespace(wait_for_others=wait)
        self.calls: list[str] = []

    def stop(self) -> None:
        self.calls.append("stop")

    def abandon(self) -> None:
        self.calls.append("abandon")


class FakeJournal:
    def __init__(self, error: Exception | None = None) -> None:
        self.added: list[str] = []
        self._error = error

    def add(self, outcome: dict[str, Any]) -> None:
        self.added.append(outcome["sample_id"])

    def flush(self, *, patience_s: float) -> None:
        assert patience_s < 5
        if self._error is not None:
            raise self._error


def _done(job: Job) -> Any:
    return job.target.outcome("done")


def _scheduler(
    queue: FakeQueue, steps: FakeSteps, journal: FakeJournal | None = None, number: int = 5, told: Any = None
) -> Any:
    targets = (Target(f"s{k}", f"/{k}.mp4") for k in range(number))
    reporter: Any = ProgressReporter(told if told is not None else (lambda _: None), number)
    parts: Any = (targets, steps, journal or FakeJournal(), reporter, queue)
    return conductor.Scheduler(*parts)


def test_every_sample_is_taken_through_as_room_comes() -> None:
    queue, journal, told = FakeQueue(_done), FakeJournal(), []
    scheduler = _scheduler(queue, FakeSteps(), journal, told=told.append)
    assert scheduler.run()
    assert list(scheduler.outcomes) == journal.added == [f"s{k}" for k in range(5)]
    assert queue.most == 2, "targets are made as there is room"
    assert told[-1].progress == 1.0
    assert told[-1].message == "4.mp4: done"


def test_what_must_end_the_run_is_raised_and_a_cancellation_is_told() -> None:
    error = DatabaseError("away")
    scheduler = _scheduler(FakeQueue(lambda _: Stopped(error)), FakeSteps())
    with pytest.raises(DatabaseError, match="away"):
        scheduler.run()
    assert not _scheduler(FakeQueue(lambda _: Stopped(Cancelled("stop"))), FakeSteps()).run()
    scheduler = _scheduler(FakeQueue(_done), FakeSteps(cancelled=lambda: len(scheduler.outcomes) == 2))
    assert not scheduler.run()
    assert len(scheduler.outcomes) == 2
    with pytest.raises(TypeError, match="undecided"):
        _scheduler(FakeQueue(lambda _: None), FakeSteps()).run()


def _busy_at_first(job: Job, seen: list[str]) -> Any:
    seen.append(job.target.sample_id)
    return Busy("other", "their_run") if seen.count("s0") == 1 and job.target.sample_id == "s0" else _done(job)


@pytest.mark.parametrize(
    ("holders", "dead", "wait", "status"),
    [
        ([None], False, False, "done"),  # was let go meanwhile
        (["other"], True, False, "done"),  # its run died
        (["other"], False, False, "skipped"),  # its run lives: the sample is left to it
        (["other", "other", None], False, True, "done"),  # or waited for
        (["other", "other", None], None, False, "done"),  # as long as it is not known whether it lives
    ],
)
def test_a_sample_that_another_holds_comes_back_or_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, holders: list[str | None], dead: bool | None, wait: bool, status: str
) -> None:
    monkeypatch.setattr(conductor, "BEAT_S", 0.0)
    seen: list[str] = []
    queue = FakeQueue(lambda job: _busy_at_first(job, seen))
    scheduler = _scheduler(queue, FakeSteps(FakeClaims(holders, dead), wait=wait), number=2)
    assert scheduler.run()
    assert {key: outcome.status for key, outcome in scheduler.outcomes.items()} == {"s0": status, "s1": "done"}
    if status == "skipped":
        assert scheduler.outcomes["s0"].warnings == ("the run 'their_run' is at this sample",)


def test_at_the_end_what_was_written_is_kept_and_all_else_is_let_go() -> None:
    steps = FakeSteps()
    scheduler = _scheduler(FakeQueue(_done), steps)
    scheduler._feed()
    assert scheduler.close()
    assert list(scheduler.outcomes) == ["s0", "s1"]
    assert (steps.calls, steps.claims.released) == (["stop"], True)
    assert scheduler.stages()["read"]["seconds"] == 1.25
    assert scheduler.stages()["track"]["seconds"] == 2.5
    assert all(0 <= stage["utilisation"] <= 1 for stage in scheduler.stages().values())


def test_what_does_not_end_stays_claimed_until_its_process_is_dead() -> None:
    steps = FakeSteps()
    scheduler = _scheduler(FakeQueue(_done, ends=False), steps)
    assert not scheduler.close()
    assert (steps.calls, steps.claims.released) == (["stop", "abandon"], False)
    steps = FakeSteps()
    assert not _scheduler(FakeQueue(_done), steps, FakeJournal(DatabaseError("away"))).close()
    assert not steps.claims.released
