"""What became of each sample, stored while a run is going on, for the case that it never ends.

A run that ends stores its whole report and empties its journal.
"""

from __future__ import annotations

import time
from typing import Any

from .connection import OUTCOMES, collection
from .keys import Key
from .liveness import Owner

_FLUSH_S = 1.0
_FLUSH_OUTCOMES = 200


class Journal:
    """The outcomes of one run, in the order they came.

    Args:
        owner: the run
        run_key: of its record
    """

    def __init__(self, owner: Owner, run_key: str) -> None:
        self._key = Key(owner.dataset_id, (run_key, owner.id))
        self._waiting: list[dict[str, Any]] = []
        self._number = 0
        self._started = self._flushed = time.monotonic()

    def add(self, outcome: dict[str, Any]) -> None:
        """Takes an outcome; stores it soon."""
        self._waiting.append(outcome)
        self.flush(only_if_due=True)

    def flush(self, *, only_if_due: bool = False, patience_s: float | None = None) -> None:
        """Stores what was taken."""
        now = time.monotonic()
        due = now - self._flushed >= _FLUSH_S or len(self._waiting) >= _FLUSH_OUTCOMES
        if not self._waiting or (only_if_due and not due):
            return
        key = str(self._key / f"{self._number:09d}")
        page = {"_id": key, "seconds": now - self._started, "outcomes": self._waiting}
        collection(OUTCOMES).waiting(patience_s).replace_one({"_id": key}, page)
        self._number += 1
        self._flushed = now
        self._waiting = []


def journaled(dataset_id: Any, run_key: str) -> tuple[list[dict[str, Any]], float]:
    """The outcomes a run has stored so far, and the seconds it took for them."""
    found = sorted(collection(OUTCOMES).find(_pages(dataset_id, run_key)), key=lambda page: page["_id"])
    return [o for page in found for o in page["outcomes"]], max((page["seconds"] for page in found), default=0.0)


def clear_journal(dataset_id: Any, run_key: str, *, patience_s: float | None = None, on_disk: bool = False) -> None:
    """Removes a run's journal, once its report is stored.

    Args:
        dataset_id: from `dataset_id_of`
        run_key: of the record of the run
        patience_s: how long to try where the database is away
        on_disk: return only when all that was written is on the server's disk
    """
    outcomes = collection(OUTCOMES).waiting(patience_s)
    (outcomes.on_disk() if on_disk else outcomes).delete_many(_pages(dataset_id, run_key))


def _pages(dataset_id: Any, run_key: str) -> dict[str, Any]:
    return {"_id": Key(dataset_id, (run_key,)).below}
