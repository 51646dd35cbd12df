"""What runs on a node: a worker that loads the tracker once and takes samples as they come.

Everything that travels is plain values, since the run may have been started by the
copy of this package that FiftyOne loads as a plugin, under another module name.
"""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import asdict
from typing import Any

# samples a worker is given at a time: one is tracked while others are read and written
DEPTH = 4


def inspect_node(paths: list[str], dataset_id: str, uri: str, database: str) -> dict[str, Any]:
    """Looks whether a node can do the work.

    Args:
        paths: of media, as the node sees them
        dataset_id: of the data set that is written to
        uri, database: of MongoDB

    Returns:
        the host's name, the package's version, which paths cannot be read, and what
        is wrong with the database (None where nothing is)
    """
    from bson import ObjectId
    from pymongo import MongoClient
    from pymongo.errors import PyMongoError

    from ....version import __version__

    problem = None
    try:
        client: Any = MongoClient(uri, serverSelectionTimeoutMS=5000)
        if client[database]["datasets"].find_one({"_id": ObjectId(dataset_id)}, {"_id": 1}) is None:
            problem = "another database answers there"
        client.close()
    except PyMongoError as error:
        problem = str(error).split(",")[0]
    unreadable = [path for path in paths if not (os.path.isfile(path) and os.access(path, os.R_OK))]
    return {"host": socket.gethostname(), "version": __version__, "unreadable": unreadable, "database": problem}


class TrackWorker:
    """The worker; an actor of Ray with as many concurrent calls as it takes samples at a time.

    Args:
        job: names of the data sets, options, run key, the id to claim samples under
    """

    def __init__(self, job: dict[str, Any]) -> None:
        import fiftyone as fo

        from ....store.database.claims import Claims
        from ....store.database.frame_documents import FrameStore
        from ....store.database.liveness import Owner
        from ....tracker.models.registry import load_tracker
        from ....version import __version__
        from ..options import TrackOptions
        from ..sample_steps import Job, SampleWork
        from ..scheduler import stages_of
        from ..stages import Line

        options = TrackOptions(**job["options"])
        tracker = load_tracker(options.tracker_name, **dict(options.tracker_options or {}))
        destination = fo.load_dataset(job["destination"])
        self._owner = Owner(destination, job["run_key"], version=__version__, owner_id=job["owner_id"])
        self._owner.__enter__()
        claims = Claims(FrameStore(destination, options.label_field), self._owner)
        self._work = SampleWork(fo.load_dataset(job["dataset"]), destination, tracker, options, job["run_key"], claims)
        self._line: Line[Job] = Line(stages_of(self._work), self._work.died)
        self._waiters: dict[Job, threading.Event] = {}
        self._stopped = threading.Event()
        self._pump = threading.Thread(target=self._collect, name="collect", daemon=True)
        self._pump.start()

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
        from ....store.tracks.source_links import Origin
        from ..sample_steps import Job
        from ..targets import Target

        origin = None if target["origin"] is None else Origin(**target["origin"])
        job = Job(Target(**{**target, "origin": origin}))
        done = self._waiters[job] = threading.Event()
        while not self._line.offer(job):
            done.wait(0.02)
        done.wait()
        if job.stop is not None:
            raise job.stop
        return {
            "outcome": None if job.outcome is None else asdict(job.outcome),
            "busy": None if job.busy is None else asdict(job.busy),
            "warnings": job.warnings,
        }

    def finish(self, grace_s: float) -> dict[str, float]:
        """Ends the work in order: what is tracked is written, everything else is let go.

        Returns:
            seconds per stage
        """
        self._work.stop()
        self._stopped.set()
        ended = self._line.close(grace_s=grace_s)
        while (job := self._line.next_finished(0)) is not None:
            self._waiters.pop(job).set()
        self._owner.keep = not ended
        if ended:
            self._work.claims.release_all()
        self._owner.__exit__(None, None, None)
        return self.seconds()

    def seconds(self) -> dict[str, float]:
        """Seconds per stage so far, and those spent decoding ahead and waiting for it."""
        return {**self._line.busy_s, "decoded": self._work.decoded_s, "waited": self._work.waited_s}

    def _collect(self) -> None:
        while not self._stopped.is_set():
            job = self._line.next_finished(0.1)
            if job is not None:
                self._waiters.pop(job).set()
