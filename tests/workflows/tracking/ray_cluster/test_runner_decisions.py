"""What the runner decides, with a stand-in for Ray: who gets a job, what is redone, and when it gives up.

What a real cluster does: `test_runner`.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from point_tracking.store.database.claims import Busy
from point_tracking.store.runs.outcomes import Outcome
from point_tracking.tracker.errors import DatabaseError, DependencyError, OptionError, VideoError
from point_tracking.workflows.tracking.options import TrackOptions
from point_tracking.workflows.tracking.ray_cluster import runner
from point_tracking.workflows.tracking.ray_cluster.runner import RayQueue
from point_tracking.workflows.tracking.sample_steps import Job, Stopped
from point_tracking.workflows.tracking.targets import Target


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause

    def as_instanceof_cause(self) -> Exception:
        return self.cause


class Call:
    """A call whose answer a test gives."""

    def __init__(self, answer: Any = None, *, ready: bool = False, values: Any = None) -> None:
        self.answer, self.ready, self.values = answer, ready, values

    def give(self, answer: Any) -> None:
        self.answer, self.ready = answer, True


class Actor:
    """A worker that does nothing until a test says so."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.owner_id = job["owner_id"]
        self.calls: list[Call] = []
        self.hello = SimpleNamespace(remote=lambda: Call(True, ready=True))
        self.process = SimpleNamespace(remote=self._process)
        seconds = {"read": 1.0, "decoded": 0.5, "track": 4.0, "waited": 1.0, "write": 2.0}
        self.finish = SimpleNamespace(remote=lambda _grace_s: Call(seconds, ready=True))

    def _process(self, values: dict[str, Any]) -> Call:
        self.calls.append(Call(values=values))
        return self.calls[-1]


class FakeRay:
    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError)

    def __init__(self, **resources: float) -> None:
        self.resources = resources
        self.actors: list[Actor] = []
        self.killed: list[Actor] = []

    def is_initialized(self) -> bool:
        return True

    def cluster_resources(self) -> dict[str, float]:
        return self.resources

    def remote(self, _class: Any) -> Any:
        return SimpleNamespace(options=lambda **_options: SimpleNamespace(remote=self._spawn))

    def _spawn(self, job: dict[str, Any]) -> Actor:
        self.actors.append(Actor(job))
        return self.actors[-1]

    def wait(self, calls: list[Call], *, timeout: float, num_returns: int = 1) -> tuple[list[Call], list[Call]]:
        del timeout
        ready = [call for call in calls if call.ready][:num_returns]
        return ready, [call for call in calls if call not in ready]

    def get(self, call: Call) -> Any:
        if isinstance(call.answer, Exception):
            raise call.answer
        return call.answer

    def kill(self, actor: Actor) -> None:
        self.killed.append(actor)


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of owners whose work was taken back."""
    found: list[str] = []
    monkeypatch.setattr(runner, "settle_dead_owners", lambda _dataset, _owner, watch: [{"_id": watch._owner_id}])
    monkeypatch.setattr(runner, "forget", found.append)
    return found


def _queue(monkeypatch: pytest.MonkeyPatch, ray: FakeRay, **options: Any) -> RayQueue:
    monkeypatch.setattr(runner, "_import_ray", lambda: ray)
    monkeypatch.setattr(runner, "_installed_worker", lambda: SimpleNamespace(TrackWorker=object, DEPTH=2))
    monkeypatch.setattr(runner, "database_environment", dict)
    monkeypatch.setattr(runner, "check_nodes", lambda *_: None)
    dataset: Any = SimpleNamespace(name="d")
    dataset._dataset = dataset
    return RayQueue(dataset, dataset, [], TrackOptions(engine="ray", **options))


def _begun(monkeypatch: pytest.MonkeyPatch, ray: FakeRay, **options: Any) -> RayQueue:
    queue = _queue(monkeypatch, ray, **options)
    nobody: Any = object()
    queue.begin(nobody, nobody, "run")
    return queue


def _job(name: int = 0) -> Job:
    return Job(Target(f"s{name}", f"/here/{name}.mp4"))


def _answer(**facts: Any) -> dict[str, Any]:
    values = {"sample_id": "s0", "filepath": "/there/0.mp4", "status": "done", "warnings": ["w"], **facts}
    return {"outcome": values, "busy": None, "warnings": ["w"]}


@pytest.mark.parametrize(
    ("resources", "options", "number"),
    [
        ({"CPU": 4.0}, {}, 4),
        ({"CPU": 4.0}, {"num_workers": 2}, 2),
        ({"CPU": 2.0}, {"num_workers": 9}, 2),
        ({"CPU": 8.0, "GPU": 1.0}, {"gpus_per_worker": 0.5}, 2),
    ],
)
def test_there_are_as_many_workers_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, resources: dict, options: dict, number: int
) -> None:
    ray = FakeRay(**resources)
    assert _begun(monkeypatch, ray, **options).num_workers == len(ray.actors) == number


@pytest.mark.parametrize(("resources", "gpus"), [({}, 0.0), ({"CPU": 0.0}, 0.0), ({"CPU": 4.0}, 1.0)])
def test_a_cluster_without_room_is_refused(monkeypatch: pytest.MonkeyPatch, resources: dict, gpus: float) -> None:
    with pytest.raises(OptionError, match="no room for a worker"):
        _queue(monkeypatch, FakeRay(**resources), gpus_per_worker=gpus)


def test_jobs_go_to_whoever_has_the_least_to_do_until_all_have_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay(CPU=2.0)
    queue = _begun(monkeypatch, ray, path_map={"/here": "/there"})
    jobs = [_job(k) for k in range(5)]
    assert [queue.submit(job) for job in jobs] == [True] * 4 + [False]
    assert [len(actor.calls) for actor in ray.actors] == [2, 2]
    assert ray.actors[0].calls[0].values["filepath"] == "/there/0.mp4"
    ray.actors[0].calls[0].give(_answer())
    assert queue.next_finished(0) is jobs[0]
    assert jobs[0].state == Outcome("s0", "/here/0.mp4", "done", warnings=("w",)), "the path is the one known here"
    assert jobs[0].warnings == ["w"]
    assert queue.submit(jobs[4])
    ray.actors[1].calls[0].give({"outcome": None, "busy": {"owner_id": "o", "run_key": "r"}, "warnings": []})
    assert queue.next_finished(0) is jobs[1]
    assert jobs[1].state == Busy("o", "r")
    assert queue.next_finished(0) is None


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(VideoError("the database is away"), DatabaseError), (ZeroDivisionError("0"), ZeroDivisionError)],
)
def test_an_error_of_a_worker_ends_the_run(monkeypatch: pytest.MonkeyPatch, cause: Exception, kind: type) -> None:
    ray = FakeRay(CPU=1.0)
    queue, job = _begun(monkeypatch, ray), _job()
    assert queue.submit(job)
    ray.actors[0].calls[0].give(RayTaskError(cause))
    assert queue.next_finished(0) is job
    assert isinstance(job.state, Stopped)
    assert type(job.state.error) is kind
    assert str(job.state.error) == str(cause)


def test_samples_of_a_dead_worker_are_redone_by_its_successor_and_its_work_is_taken_back(
    monkeypatch: pytest.MonkeyPatch, settled: list[str]
) -> None:
    ray = FakeRay(CPU=1.0)
    queue, jobs = _begun(monkeypatch, ray), [_job(0), _job(1)]
    assert all(queue.submit(job) for job in jobs)
    for call in ray.actors[0].calls:
        call.give(RayError("node died"))
    assert [queue.next_finished(0) for _ in range(3)] == [None] * 3
    assert settled == [ray.actors[0].owner_id], "once for the worker, not for each of its samples"
    successor = ray.actors[1]
    assert sorted(call.values["sample_id"] for call in successor.calls) == ["s0", "s1"]
    successor.calls[0].give(_answer())
    assert isinstance(getattr(queue.next_finished(0), "state", None), Outcome)


def test_a_sample_that_every_worker_dies_of_fails_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, settled: list[str]
) -> None:
    ray = FakeRay(CPU=1.0)
    queue, job = _begun(monkeypatch, ray), _job()
    assert queue.submit(job)
    found = None
    for _ in range(20):
        if found is not None:
            break
        ray.actors[-1].calls[-1].give(RayError("out of memory\nmore")) if ray.actors[-1].calls else None
        found = queue.next_finished(0)
    assert found is job
    assert isinstance(job.state, Outcome)
    assert (job.state.status, job.state.kind) == ("failed", "RayError")
    assert job.state.message == "3 workers died while they had this sample, the last with: out of memory"
    assert len(settled) == 3


def test_workers_that_keep_dying_end_the_run_in_words(monkeypatch: pytest.MonkeyPatch, settled: list[str]) -> None:
    ray = FakeRay(CPU=1.0)
    queue = _begun(monkeypatch, ray)

    def go_on() -> None:
        for number in range(100):
            queue.submit(_job(number))
            for call in ray.actors[-1].calls:
                call.give(RayError("gone"))
            queue.next_finished(0)

    with pytest.raises(DependencyError, match="Workers keep dying; run again with skip_existing=True"):
        go_on()
    assert len(settled) <= 5


def test_no_worker_for_long_ends_the_run_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay(CPU=1.0)
    queue = _queue(monkeypatch, ray)
    monkeypatch.setattr(runner, "_START_TIMEOUT_S", -1.0)
    with pytest.raises(OptionError, match=r"No worker started within .*skip_existing=True"):
        queue.next_finished(0)


def test_at_the_end_workers_finish_are_counted_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeRay(CPU=2.0)
    queue = _begun(monkeypatch, ray)
    assert queue.close(grace_s=1)
    assert ray.killed == ray.actors
    assert queue.busy_s == {"read": 3.0, "track": 6.0, "write": 4.0}
    assert queue.next_finished(0) is None
