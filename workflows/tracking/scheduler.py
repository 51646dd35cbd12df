"""Leads the samples of a run through its stages, and collects what becomes of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from ...store.database.journal import Journal
from ...store.database.liveness import BEAT_S
from ...store.runs.outcomes import FAILED, SKIPPED, Outcome
from ...tracker.errors import Cancelled, DatabaseError
from ..lifecycle.progress import ProgressReporter
from .free_memory import give_back_memory
from .sample_steps import Job, SampleWork
from .stages import Line, Stage
from .targets import Target

READ, TRACK, WRITE = "read", "track", "write"
# one, so that samples are tracked in the order they are given; frames are decoded in further threads
_READ_THREADS = 1
_POLL_S = 0.1
# it takes up to half a second
_GIVE_BACK_EVERY_S = 10.0
# what is tracked is still written where a run is cancelled; a run that is killed waits this long for it
_GRACE_S = 6.0

logger = logging.getLogger(__name__)


class AnyLine(Protocol):
    """What leads jobs through the steps: `stages.Line`, or one that spans machines."""

    busy_s: dict[str, float]

    def offer(self, job: Job) -> bool: ...

    def next_finished(self, timeout_s: float) -> Job | None: ...

    def close(self, *, grace_s: float) -> bool: ...


def stages_of(work: SampleWork) -> list[Stage[Job]]:
    """The stages of a run, in order."""
    return [
        Stage(READ, work.read, threads=_READ_THREADS, waiting=2),
        Stage(TRACK, work.track),
        Stage(WRITE, work.write),
    ]


class Conductor:
    """One run over some samples.

    Args:
        targets: the samples, in order; may be made as they are asked for
        work: the steps
        journal: receives outcomes as they come
        reporter: is told how far the run is
        line: where the steps are done; threads of this process where not given

    Attributes:
        outcomes: sample id -> what became of it
    """

    def __init__(
        self,
        targets: Iterable[Target],
        work: SampleWork,
        journal: Journal,
        reporter: ProgressReporter,
        line: AnyLine | None = None,
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._targets = iter(targets)
        self._next: Job | None = None
        self._work = work
        self._journal = journal
        self._reporter = reporter
        self._on_their_way: set[Job] = set()
        self._waiting: list[Job] = []
        self._looked = 0.0
        self._gave_back = time.monotonic()
        self._started = time.perf_counter()
        self._line: AnyLine = line or Line(stages_of(work), work.died)

    def run(self) -> bool:
        """Leads every sample through.

        Returns:
            False where the run was cancelled

        Raises:
            what must end the run: DatabaseError, KeyboardInterrupt
        """
        self._feed()
        while self._on_their_way or self._waiting or self._next is not None:
            if self._work.cancelled is not None and self._work.cancelled():
                return False
            job = self._line.next_finished(_POLL_S)
            if job is not None and not self._take(job):
                return False
            self._look_again()
            self._feed()
            self._tell()
        return True

    def close(self) -> bool:
        """Ends the threads, keeps what was written meanwhile, and lets everything else go.

        Returns:
            whether nothing of the run is left
        """
        self._work.stop()
        ended = self._line.close(grace_s=_GRACE_S)
        if not ended:
            self._work.abandon()
        while (job := self._line.next_finished(0)) is not None:
            if job.outcome is not None:
                self._record(job)
            self._on_their_way.discard(job)
        try:
            self._journal.flush(patience_s=1.0)
            if ended:
                for job in self._on_their_way:
                    job.let_go()
                self._work.claims.release_all()
        except DatabaseError:
            logger.warning("The database is away; what this run had begun will be ended by the next one")
            return False
        return ended

    def stages(self) -> dict[str, dict[str, float]]:
        """Seconds and utilisation of each stage; decoding ahead counts as reading."""
        wall = max(time.perf_counter() - self._started, 1e-9) * getattr(self._line, "num_workers", 1)
        seconds = dict(self._line.busy_s)
        seconds[READ] += self._work.decoded_s
        seconds[TRACK] = max(seconds[TRACK] - self._work.waited_s, 0.0)
        return {
            name: {"seconds": round(value, 3), "utilisation": round(min(value / wall, 1.0), 4)}
            for name, value in seconds.items()
        }

    def _feed(self) -> None:
        while True:
            if self._next is None:
                target = next(self._targets, None)
                if target is None:
                    return
                self._next = Job(target)
            if not self._line.offer(self._next):
                return
            self._on_their_way.add(self._next)
            self._next = None

    def _take(self, job: Job) -> bool:
        """Takes a job that left the line; returns False where the run was cancelled."""
        self._on_their_way.discard(job)
        if job.stop is not None:
            if isinstance(job.stop, Cancelled):
                return False
            raise job.stop
        if job.busy is not None and job.outcome is None:
            self._waiting.append(job)
        else:
            self._record(job)
        return True

    def _record(self, job: Job) -> None:
        outcome = job.outcome
        assert outcome is not None
        if outcome.sample_id in self.outcomes:
            return
        self.outcomes[outcome.sample_id] = outcome
        self._journal.add(asdict(outcome))
        if time.monotonic() - self._gave_back > _GIVE_BACK_EVERY_S:
            give_back_memory()
            self._gave_back = time.monotonic()
        self._reporter.finished(f"{Path(outcome.filepath).name}: {outcome.status}")
        if outcome.status == FAILED:
            logger.info("%s: %s", outcome.filepath, outcome.message)

    def _look_again(self) -> None:
        """Samples that another run holds come back once it is dead, or has let them go, or are left to it."""
        if self._next is not None or not self._waiting or time.monotonic() - self._looked < BEAT_S:
            return
        self._looked = time.monotonic()
        still: list[Job] = []
        for job in self._waiting:
            assert job.busy is not None
            holder = self._work.claims.holder(job.target.destination_id)
            dead = holder is None or self._work.claims.watch.is_dead(holder)
            if dead:
                busy, job.busy = job.busy, None
                if self._line.offer(job):
                    self._on_their_way.add(job)
                else:
                    job.busy = busy
                    still.append(job)
            elif dead is False and not self._work.options.wait_for_others:
                job.warnings.append(f"{job.busy} is at this sample")
                job.outcome = job.target.outcome(SKIPPED, warnings=tuple(job.warnings))
                self._record(job)
            else:
                still.append(job)
        self._waiting = still

    def _tell(self) -> None:
        jobs = [job for job in self._on_their_way if job.share > 0]
        if jobs:
            names = ", ".join(Path(job.target.filepath).name for job in jobs)
            self._reporter.inside(sum(job.share for job in jobs), names)
