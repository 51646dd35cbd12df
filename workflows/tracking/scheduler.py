"""Takes the samples of a run through its stages, and collects what becomes of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from ...store.database.claims import Busy, Claims
from ...store.database.journal import Journal
from ...store.database.liveness import BEAT_S, Owner
from ...store.runs.outcomes import FAILED, SKIPPED, Outcome
from ...tracker.errors import Cancelled, DatabaseError
from ..lifecycle.progress import ProgressReporter
from .free_memory import give_back_memory
from .sample_steps import Job, SampleSteps, Stopped
from .stages import Stage, StageQueue
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


class JobQueue(Protocol):
    """What takes jobs through the steps: `stages.StageQueue`, or one that spans machines."""

    busy_s: dict[str, float]

    @property
    def num_workers(self) -> int: ...

    def begin(self, owner: Owner, claims: Claims, run_key: str) -> None: ...

    def submit(self, job: Job) -> bool: ...

    def next_finished(self, timeout_s: float) -> Job | None: ...

    def close(self, *, grace_s: float) -> bool: ...

    def shut_down(self) -> None: ...


def local_queue(steps: SampleSteps) -> StageQueue[Job]:
    """The steps in threads of this process, a stage each."""
    stages = [
        Stage(READ, steps.read, threads=_READ_THREADS, waiting=2),
        Stage(TRACK, steps.track),
        Stage(WRITE, steps.write),
    ]
    return StageQueue(stages, steps.died)


class Scheduler:
    """One run over some samples.

    Args:
        targets: the samples, in order; may be made as they are asked for
        steps: what is done with a sample
        journal: receives outcomes as they come
        reporter: is told how far the run is
        queue: where the steps are done

    Attributes:
        outcomes: sample id -> what became of it
    """

    def __init__(
        self,
        targets: Iterable[Target],
        steps: SampleSteps,
        journal: Journal,
        reporter: ProgressReporter,
        queue: JobQueue,
    ) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._targets = iter(targets)
        self._next: Job | None = None
        self._steps = steps
        self._journal = journal
        self._reporter = reporter
        self._on_their_way: set[Job] = set()
        self._waiting: list[tuple[Job, Busy]] = []
        self._looked = 0.0
        self._gave_back = time.monotonic()
        self._started = time.perf_counter()
        self._queue = queue

    def run(self) -> bool:
        """Takes every sample through the steps.

        Returns:
            False where the run was cancelled

        Raises:
            what must end the run: DatabaseError, KeyboardInterrupt
        """
        self._feed()
        while self._on_their_way or self._waiting or self._next is not None:
            if self._steps.cancelled is not None and self._steps.cancelled():
                return False
            job = self._queue.next_finished(_POLL_S)
            if job is not None and not self._take(job):
                return False
            self._retry_busy()
            self._feed()
            self._tell()
        return True

    def close(self) -> bool:
        """Ends the threads, keeps what was written meanwhile, and lets everything else go.

        Returns:
            whether nothing of the run is left
        """
        self._steps.stop()
        ended = self._queue.close(grace_s=_GRACE_S)
        if not ended:
            self._steps.abandon()
        while (job := self._queue.next_finished(0)) is not None:
            if isinstance(job.state, Outcome):
                self._record(job.state)
            self._on_their_way.discard(job)
        try:
            self._journal.flush(patience_s=1.0)
            if ended:
                for job in self._on_their_way:
                    job.move_to(None)
                self._steps.claims.release_all()
        except DatabaseError:
            logger.warning("The database is away; what this run had begun will be ended by the next one")
            return False
        return ended

    def stages(self) -> dict[str, dict[str, float]]:
        """Seconds and utilisation of each stage; decoding ahead counts as reading."""
        wall = max(time.perf_counter() - self._started, 1e-9) * self._queue.num_workers
        seconds = dict(self._queue.busy_s)
        seconds[READ] += self._steps.decoded_s
        seconds[TRACK] = max(seconds[TRACK] - self._steps.waited_s, 0.0)
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
            if not self._queue.submit(self._next):
                return
            self._on_their_way.add(self._next)
            self._next = None

    def _take(self, job: Job) -> bool:
        """Takes a job that left the queue; returns False where the run was cancelled."""
        self._on_their_way.discard(job)
        if isinstance(job.state, Stopped):
            if isinstance(job.state.error, Cancelled):
                return False
            raise job.state.error
        if isinstance(job.state, Busy):
            self._waiting.append((job, job.state))
        elif isinstance(job.state, Outcome):
            self._record(job.state)
        else:
            raise TypeError(f"A sample left the steps as {type(job.state).__name__}, undecided")
        return True

    def _record(self, outcome: Outcome) -> None:
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

    def _retry_busy(self) -> None:
        """Samples that another run holds come back once it is dead, or has released them, or are left to it."""
        if self._next is not None or not self._waiting or time.monotonic() - self._looked < BEAT_S:
            return
        self._looked = time.monotonic()
        still: list[tuple[Job, Busy]] = []
        for job, busy in self._waiting:
            holder = self._steps.claims.holder(job.target.destination_id)
            dead = holder is None or self._steps.claims.watch.is_dead(holder)
            if dead and self._resubmit(job, busy):
                continue
            if dead is False and not self._steps.options.wait_for_others:
                job.warnings.append(f"{busy} is at this sample")
                self._record(job.target.outcome(SKIPPED, warnings=tuple(job.warnings)))
            else:
                still.append((job, busy))
        self._waiting = still

    def _resubmit(self, job: Job, busy: Busy) -> bool:
        job.move_to(None)
        if not self._queue.submit(job):
            job.move_to(busy)
            return False
        self._on_their_way.add(job)
        return True

    def _tell(self) -> None:
        jobs = [job for job in self._on_their_way if job.share > 0]
        if jobs:
            names = ", ".join(Path(job.target.filepath).name for job in jobs)
            self._reporter.inside(sum(job.share for job in jobs), names)
