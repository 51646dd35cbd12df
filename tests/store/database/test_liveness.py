"""Which run is alive, and what is left of those that are not."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest

from point_tracking.store.database import connection as database
from point_tracking.store.database import liveness as owners
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import (
    DeathWatch,
    KnownDeath,
    Owner,
    Watch,
    forget,
    forget_deleted_datasets,
    owners_of,
    process_start,
    this_host,
)

MakeDataset = Callable[..., fo.Dataset]
GONE_PID = 2**22 + 1


def test_an_owner_on_another_machine_is_dead_once_its_counter_stands_still(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    monkeypatch.setattr(owners, "BEAT_S", 0.0)
    collection = database.collection(database.OWNERS)
    with Owner(dataset, "far", beating=False) as owner:
        collection.update_one({"_id": owner.id}, {"$set": {"host": "elsewhere"}})
        watch = Watch()
        assert [watch.is_dead(owner.id) for _ in range(owners.LOOKS)] == [None] * owners.LOOKS
        collection.update_one({"_id": owner.id}, {"$inc": {"beat": 1}})
        assert watch.is_dead(owner.id) is False
        assert [watch.is_dead(owner.id) for _ in range(owners.LOOKS)] == [None] * (owners.LOOKS - 1) + [True]
    assert Watch().is_dead(owner.id)
    assert process_start(1) is not None
    assert process_start(2**22 + 1) is None


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath="/absent.mp4"))
    yield dataset
    dataset.delete()


def test_an_owner_is_seen_while_it_works_and_not_after_it(dataset: fo.Dataset) -> None:
    with Owner(dataset, None, version="1.2", beating=False) as owner:
        owner.name_run("run")
        (document,) = owners_of(dataset._doc.id)
        assert (document["_id"], document["run_key"], document["version"]) == (owner.id, "run", "1.2")
        assert (document["host"], document["pid"]) == (this_host(), os.getpid())
        assert document["pid_start"] == process_start(os.getpid())
    assert owners_of(dataset._doc.id) == []


def test_an_owner_that_is_to_be_kept_stays_until_it_is_forgotten(dataset: fo.Dataset) -> None:
    with Owner(dataset, "run", beating=False, owner_id="kept") as owner:
        owner.keep = True
    assert [document["_id"] for document in owners_of(dataset._doc.id)] == ["kept"]
    forget("kept")
    assert owners_of(dataset._doc.id) == []


def test_a_beating_owner_counts_and_comes_back_where_the_server_lost_it(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owners, "BEAT_S", 0.01)

    def beat(owner: Owner) -> int:
        return (database.collection(database.OWNERS).find_one({"_id": owner.id}) or {}).get("beat", 0)

    def wait_for_beat(owner: Owner) -> None:
        deadline = time.monotonic() + 20
        while not beat(owner) and time.monotonic() < deadline:
            time.sleep(0.005)
        assert beat(owner)

    with Owner(dataset, "run") as owner:
        wait_for_beat(owner)
        forget(owner.id)
        wait_for_beat(owner)
        (document,) = owners_of(dataset._doc.id)
        assert (document["run_key"], document["pid"]) == ("run", os.getpid())
    assert owners_of(dataset._doc.id) == []


def test_another_process_of_this_machine_is_dead_once_it_is_gone(dataset: fo.Dataset) -> None:
    collection, watch = database.collection(database.OWNERS), Watch()
    with Owner(dataset, "run", beating=False) as owner:
        for pid, start, dead in ((1, process_start(1), False), (1, "another", True), (GONE_PID, "1", True)):
            collection.update_one({"_id": owner.id}, {"$set": {"pid": pid, "pid_start": start}})
            assert watch.is_dead(owner.id) is watch.wait(owner.id) is dead


def test_a_known_death_is_that_of_one() -> None:
    watch: DeathWatch = KnownDeath("a")
    assert (watch.is_dead("a"), watch.is_dead("b")) == (True, False)


def test_a_process_is_known_by_when_it_began() -> None:
    child = subprocess.Popen(["sleep", "60"])
    try:
        start = process_start(child.pid)
        assert start is not None
        assert start == process_start(child.pid)
    finally:
        child.kill()
    while process_start(child.pid) is not None:  # dead, though its number is kept until it is waited for
        time.sleep(0.005)
    child.wait()
    assert process_start(child.pid) is None


def test_what_is_left_of_deleted_datasets_goes_once_all_of_its_owners_are_dead(
    make_dataset: MakeDataset, clip: Path
) -> None:
    dataset = make_dataset(clip)
    dataset_id = dataset._doc.id
    with Owner(dataset, "one", beating=False), Owner(dataset, "two", beating=False) as two:
        for name in (database.CLAIMS, database.STAGED, database.OUTCOMES):
            database.collection(name).insert_one({"_id": str(Key(dataset_id, ("tracks", "s")))})
        dataset.delete()
        forget_deleted_datasets(_Dead(two.id))
        assert len(leftovers_of(dataset_id)) == 5, "one of them may still write"
        forget_deleted_datasets(_Dead())
        assert leftovers_of(dataset_id) == []


def leftovers_of(dataset_id: Any) -> list[Any]:
    key = {"_id": Key(dataset_id).below}
    names = (database.CLAIMS, database.STAGED, database.OUTCOMES)
    return [d for name in names for d in database.collection(name).find(key)] + owners_of(dataset_id)


class _Dead(Watch):
    """A watch to which everybody is dead but some."""

    def __init__(self, *living: str) -> None:
        super().__init__()
        self._living = living

    def is_dead(self, owner_id: str) -> bool:
        return owner_id not in self._living
