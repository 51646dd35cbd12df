"""What runs on a node: a worker that loads the tracker once and takes samples as they come.

Everything that travels is plain values, since the run may have been started by the
copy of this package that FiftyOne loads as a plugin, under another module name.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

# samples a worker is given at a time: one is tracked while others are read and written
DEPTH = 4


def inspect_node(paths: list[str], dataset_id: str, uri: str, database: str) -> dict[str, Any]:
    """Looks whether a node can do the work.

    Args:
        paths: of media, as the node sees them
        dataset_id: of the dataset that is written to
        uri, database: of MongoDB

    Returns:
        the host's name, the package's version, which paths cannot be read, and what
        is wrong with the database (None where nothing is)
    """
    from ....store.database.connection import database_problem
    from ....version import __version__

    problem = database_problem(uri, database, dataset_id)
    unreadable = [path for path in paths if not (os.path.isfile(path) and os.access(path, os.R_OK))]
    return {"host": socket.gethostname(), "version": __version__, "unreadable": unreadable, "database": problem}


class TrackWorker:
    """The worker; an actor of Ray with as many concurrent calls as it takes samples at a time.

    Args:
        job: names of the datasets, options, run key, the id to claim samples under
    """

    def __init__(self, job: dict[str, Any]) -> None:
        import fiftyone as fo

        from ....store.database.claims import Claims
        from ....store.database.frame_documents import FrameStore
        from ....store.database.liveness import Owner
        from ....store.labels.views import view_from_document
        from ....tracker.models.registry import load_tracker
        from ....version import __version__
        from ..options import TrackOptions
        from ..sample_steps import Job, SampleSteps
        from ..scheduler import local_queue

        options = TrackOptions(**job["options"])
        tracker = load_tracker(options.tracker_name, **dict(options.tracker_options or {}))
        destination = fo.load_dataset(job["destination"])
        owner = Owner(destination, job["run_key"], version=__version__, owner_id=job["owner_id"])
        self._alive = ExitStack()
        self._owner = self._alive.enter_context(owner)
        claims = Claims(FrameStore(destination, options.label_field), self._owner)
        samples = view_from_document(fo.load_dataset(job["dataset"]), job["view"])
        self._steps = SampleSteps(samples, destination, tracker, options, job["run_key"], claims)
        self._queue = local_queue(self._steps)
        self._waiters: dict[Job, threading.Event] = {}
        self._stopped = threading.Event()
        self._collector = threading.Thread(target=self._collect, name="collect", daemon=True)
        self._collector.start()

    def hello(self) -> bool:
        """Answers once the worker is ready."""
        return True

    def process(self, target: dict[str, Any]) -> dict[str, Any]:
        """Takes one sample through all stages.

        Args:
            target: from `ray_runner`

        Returns:
            "outcome", or "busy" where another run holds it

        Raises:
            DatabaseError: if the database stays away
        """
        from ....store.database.claims import Busy
        from ....store.runs.outcomes import Outcome
        from ....store.tracks.source_links import SourceLink
        from ..sample_steps import Job, Stopped
        from ..targets import Target

        link = None if target["source_link"] is None else SourceLink(**target["source_link"])
        job = Job(Target(**{**target, "source_link": link}))
        done = self._waiters[job] = threading.Event()
        while not self._queue.submit(job):
            done.wait(0.02)
        done.wait()
        state = job.state
        if isinstance(state, Stopped):
            raise state.error
        return {
            "outcome": asdict(state) if isinstance(state, Outcome) else None,
            "busy": asdict(state) if isinstance(state, Busy) else None,
            "warnings": job.warnings,
        }

    def finish(self, grace_s: float) -> dict[str, float]:
        """Ends the work in order: what is tracked is written, everything else is released.

        Returns:
            seconds per stage
        """
        self._steps.stop()
        self._stopped.set()
        ended = self._queue.close(grace_s=grace_s)
        while (job := self._queue.next_finished(0)) is not None:
            self._waiters.pop(job).set()
        self._owner.keep = not ended
        if ended:
            self._steps.claims.release_all()
        self._alive.close()
        return self.seconds()

    def seconds(self) -> dict[str, float]:
        """Seconds per stage so far, and those spent decoding ahead and waiting for it."""
        return {**self._queue.busy_s, "decoded": self._steps.decoded_s, "waited": self._steps.waited_s}

    def _collect(self) -> None:
        while not self._stopped.is_set():
            job = self._queue.next_finished(0.1)
            if job is not None:
                self._waiters.pop(job).set()
