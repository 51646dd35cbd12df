"""Work in stages: order, room, dead threads, and the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from point_tracking.workflows.tracking.stages import Stage, StageQueue


class Item:
    """A job that knows where it was."""

    def __init__(self, name: int = 0) -> None:
        self.name = name
        self.seen: list[str] = []


@contextmanager
def _queue(*stages: Stage[Item], died: list[tuple[Item, BaseException | None]] | None = None) -> Iterator[StageQueue]:
    deaths = [] if died is None else died
    queue: StageQueue[Item] = StageQueue(stages, lambda job, error: deaths.append((job, error)))
    yield queue
    assert queue.close(grace_s=20)


def _sees(name: str, goes_on: bool = True):
    def work(job: Item) -> bool:
        job.seen.append(name)
        return goes_on

    return work


def _next(queue: StageQueue[Item]) -> Item:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        job = queue.next_finished(0.05)
        if job is not None:
            return job
    raise AssertionError("nothing came out")


def test_jobs_go_through_all_stages_in_order() -> None:
    with _queue(Stage("a", _sees("a"), waiting=5), Stage("b", _sees("b")), Stage("c", _sees("c"))) as queue:
        jobs = [Item(k) for k in range(5)]
        assert all(queue.submit(job) for job in jobs)
        assert [_next(queue) for _ in jobs] == jobs
        assert all(job.seen == ["a", "b", "c"] for job in jobs)
        assert set(queue.busy_s) == {"a", "b", "c"}
        assert queue.next_finished(0) is None


def test_a_job_that_is_decided_skips_the_rest() -> None:
    with _queue(Stage("a", _sees("a", goes_on=False)), Stage("b", _sees("b"))) as queue:
        queue.submit(Item())
        assert _next(queue).seen == ["a"]


def test_where_there_is_no_room_nothing_is_taken() -> None:
    go_on = threading.Event()
    started = threading.Event()

    def wait(_job: Item) -> bool:
        started.set()
        return go_on.wait(20)

    with _queue(Stage("a", wait, waiting=1)) as queue:
        assert queue.submit(Item(0))
        assert started.wait(20)
        assert queue.submit(Item(1))
        assert not queue.submit(Item(2))
        go_on.set()
        assert [_next(queue).name for _ in range(2)] == [0, 1]


def test_a_thread_that_dies_costs_its_job_and_is_replaced() -> None:
    def work(job: Item) -> bool:
        if job.name == 1:
            raise MemoryError("gone")
        return True

    died: list[tuple[Item, BaseException | None]] = []
    with _queue(Stage("a", work, waiting=3), died=died) as queue:
        for k in range(3):
            assert queue.submit(Item(k))
        assert sorted(_next(queue).name for _ in range(3)) == [0, 1, 2]
        ((job, error),) = died
        assert (job.name, str(error)) == (1, "gone")


def test_what_passed_the_first_stages_still_leaves_at_the_end() -> None:
    queue: StageQueue[Item] = StageQueue(
        [Stage("a", _sees("a"), waiting=3), Stage("b", lambda job: time.sleep(0.02) or _sees("b")(job))],
        lambda _job, _error: None,
    )
    for k in range(3):
        assert queue.submit(Item(k))
    assert queue.close(grace_s=20)
    assert [_next(queue).seen for _ in range(3)] == [["a", "b"]] * 3


def test_a_stage_that_does_not_end_is_not_waited_for() -> None:
    go_on = threading.Event()
    queue: StageQueue[Item] = StageQueue([Stage("a", lambda _job: go_on.wait(20))], lambda _job, _error: None)
    queue.submit(Item())
    assert not queue.close(grace_s=0.05)
    go_on.set()
