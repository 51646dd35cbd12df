"""Outcomes kept while a run goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import pytest

from point_tracking.store.database import journal as journal_module
from point_tracking.store.database.connection import OUTCOMES, collection, dataset_id_of
from point_tracking.store.database.journal import Journal, clear_journal, journaled
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner


class Clock:
    """A time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(journal_module, "time", clock)
    return clock


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath="/absent.mp4"))
    yield dataset
    dataset.delete()


def _pages(dataset: fo.Dataset) -> list[dict[str, Any]]:
    return collection(OUTCOMES).find({"_id": Key(dataset_id_of(dataset)).below})


def test_outcomes_come_back_in_their_order_with_the_seconds_they_took(dataset: fo.Dataset, clock: Clock) -> None:
    journal = Journal(Owner(dataset, "run", beating=False), "run")
    for number in range(12):
        clock.now += 0.4
        journal.add({"number": number})
    journal.flush()
    outcomes, seconds = journaled(dataset_id_of(dataset), "run")
    assert [outcome["number"] for outcome in outcomes] == list(range(12))
    assert seconds == pytest.approx(12 * 0.4)
    assert len(_pages(dataset)) == 4, "every third outcome is a second later"
    clear_journal(dataset_id_of(dataset), "run", on_disk=True)
    assert journaled(dataset_id_of(dataset), "run") == ([], 0.0)


def test_outcomes_wait_for_a_second_or_for_many(
    dataset: fo.Dataset, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_FLUSH_OUTCOMES", 3)
    journal = Journal(Owner(dataset, "run", beating=False), "run")
    journal.add({})
    journal.add({})
    assert _pages(dataset) == []
    journal.add({})
    assert [len(page["outcomes"]) for page in _pages(dataset)] == [3]
    journal.flush()
    assert len(_pages(dataset)) == 1, "nothing new, no page"
    clear_journal(dataset_id_of(dataset), "run")


def test_a_journal_belongs_to_one_run_alone(dataset: fo.Dataset, clock: Clock) -> None:
    for key in ("run", "run_2"):
        journal = Journal(Owner(dataset, key, beating=False), key)
        journal.add({"of": key})
        journal.flush()
    assert journaled(dataset_id_of(dataset), "run")[0] == [{"of": "run"}]
    clear_journal(dataset_id_of(dataset), "run")
    assert journaled(dataset_id_of(dataset), "run_2")[0] == [{"of": "run_2"}]
    clear_journal(dataset_id_of(dataset), "run_2")
