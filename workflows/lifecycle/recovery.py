"""What comes before every run: ending what earlier runs had begun when their processes died."""

from __future__ import annotations

import fiftyone as fo

from ...store.database.claims import settle_dead_owners
from ...store.database.connection import dataset_id_of
from ...store.database.liveness import Owner, Watch, forget, forget_deleted_datasets, owners_of
from ...store.database.locks import lock
from ...store.runs.records import end_dead_runs


def recover(dataset: fo.Dataset) -> None:
    """Brings half-written samples of a data set into a whole state, and stores the reports of runs that died.

    Runs of living processes, here and on other machines, are left alone.

    Args:
        dataset: the data set
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
