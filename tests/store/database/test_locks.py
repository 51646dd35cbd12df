"""Locks: one owner at a time, and none that a dead one keeps."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import fiftyone as fo
import pytest

from point_tracking.store.database import locks
from point_tracking.store.database.connection import CLAIMS, OWNERS, collection
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner
from point_tracking.store.database.locks import lock

GONE_PID = 2**22 + 1


@pytest.fixture(autouse=True)
def _quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_LOCK_POLL_S", 0.005)


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath="/absent.mp4"))
    yield dataset
    dataset.delete()


@pytest.fixture(autouse=True)
def _no_lock_stays(dataset: fo.Dataset) -> Iterator[None]:
    yield
    assert collection(CLAIMS).find({"_id": Key(dataset._doc.id).below}) == [], "a lock was left"


def test_one_owner_at_a_time_is_inside(dataset: fo.Dataset) -> None:
    inside, most = [0], [0]
    barrier = threading.Barrier(4)

    def enter() -> None:
        barrier.wait()
        with Owner(dataset, None, beating=False) as owner:
            for _ in range(3):
                with lock(owner, "runs"):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    threading.Event().wait(0.002)
                    inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == ([0], [1])


def test_locks_of_other_names_do_not_wait(dataset: fo.Dataset) -> None:
    with (
        Owner(dataset, None, beating=False) as one,
        Owner(dataset, None, beating=False) as two,
        lock(one, "runs"),
        lock(two, "copies"),
    ):
        assert len(collection(CLAIMS).find({"_id": Key(dataset._doc.id).below})) == 2


def test_an_error_inside_lets_the_lock_go(dataset: fo.Dataset) -> None:
    with Owner(dataset, None, beating=False) as owner:
        with pytest.raises(ZeroDivisionError), lock(owner, "runs"):
            _ = 1 / 0
        with lock(owner, "runs"):
            pass


def test_a_dead_owners_lock_is_taken_over(dataset: fo.Dataset) -> None:
    dead = Owner(dataset, None, beating=False)
    dead.__enter__()
    held = lock(dead, "runs")
    held.__enter__()
    collection(OWNERS).update_one({"_id": dead.id}, {"$set": {"pid": GONE_PID}})
    with Owner(dataset, None, beating=False) as living, lock(living, "runs"):
        (claim,) = collection(CLAIMS).find({"_id": Key(dataset._doc.id).below})
        assert claim["owner"] == living.id
        # the dead one's thread wakes up after all: what is another's now is left alone
        held.__exit__(None, None, None)
        assert len(collection(CLAIMS).find({"_id": Key(dataset._doc.id).below})) == 1
