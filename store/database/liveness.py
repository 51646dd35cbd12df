"""Who is working on what: each run is an owner that shows it is alive, so that a dead run's work can be taken over.

Nothing here compares clocks. On the same machine the process tells whether an owner
is alive; elsewhere it is dead once its counter stood still over many looks.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
import uuid
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import fiftyone as fo
import pymongo
from pymongo.errors import PyMongoError

from ...tracker.errors import DatabaseError
from .connection import (
    CLAIMS,
    CORRECTIONS,
    LAST_PATIENCE_S,
    OUTCOMES,
    OWNERS,
    REPLACED,
    STAGED,
    collection,
    dataset_document,
    dataset_id_of,
)
from .keys import Key

BEAT_S = 2.0
# looks at least BEAT_S apart, each answered by the database, over which a living owner's counter would have moved
LOOKS = 10
_BEAT_TIMEOUT_S = 4.0


@lru_cache(maxsize=1)
def this_host() -> str:
    """This machine since it was started, and the space its process numbers are unique in."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def process_start(pid: int) -> str | None:
    """When a process began, so that a number that was given again is not taken for it; None where it is gone.

    Where the system does not tell, any living process counts.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass  # it lives, as another user's
        return ""
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


class Owner:
    """One run, as others see it. Use it in a `with` statement.

    Args:
        dataset: what it works on
        run_key: of its record; None for single writes
        version: of this package
        beating: whether it shows other machines that it is alive
        owner_id: what others know it by; None = chosen here
    """

    def __init__(
        self,
        dataset: fo.Dataset,
        run_key: str | None,
        *,
        version: str = "",
        beating: bool = True,
        owner_id: str | None = None,
    ) -> None:
        self.id = owner_id or uuid.uuid4().hex
        self.dataset_id = dataset_id_of(dataset)
        self.run_key = run_key
        self._version = version
        self._document: dict[str, Any] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="owner-beat", daemon=True) if beating else None
        self.keep = False

    def __enter__(self) -> Owner:
        pid = os.getpid()
        self._document = {
            "dataset_id": self.dataset_id,
            "run_key": self.run_key,
            "host": this_host(),
            "pid": pid,
            "pid_start": process_start(pid),
            "version": self._version,
        }
        begin = {"$set": {**self._document, "beat": 0}}
        collection(OWNERS).update_one({"_id": self.id}, begin, upsert=True)
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._stop.set()
        if not self.keep:
            if self._thread is not None:
                self._thread.join(_BEAT_TIMEOUT_S)
            # a document that stays is that of a dead process later, and is removed then
            with contextlib.suppress(PyMongoError, DatabaseError):
                collection(OWNERS).waiting(LAST_PATIENCE_S).delete_one({"_id": self.id})

    def name_run(self, run_key: str) -> None:
        """Sets the key of the run's record, once it is chosen."""
        self.run_key = self._document["run_key"] = run_key
        collection(OWNERS).update_one({"_id": self.id}, {"$set": {"run_key": run_key}})

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_S):
            # an outage is told by whoever has something to store; a beat that outlasts one would be a dead owner's
            with contextlib.suppress(PyMongoError), pymongo.timeout(_BEAT_TIMEOUT_S):
                # a server that was killed may have lost the document
                change = {"$inc": {"beat": 1}, "$set": self._document}
                collection(OWNERS).plain.update_one({"_id": self.id}, change, upsert=True)


class DeathWatch(Protocol):
    """Tells dead owners from living ones."""

    def is_dead(self, owner_id: str) -> bool | None: ...


class KnownDeath:
    """A watch that was told of one death, by whoever knows.

    Args:
        owner_id: of the dead
    """

    def __init__(self, owner_id: str) -> None:
        self._owner_id = owner_id

    def is_dead(self, owner_id: str) -> bool:
        return owner_id == self._owner_id


class Watch:
    """Tells dead owners from living ones."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[int, int, float]] = {}

    def is_dead(self, owner_id: str) -> bool | None:
        """Whether an owner is dead; None while that is not known, to be asked again."""
        document = collection(OWNERS).find_one({"_id": owner_id})
        if document is None:
            return True
        if document.get("host") == this_host() and document["pid"] != os.getpid():
            return process_start(document["pid"]) != document["pid_start"]
        beat, now = document["beat"], time.monotonic()
        last_beat, looks, looked = self._seen.get(owner_id, (None, 0, now))
        if last_beat is not None and last_beat != beat:
            self._seen[owner_id] = (beat, 0, now)
            return False
        if last_beat is None:
            self._seen[owner_id] = (beat, 0, now)
        elif now - looked >= BEAT_S:
            self._seen[owner_id] = (beat, looks + 1, now)
        return True if self._seen[owner_id][1] >= LOOKS else None

    def wait(self, owner_id: str) -> bool:
        """Looks until it is known whether an owner is dead."""
        while (dead := self.is_dead(owner_id)) is None:
            time.sleep(BEAT_S)
        return dead


def owners_of(dataset_id: Any) -> list[dict[str, Any]]:
    """The owners that work on a dataset, living and dead."""
    return collection(OWNERS).find({"dataset_id": dataset_id})


def forget(owner_id: str) -> None:
    """Removes an owner whose work was taken over."""
    collection(OWNERS).delete_one({"_id": owner_id})


def forget_deleted_datasets(watch: Watch) -> None:
    """Removes what dead runs left of datasets that are gone."""
    for dataset_id in collection(OWNERS).distinct("dataset_id"):
        if dataset_document(dataset_id, "_id") is not None:
            continue
        owners = owners_of(dataset_id)
        if all(watch.is_dead(owner["_id"]) for owner in owners):
            for name in (CLAIMS, STAGED, OUTCOMES):
                collection(name).delete_many({"_id": Key(dataset_id).below})
            for owner in owners:
                forget(owner["_id"])
    for dataset_id in collection(CORRECTIONS).distinct("dataset_id"):
        if dataset_document(dataset_id, "_id") is None:
            for name in (REPLACED, CORRECTIONS):
                collection(name).delete_many({"_id": Key(dataset_id).below})
