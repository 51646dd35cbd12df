"""A process that dies between two calls of the database, for tests that end work at every single step of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from point_tracking.store.database import connection as database
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.liveness import Owner

GONE_PID = 2**22 + 1


class Killed(BaseException):
    """Stands for the end of the process: nothing after it reaches the database."""


class Mortal:
    """Lets a number of database calls through, and none after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls_left: int | None = None
        self.calls = 0
        real, real_insert = database.with_retries, FrameStore.insert

        def call(action: Callable[[], Any], **options: Any) -> Any:
            self.count()
            return real(action, **options)

        def insert(*arguments: Any) -> None:
            self.count()
            real_insert(*arguments)

        monkeypatch.setattr(database, "with_retries", call)
        monkeypatch.setattr(FrameStore, "insert", insert)

    def count(self) -> None:
        """Counts a call; dies where that is one too many."""
        if self.calls_left is not None:
            if self.calls >= self.calls_left:
                raise Killed
            self.calls += 1

    def dies(self, work: Callable[[], Any], calls: int) -> bool:
        """Does some work until it has called the database so often; returns whether it died of it.

        Args:
            work: what is done
            calls: that are let through
        """
        self.calls, self.calls_left = 0, calls
        try:
            work()
        except Killed:
            return True
        finally:
            self.calls_left = None
            # what the number of a process that is gone looks like
            database.collection(database.OWNERS).update_many({}, {"$set": {"pid": GONE_PID}})
        return False


def look_dead(owner: Owner) -> None:
    """Makes an owner look like one whose process is gone."""
    database.collection(database.OWNERS).update_one({"_id": owner.id}, {"$set": {"pid": 2**22 + 1}})
