"""Runs on a Ray cluster: samples are handed out one by one, to workers that read and write themselves.

A worker that dies, with its node or alone, has its samples redone by others; what it
had begun to write is taken back first, as after a local run that was killed.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ....store.database.claims import Busy, Claims, settle_dead_owners
from ....store.database.liveness import KnownDeath, Owner, forget
from ....store.labels.views import view_document
from ....store.runs.outcomes import FAILED, Outcome
from ....tracker.errors import DatabaseError, DependencyError, OptionError, PointTrackingError
from ...lifecycle.shutdown import kept_termination
from ..options import TrackOptions
from ..sample_steps import Job, Stopped
from ..targets import Target
from .checks import check_nodes, database_environment, map_path

_PACKAGE = "point_tracking"
_START_TIMEOUT_S = 120.0
# a sample that was being worked on at so many deaths is not tried again
_MAX_DEATHS = 3

logger = logging.getLogger(__name__)


class RayQueue:
    """Jobs on their way through the workers of a cluster; stands in for `stages.StageQueue`.

    Args:
        samples: a dataset or view; what it shows of their labels is what workers see
        destination: the dataset that is written to
        targets: of the run, to be looked for from every node
        options: what the run is told

    Raises:
        DependencyError: if Ray or this package is missing
        OptionError: if the cluster has no room for a worker
        VideoError: if a node cannot read the media
        DatabaseError: if a node cannot reach the database
    """

    def __init__(
        self, samples: SampleCollection, destination: fo.Dataset, targets: Sequence[Target], options: TrackOptions
    ) -> None:
        self._ray = _import_ray()
        self._module = _installed_worker()
        self._samples, self._destination, self._options = samples, destination, options
        self._started_ray = not self._ray.is_initialized()
        if self._started_ray:
            with kept_termination():  # Ray would end the process before the run has stored what it has
                self._ray.init(address=options.address, log_to_driver=False, configure_logging=False)
        self._env = database_environment()
        self._owner: Owner | None = None
        self._workers: dict[Any, _Worker] = {}
        self._calls: dict[Any, tuple[Job, Any]] = {}
        self._again: deque[Job] = deque()
        self._done: deque[Job] = deque()
        self._deaths: dict[Job, int] = {}
        self._respawns = 0
        self._begun = False
        self._closing = False
        self._seen_ready = time.monotonic()
        self.busy_s: dict[str, float] = {"read": 0.0, "track": 0.0, "write": 0.0}
        try:
            check_nodes(self._ray, self._module, self._env, destination, targets, options)
            self._number = self._choose_number()
        except BaseException:
            self.shut_down()
            raise

    @property
    def num_workers(self) -> int:
        """How many workers there are to be."""
        return self._number

    def begin(self, owner: Owner, claims: Claims, run_key: str) -> None:
        """Starts the workers; they load the tracker at the same time.

        Args:
            owner: of the run, which settles what dead workers leave
            claims: what the run holds
            run_key: of its record
        """
        self._owner, self._claims = owner, claims
        self._job = {
            "dataset": self._samples._dataset.name,
            "view": view_document(self._samples),
            "destination": self._destination.name,
            "run_key": run_key,
            "options": self._options.for_workers(),
        }
        for _ in range(self._number):
            self._spawn()
        self._seen_ready = time.monotonic()
        while not self._ready():
            self._look_at_starts(timeout_s=0.5)
            self._check_ready()
        self._begun = True

    def submit(self, job: Job) -> bool:
        """Hands a job to the worker with the least to do; False where all have enough."""
        self._look_at_starts(timeout_s=0)
        free = [w for w in self._ready() if w.calls < self._module.DEPTH]
        if not free or self._again:
            return False
        self._call(min(free, key=lambda w: w.calls), job)
        return True

    def next_finished(self, timeout_s: float) -> Job | None:
        """A job that is decided, or None after a while; redoes the jobs of workers that died."""
        if not self._closing:
            self._hand_out_again()
            self._check_ready()
        if self._done:
            return self._done.popleft()
        if self._closing:
            return None
        if not self._calls:
            time.sleep(timeout_s)
            return None
        ready, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=timeout_s)
        for call in ready:
            self._take(call)
        return self._done.popleft() if self._done else None

    def close(self, *, grace_s: float) -> bool:
        """Lets the workers write what is tracked, then ends them; settles what the dead left."""
        self._closing = True
        ends = {worker.actor.finish.remote(grace_s): worker for worker in self._ready()}
        ready, late = self._ray.wait(list(ends), num_returns=len(ends), timeout=grace_s + 2) if ends else ([], [])
        dead = [end for end in ready if not self._add_seconds(end)]
        for call in list(self._calls):
            finished, _ = self._ray.wait([call], timeout=0)
            if finished:
                self._take(call)
        starting = [worker for worker in self._workers.values() if not worker.ready]
        for worker in self._workers.values():
            self._ray.kill(worker.actor)
        for worker in (*(ends[end] for end in (*late, *dead)), *starting):
            self._take_back(worker)
        return not late

    def shut_down(self) -> None:
        """Leaves the cluster, where this run joined it."""
        if self._started_ray:
            self._ray.shutdown()

    def _choose_number(self) -> int:
        gpus = self._options.gpus_per_worker
        resources = self._ray.cluster_resources()
        room = int(resources.get("CPU", 0))
        if gpus:
            room = min(room, int(resources.get("GPU", 0) / gpus))
        if room < 1:
            raise OptionError(
                f"The cluster has no room for a worker: {resources.get('CPU', 0):g} CPUs, {resources.get('GPU', 0):g} "
                f"GPUs, and each worker takes 1 CPU and {gpus:g} GPUs"
            )
        return min(self._options.num_workers or room, room)

    def _spawn(self) -> None:
        # chosen here, so that a worker that dies while it starts leaves nothing unknown behind
        owner_id = uuid.uuid4().hex
        actor_class = self._ray.remote(self._module.TrackWorker)
        actor = actor_class.options(
            num_cpus=1,
            num_gpus=self._options.gpus_per_worker,
            max_restarts=0,
            # further calls: hello, seconds, finish
            max_concurrency=self._module.DEPTH + 2,
            runtime_env={"env_vars": self._env},
            scheduling_strategy="SPREAD",
        ).remote({**self._job, "owner_id": owner_id})
        self._workers[actor] = _Worker(actor, actor.hello.remote(), owner_id)

    def _ready(self) -> list[_Worker]:
        return [worker for worker in self._workers.values() if worker.ready]

    def _check_ready(self) -> None:
        """Ends a run without workers: those that replace the dead may find no room.

        Raises:
            OptionError: if there has been none for long
        """
        if self._ready():
            self._seen_ready = time.monotonic()
        elif time.monotonic() - self._seen_ready > _START_TIMEOUT_S:
            raise OptionError(
                f"No worker started within {_START_TIMEOUT_S:.0f} s. Look at the cluster's resources (`ray status`) "
                "and at num_workers and gpus_per_worker, then run again with skip_existing=True"
            )

    def _look_at_starts(self, *, timeout_s: float) -> None:
        starting = {w.hello: w for w in self._workers.values() if not w.ready}
        if not starting:
            return
        ready, _ = self._ray.wait(list(starting), num_returns=len(starting), timeout=timeout_s)
        for hello in ready:
            worker = starting[hello]
            try:
                worker.ready = self._ray.get(hello)
            except self._ray.exceptions.RayError as error:
                del self._workers[worker.actor]
                self._take_back(worker)
                # later it may be the node that died, and not the worker that cannot start
                if not (self._begun or self._ready() or self._calls):
                    reason = [line for line in str(error).splitlines() if line.strip()][-1]
                    raise OptionError(f"The workers cannot start: {reason}") from error
                self._replace(error)

    def _call(self, worker: _Worker, job: Job) -> None:
        target = job.target
        values = asdict(target)
        values["filepath"] = map_path(target.filepath, self._options.path_map)
        values["source_link"] = None if target.source_link is None else dict(target.source_link.__dict__)
        worker.calls += 1
        self._calls[worker.actor.process.remote(values)] = (job, worker)

    def _take(self, call: Any) -> None:
        job, worker = self._calls.pop(call)
        worker.calls -= 1
        try:
            result = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            cause = error.as_instanceof_cause()
            job.move_to(Stopped(DatabaseError(str(error.cause)) if isinstance(cause, PointTrackingError) else cause))
            self._done.append(job)
            return
        except self._ray.exceptions.RayError as error:
            self._died(job, worker, error)
            return
        if result["outcome"] is not None:
            values = {**result["outcome"], "filepath": job.target.filepath}
            job.move_to(Outcome(**{**values, "warnings": tuple(values["warnings"])}))
        elif result["busy"] is not None:
            job.move_to(Busy(**result["busy"]))
        job.warnings = list(result["warnings"])
        self._done.append(job)

    def _died(self, job: Job, worker: _Worker, error: Exception) -> None:
        if worker.actor in self._workers:
            logger.warning("A worker died; its samples are redone")
            del self._workers[worker.actor]
            self._take_back(worker)
            self._replace(error)
        deaths = self._deaths[job] = self._deaths.get(job, 0) + 1
        if deaths < _MAX_DEATHS:
            self._again.append(job)
            return
        message = f"{deaths} workers died while they had this sample, the last with: {str(error).splitlines()[0]}"
        job.move_to(job.target.outcome(FAILED, kind=type(error).__name__, message=message))
        self._done.append(job)

    def _take_back(self, worker: _Worker) -> None:
        """Takes back what a dead worker had begun: Ray knows that it is dead, so nobody has to wait for its silence."""
        if self._owner is None:  # before `begin`, no worker has begun anything
            return
        dead = settle_dead_owners(self._destination, self._owner, KnownDeath(worker.owner_id))
        for document in dead:
            forget(document["_id"])

    def _replace(self, error: Exception) -> None:
        if self._closing:
            return
        self._respawns += 1
        if self._respawns <= _MAX_DEATHS * self._number:
            self._spawn()
        elif not self._workers:
            raise DependencyError(f"Workers keep dying; run again with skip_existing=True to go on: {error}")

    def _hand_out_again(self) -> None:
        self._look_at_starts(timeout_s=0)
        while self._again:
            free = [w for w in self._ready() if w.calls < self._module.DEPTH]
            if not free:
                return
            self._call(min(free, key=lambda w: w.calls), self._again.popleft())

    def _add_seconds(self, end: Any) -> bool:
        """Adds what a worker did; False where it died before it could tell."""
        try:
            seconds = self._ray.get(end)
        except self._ray.exceptions.RayError as error:
            logger.warning("A worker did not tell what it did: %s", str(error).splitlines()[0])
            return False
        self.busy_s["read"] += seconds["read"] + seconds["decoded"]
        self.busy_s["track"] += max(seconds["track"] - seconds["waited"], 0.0)
        self.busy_s["write"] += seconds["write"]
        return True


class _Worker:
    """A worker as the runner sees it."""

    def __init__(self, actor: Any, hello: Any, owner_id: str) -> None:
        self.actor, self.hello, self.owner_id = actor, hello, owner_id
        self.ready = False
        self.calls = 0


def _import_ray() -> Any:
    try:
        return import_module("ray")
    except ImportError as error:
        raise DependencyError(
            "engine='ray' needs Ray, which is not installed. Install it with: "
            "pip install 'fiftyone-point-tracking[ray]'"
        ) from error


def _installed_worker() -> Any:
    """The worker's module under the name that nodes know it by."""
    try:
        return import_module(f"{_PACKAGE}.workflows.tracking.ray_cluster.worker")
    except ImportError as error:
        raise DependencyError(
            "engine='ray' needs this package to be installed, here and on every node: pip install ."
        ) from error
