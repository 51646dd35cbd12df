"""Dying in the middle of a write, at a chosen step: what a process that is killed leaves in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from point_tracking.store.database import connection as database

GONE_PID = 2**22 + 1


class Killed(BaseException):
    """Stands for the end of the process: nothing after it reaches the database."""


class Mortal:
    """Lets a number of database calls through, and none after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls_left: int | None = None
        self.calls = 0
        real = database.with_retries

        def call(action: Callable[[], Any], **options: Any) -> Any:
            self.count()
            return real(action, **options)

        monkeypatch.setattr(database, "with_retries", call)

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
