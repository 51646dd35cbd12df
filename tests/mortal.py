"""A process that dies between two calls of the database, for tests that end work at every single step of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from point_tracking.store.database import connection as database
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.liveness import Owner


class Killed(BaseException):
    """Stands for the end of the process: nothing after it reaches the database."""


class Mortal:
    """Lets a number of database calls through, and none after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls_left: int | None = None
        self.calls = 0
        monkeypatch.setattr(database, "with_retries", self._counting(database.with_retries))
        real_insert = FrameStore.insert

        def insert(*arguments: Any) -> None:
            self._count()
            real_insert(*arguments)

        monkeypatch.setattr(FrameStore, "insert", insert)

    def _count(self) -> None:
        if self.calls_left is not None:
            if self.calls >= self.calls_left:
                raise Killed
            self.calls += 1

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(action: Callable[[], Any], **options: Any) -> Any:
            self._count()
            return real(action, **options)

        return call


def look_dead(owner: Owner) -> None:
    """Makes an owner look like one whose process is gone."""
    database.collection(database.OWNERS).update_one({"_id": owner.id}, {"$set": {"pid": 2**22 + 1}})
