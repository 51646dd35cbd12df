"""The record of a run: its key, what it was told, and its report."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.database.connection import dataset_id_of
from point_tracking.store.database.journal import Journal, journaled
from point_tracking.store.database.liveness import Owner
from point_tracking.store.runs import records
from point_tracking.store.runs.records import (
    RunKeyTakenError,
    check_key_name,
    free_key,
    known_runs,
    record_of,
    register_run,
    run_keys,
    save_report,
    stored_report,
    versions,
)
from point_tracking.tracker.errors import OptionError


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    yield dataset
    dataset.delete()


@pytest.fixture(autouse=True)
def _no_run_stays(dataset: fo.Dataset) -> Iterator[None]:
    yield
    for key in dataset.list_runs():
        dataset.delete_run(key)


@given(st.text("aZ_1 .-\u00e9", max_size=4) | st.none() | st.integers())
def test_keys_are_names_that_fiftyone_does_not_keep_for_itself(key: Any) -> None:
    good = isinstance(key, str) and key.isidentifier() and not key.startswith("_")
    if good:
        assert check_key_name(key) == key
    else:
        with pytest.raises(OptionError, match="Invalid evaluation key"):
            check_key_name(key, "evaluation key")


@given(st.sets(st.integers(1, 12)))
def test_the_first_free_key_is_chosen(taken: set[int]) -> None:
    keys = {"track" if number == 1 else f"track_{number}" for number in taken}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "known_runs", lambda _dataset: sorted(keys))
        chosen = free_key(None, None, "track", replaceable=None)  # type: ignore[arg-type]
    first = next(number for number in range(1, 14) if number not in taken)
    assert chosen == ("track" if first == 1 else f"track_{first}")


def test_a_given_key_is_used_unless_a_run_that_must_stay_has_it(dataset: fo.Dataset) -> None:
    register_run(dataset, "mine", "method_a", {})
    assert free_key(dataset, "other", "base", replaceable=None) == "other"
    assert free_key(dataset, "mine", "base", replaceable="method_a") == "mine"
    for replaceable in (None, "method_b"):
        with pytest.raises(RunKeyTakenError, match="There is a run 'mine' already") as caught:
            free_key(dataset, "mine", "base", replaceable=replaceable)
        assert caught.value.method == "method_a"


def test_a_record_says_what_the_run_was_told_and_a_report_what_became_of_it(dataset: fo.Dataset) -> None:
    register_run(dataset, "run", "method_a", {"grid_size": 4, "points": None})
    record = record_of(dataset, "run")
    assert (record["method"], record["grid_size"], record["points"]) == ("method_a", 4, None)
    assert not any(name.startswith("_") for name in record)
    assert stored_report(dataset, "run") is None
    journal = Journal(Owner(dataset, "run", beating=False), "run")
    journal.add({"status": "done"})
    journal.flush()
    save_report(dataset, "run", {"seconds": 1.5, "outcomes": []})
    assert stored_report(dataset, "run") == {"seconds": 1.5, "outcomes": []}
    assert journaled(dataset_id_of(dataset), "run") == ([], 0.0), "the report takes the journal's place"
    save_report(dataset, "run", {"seconds": 2.0})
    assert stored_report(dataset, "run") == {"seconds": 2.0}


def test_a_run_under_a_key_again_begins_without_a_report_and_a_journal(dataset: fo.Dataset) -> None:
    register_run(dataset, "run", "method_a", {"value": 1})
    journal = Journal(Owner(dataset, "run", beating=False), "run")
    journal.add({"status": "done"})
    journal.flush()
    register_run(dataset, "run", "method_a", {"value": 2})
    assert record_of(dataset, "run")["value"] == 2
    assert stored_report(dataset, "run") is None
    assert journaled(dataset_id_of(dataset), "run")[0] == []


def test_runs_are_listed_by_their_method_the_latest_first(dataset: fo.Dataset) -> None:
    for key, method in (("one", "a"), ("two", "b"), ("three", "a"), ("four", "c")):
        register_run(dataset, key, method, {})
    assert run_keys(dataset, "a") == ["three", "one"]
    assert run_keys(dataset, "a", "b") == ["three", "two", "one"]
    assert run_keys(dataset) == []


def test_runs_that_another_process_recorded_are_known(dataset: fo.Dataset) -> None:
    register_run(dataset, "theirs", "a", {})
    # as in a process that loaded the dataset before
    del dataset._doc.runs["theirs"]
    assert dataset.list_runs() == [], "FiftyOne's own list is that of this process"
    assert known_runs(dataset) == ["theirs"]


def test_versions_are_those_of_what_takes_part() -> None:
    found = versions()
    assert found["fiftyone"] == importlib.metadata.version("fiftyone")
    assert {"python", "fiftyone-point-tracking", "numpy", "av", "torch"} <= set(found)
    assert all(found.values())


def test_a_distribution_that_is_missing_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_DISTRIBUTIONS", ("no-such-distribution",))
    assert versions()["no-such-distribution"] == "not installed"
