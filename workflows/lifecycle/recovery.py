"""What comes before every run: ending what earlier runs had begun when their processes died."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import fiftyone as fo

from ...store.database.claims import settle_dead_owners
from ...store.database.connection import dataset_id_of
from ...store.database.liveness import Owner, Watch, forget, forget_deleted_datasets, owners_of
from ...store.database.locks import lock
from ...store.runs.records import known_runs, record_of, save_report, stored_report
from .kinds import report_class


def recover(dataset: fo.Dataset) -> None:
    """Brings half-written samples of a dataset into a whole state, and stores the reports of runs that died.

    Runs of living processes, here and on other machines, are left alone.

    Args:
        dataset: the dataset
    """
    watch = Watch()
    forget_deleted_datasets(watch)
    if not owners_of(dataset_id_of(dataset)):
        return
    with Owner(dataset, None) as owner, lock(owner, "recovery"):
        dead = settle_dead_owners(dataset, owner, watch)
        end_dead_runs(dataset, dead)
        for document in dead:
            forget(document["_id"])


def end_dead_runs(dataset: fo.Dataset, owners: Sequence[Mapping[str, Any]]) -> None:
    """Stores the reports of runs whose processes died.

    Args:
        dataset: of the runs
        owners: documents of the dead
    """
    runs = known_runs(dataset)
    for run_key in {owner["run_key"] for owner in owners} & set(runs):
        if stored_report(dataset, run_key) is None:
            kind = report_class(record_of(dataset, run_key)["method"])
            save_report(dataset, run_key, kind.unfinished(dataset, run_key).to_dict())
