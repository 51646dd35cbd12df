"""Work in stages: each in threads of its own, with short queues in between, so that the slowest sets the speed.

A stage is a function that takes a job on by one step. What goes wrong inside is the
job's own affair; a thread that dies all the same costs its job and is replaced.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

J = TypeVar("J")
_POLL_S = 0.1


@dataclass(frozen=True)
class Stage(Generic[J]):
    """One step of the work.

    Args:
        name: as reports call it
        work: takes a job on; returns whether the job goes on to the next stage
        threads: how many jobs are in this stage at a time
        waiting: how many jobs may wait in front of it
    """

    name: str
    work: Callable[[J], bool]
    threads: int = 1
    waiting: int = 1


class StageQueue(Generic[J]):
    """Jobs on their way through stages, in threads of this process.

    Args:
        stages: in order
        died: called with the job of a thread that died
    """

    num_workers = 1

    def __init__(self, stages: Sequence[Stage[J]], died: Callable[[J, BaseException | None], None]) -> None:
        self._stages = list(stages)
        self._died = died
        self._inboxes: list[queue.Queue[J | None]] = [queue.Queue(stage.waiting) for stage in stages]
        self._finished: queue.SimpleQueue[J] = queue.SimpleQueue()
        self._closing = False
        self._errors: dict[threading.Thread, BaseException] = {}
        self._current: dict[threading.Thread, J] = {}
        self._threads: list[tuple[int, threading.Thread]] = []
        self.busy_s = dict.fromkeys((stage.name for stage in stages), 0.0)
        for position, stage in enumerate(self._stages):
            for _ in range(stage.threads):
                self._start(position)

    def begin(self, owner: Any, claims: Any, run_key: str) -> None:
        """Nothing is to be done: the threads wait for jobs already."""

    def shut_down(self) -> None:
        """Nothing is left after `close`."""

    def submit(self, job: J) -> bool:
        """Puts a job in front of the first stage; False where there is no room."""
        try:
            self._inboxes[0].put_nowait(job)
        except queue.Full:
            return False
        return True

    def next_finished(self, timeout_s: float) -> J | None:
        """A job that left the last stage, or None after a while; replaces threads that died."""
        try:
            return self._finished.get(timeout=timeout_s) if timeout_s > 0 else self._finished.get_nowait()
        except queue.Empty:
            self._replace_dead()
            return None

    def close(self, *, grace_s: float) -> bool:
        """Lets jobs that passed the first stages leave, then ends the threads.

        Args:
            grace_s: how long to wait

        Returns:
            whether every thread ended
        """
        self._closing = True
        deadline = time.monotonic() + grace_s
        # from the front, so that nothing comes after a stage's end
        for position, inbox in enumerate(self._inboxes):
            threads = [thread for at, thread in self._threads if at == position]
            for _ in threads:
                self._put(inbox, None, deadline)
            for thread in threads:
                thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for _, thread in self._threads)

    def _start(self, position: int) -> None:
        name = self._stages[position].name
        thread = threading.Thread(target=self._loop, args=(position,), name=f"point-tracking-{name}", daemon=True)
        self._threads.append((position, thread))
        thread.start()

    def _loop(self, position: int) -> None:
        thread = threading.current_thread()
        try:
            while (job := self._inboxes[position].get()) is not None:
                self._current[thread] = job
                started = time.perf_counter()
                goes_on = self._stages[position].work(job)
                self.busy_s[self._stages[position].name] += time.perf_counter() - started
                following = position + 1
                if goes_on and following < len(self._stages):
                    self._inboxes[following].put(job)
                else:
                    self._finished.put(job)
                self._current.pop(thread, None)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the job is told
            self._errors[thread] = error

    def _replace_dead(self) -> None:
        if self._closing:
            return
        for entry in [entry for entry in self._threads if not entry[1].is_alive()]:
            position, thread = entry
            self._threads.remove(entry)
            job = self._current.pop(thread, None)
            self._start(position)
            if job is not None:
                self._died(job, self._errors.pop(thread, None))
                self._finished.put(job)

    def _put(self, inbox: queue.Queue[Any], item: Any, deadline: float) -> None:
        while time.monotonic() < deadline:
            try:
                inbox.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return
