"""Several videos at a time, in threads: the codecs work outside of Python's lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from ...tracker.errors import OptionError
from ...tracker.models.base import CancelCheck
from ..lifecycle.progress import ProgressReporter

J = TypeVar("J")
R = TypeVar("R")

_POLL_S = 0.2


def check_num_workers(num_workers: object) -> None:
    """Refuses what is no number of videos at the same time, or None.

    Args:
        num_workers: as the user gave it

    Raises:
        OptionError: saying what it may be
    """
    if num_workers is None:
        return
    if not isinstance(num_workers, int) or isinstance(num_workers, bool) or num_workers < 1:
        raise OptionError(f"Invalid num_workers ({num_workers!r}). Expected a whole number of at least 1, or None")


class SideBySide(Generic[J, R]):
    """The work of a run on its videos.

    Args:
        jobs: what is to be done, in order
        attempt: does a job, in a thread; called with it, a function that takes the share done, and one that says
            whether to end. What it raises ends the run
        name_of: of the video that a job is about
        num_samples: that are finished with a job
        num_workers: jobs at the same time; None = one per core

    Attributes:
        threads: that each job may use
    """

    def __init__(
        self,
        jobs: Sequence[J],
        attempt: Callable[[J, Callable[[float], None], CancelCheck], R],
        *,
        name_of: Callable[[J], str],
        num_samples: Callable[[J], int] = lambda _: 1,
        num_workers: int | None = None,
    ) -> None:
        self._jobs = jobs
        self._attempt = attempt
        self._name_of = name_of
        self._num_samples = num_samples
        self._stop = threading.Event()
        self._shares: dict[int, float] = {}
        cores = usable_cores()
        self._workers = max(min(num_workers or cores, len(jobs)), 1)
        # one more than its share keeps a core busy while another video waits (benchmarks/results/preprocess.md)
        self.threads = cores // self._workers + 1

    def run(
        self,
        note: Callable[[J, R], None],
        finished: Callable[[J], None],
        reporter: ProgressReporter,
        cancelled: CancelCheck | None,
    ) -> bool:
        """Does the jobs.

        Args:
            note: called with each job and its result, also with those that came in while the run was ending
            finished: called after that while the run goes on
            reporter: told how far the jobs at work are
            cancelled: asked again and again; True ends the run

        Returns:
            False where the run was cancelled
        """
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="videos")
        pending: dict[Future[R], J] = {}
        try:
            for number, job in enumerate(self._jobs):
                pending[pool.submit(self._work, number, job)] = job
            while pending:
                if cancelled is not None and cancelled():
                    return False
                done, _ = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in done:
                    job = pending[future]
                    note(job, future.result())
                    del pending[future]
                    finished(job)
                self._tell(reporter)
        finally:
            self._stop.set()
            pool.shutdown(cancel_futures=True)
            # those that were finished since
            for future, job in pending.items():
                if not future.cancelled() and future.exception() is None:
                    note(job, future.result())
        return True

    def _work(self, number: int, job: J) -> R:
        self._shares[number] = 0.0
        try:
            return self._attempt(job, lambda share: self._shares.__setitem__(number, share), self._stop.is_set)
        finally:
            del self._shares[number]

    def _tell(self, reporter: ProgressReporter) -> None:
        running = [(self._jobs[number], share) for number, share in dict(self._shares).items()]
        if running:
            names = ", ".join(sorted(f"{self._name_of(job)} {share:.0%}" for job, share in running))
            reporter.inside(sum(self._num_samples(job) * share for job, share in running), names)


def usable_cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
