"""What became of each sample, stored while a run is going on, for the case that it never ends.

A run that ends stores its whole report and empties its journal.
"""

from __future__ import annotations

import time
from typing import Any

from .connection import OUTCOMES, collection, durable, key_range, patiently
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
        self._prefix = f"{_prefix(owner.dataset_id, run_key)}{owner.id}/"
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
        key = f"{self._prefix}{self._number:09d}"
        page = {"_id": key, "seconds": now - self._started, "outcomes": self._waiting}
        patiently(lambda: collection(OUTCOMES).replace_one({"_id": key}, page, upsert=True), patience_s=patience_s)
        self._number += 1
        self._flushed = now
        self._waiting = []


def journaled(dataset_id: Any, run_key: str) -> tuple[list[dict[str, Any]], float]:
    """The outcomes a run has stored so far, and the seconds it took for them."""
    pages = {"_id": key_range(_prefix(dataset_id, run_key))}
    found = patiently(lambda: list(collection(OUTCOMES).find(pages)))
    found.sort(key=lambda page: page["_id"])
    return [o for page in found for o in page["outcomes"]], max((page["seconds"] for page in found), default=0.0)


def clear_journal(dataset_id: Any, run_key: str, *, patience_s: float | None = None, on_disk: bool = False) -> None:
    """Removes a run's journal, once its report is stored.

    Args:
        dataset_id: from `dataset_id_of`
        run_key: of the run
        patience_s: how long to try where the database is away
        on_disk: return only when all that was written is on the server's disk
    """
    pages = {"_id": key_range(_prefix(dataset_id, run_key))}
    outcomes = durable(collection(OUTCOMES)) if on_disk else collection(OUTCOMES)
    patiently(lambda: outcomes.delete_many(pages), patience_s=patience_s)


def _prefix(dataset_id: Any, run_key: str) -> str:
    return f"{dataset_id}/{run_key}/"
