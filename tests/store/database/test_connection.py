"""The database beside FiftyOne's own API: retries while it is away, and refusals in words."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_server import OwnServer
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

import point_tracking as pt
from point_tracking.store.database import connection
from point_tracking.store.database.connection import (
    RetryingCollection,
    database_error,
    database_problem,
    dataset_document,
    dataset_id_of,
    is_away,
    is_outage,
    retried,
    with_retries,
    write_permission,
)
from point_tracking.tracker.errors import DatabaseError


def test_a_database_user_who_may_only_read_is_told_so_in_words(tmp_path: Path) -> None:
    server = OwnServer(tmp_path / "own-database", "--auth")
    try:
        first: Any = MongoClient("127.0.0.1", server.port)
        first.admin.command("createUser", "admin", pwd="x", roles=["root"])
        admin: Any = MongoClient("127.0.0.1", server.port, username="admin", password="x")
        admin.admin.command("createUser", "reader", pwd="x", roles=["readAnyDatabase"])
        reader: Any = MongoClient("127.0.0.1", server.port, username="reader", password="x")
        with pytest.raises(DatabaseError, match="does not let this user write"), write_permission():
            with_retries(lambda: reader.kept.samples.insert_one({}))
    finally:
        server.kill()


def test_a_database_that_stays_away_is_said_in_words() -> None:
    from pymongo import MongoClient
    from pymongo.errors import ConfigurationError

    client: MongoClient = MongoClient("mongodb://127.0.0.1:9", serverSelectionTimeoutMS=50)
    started = time.monotonic()
    with pytest.raises(pt.PointTrackingError, match=r"not answered for .*skip_existing=True"):
        with_retries(lambda: client.x.y.find_one(), patience_s=1.0)
    assert time.monotonic() - started < 20

    def refuse() -> None:
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError):
        with_retries(refuse)


class Clock:
    """Stands in for the module `time`: sleeping takes no time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(connection, "time", clock)
    return clock


def _failing(*errors: Exception) -> Callable[[], str]:
    left = list(errors)

    def act() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return act


def _of_fiftyone() -> ValueError:
    """A bulk error as FiftyOne hands it on."""
    error = ValueError("bulk write failed")
    error.__cause__ = AutoReconnect("gone")
    return error


def test_what_fails_while_the_server_is_away_is_done_again_with_growing_pauses(clock: Clock) -> None:
    errors = [AutoReconnect("gone"), _of_fiftyone(), *[OperationFailure("starting", 13436)] * 4]
    assert with_retries(_failing(*errors)) == "done"
    assert clock.pauses == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.0, 3.0])


@pytest.mark.parametrize("error", [OperationFailure("no", 13), DuplicateKeyError("twice"), ZeroDivisionError("0")])
def test_what_the_server_refuses_is_not_done_again(clock: Clock, error: Exception) -> None:
    with pytest.raises(type(error)):
        with_retries(_failing(error))
    assert clock.pauses == []


@given(st.floats(0.0, 100.0))
def test_nobody_is_kept_waiting_longer_than_their_patience(patience_s: float) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "time", clock)
        with pytest.raises(DatabaseError, match=r"not answered for \d+ s .gone.") as caught:
            with_retries(_failing(*[AutoReconnect("gone")] * 1000), patience_s=patience_s)
    assert clock.now <= patience_s
    assert isinstance(caught.value.__cause__, AutoReconnect)


def test_a_retried_function_keeps_its_name_and_gets_its_arguments(clock: Clock) -> None:
    calls = []

    @retried
    def store(dataset: str, *, value: int) -> int:
        calls.append((dataset, value))
        if len(calls) == 1:
            raise AutoReconnect("gone")
        return value

    assert store("d", value=3) == 3
    assert (calls, store.__name__) == ([("d", 3)] * 2, "store")


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (AutoReconnect("x"), True),
        (ServerSelectionTimeoutError("x"), True),
        (ExecutionTimeout("x"), True),
        (OperationFailure("shutting down", 91), True),
        (OperationFailure("unauthorized", 13), False),
        (DuplicateKeyError("x"), False),
    ],
)
def test_a_server_that_is_away_is_told_from_one_that_refuses(error: PyMongoError, away: bool) -> None:
    assert is_away(error) == is_outage(error) == away
    wrapped = ValueError("of FiftyOne")
    wrapped.__cause__ = error
    assert database_error(wrapped) is database_error(error) is error
    assert is_outage(wrapped) == away


def test_only_errors_of_the_database_are_outages() -> None:
    assert is_outage(DatabaseError("not answered"))
    assert not is_outage(ValueError("no"))
    assert database_error(ValueError("no")) is None


class _Recorder:
    """A collection of pymongo that notes its calls and fails the first of each."""

    name = "recorded"

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.concern: Any = None

    def __getattr__(self, name: str) -> Any:
        def call(*_arguments: Any, **_options: Any) -> list[Any]:
            self.calls.append(name)
            if self.calls.count(name) == 1:
                raise AutoReconnect("gone")
            return []

        return call

    def with_options(self, *, write_concern: Any) -> _Recorder:
        self.concern = write_concern
        return self


@pytest.mark.parametrize(
    ("method", "arguments", "does"),
    [
        ("find", ({},), "find"),
        ("aggregate", ([],), "aggregate"),
        ("find_one", ({},), "find_one"),
        ("distinct", ("x",), "distinct"),
        ("insert_one", ({},), "insert_one"),
        ("update_one", ({}, {}), "update_one"),
        ("update_many", ({}, {}), "update_many"),
        ("replace_one", ({}, {}), "replace_one"),
        ("delete_one", ({},), "delete_one"),
        ("delete_many", ({},), "delete_many"),
        ("write", ([1],), "bulk_write"),
    ],
)
def test_every_call_of_a_collection_is_retried(clock: Clock, method: str, arguments: tuple, does: str) -> None:
    recorder: Any = _Recorder()
    getattr(RetryingCollection(recorder), method)(*arguments)
    assert recorder.calls == [does, does]


def test_collections_know_their_patience_and_wait_for_the_disk_where_told(clock: Clock) -> None:
    recorder: Any = _Recorder()
    hasty = RetryingCollection(recorder).waiting(0.1)
    with pytest.raises(DatabaseError):
        hasty.find({})
    with pytest.raises(DatabaseError):
        hasty.on_disk().delete_one({})
    assert recorder.concern.document == {"j": True}
    hasty.write([])
    assert "bulk_write" not in recorder.calls
    assert hasty.name == "recorded"


def test_other_errors_pass_the_check_of_permission() -> None:
    with pytest.raises(OperationFailure, match="full"), write_permission():
        raise OperationFailure("full", 14031)


def test_a_dataset_that_is_gone_has_no_document(make_dataset: Any, tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "absent.mp4")
    dataset_id = dataset_id_of(dataset)
    assert (dataset_document(dataset_id, "name") or {})["name"] == dataset.name
    address = fo.config.database_uri, fo.config.database_name
    assert database_problem(*address, str(dataset_id)) is None
    dataset.delete()
    assert dataset_document(dataset_id, "name") is None
    assert database_problem(*address, str(dataset_id)) == "another database answers there"
