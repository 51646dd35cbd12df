"""The run record: what a run was told, with which versions, and its report; of any kind of run.

It is a custom run of FiftyOne's own kind, so `dataset.list_runs()`,
`get_run_info`, `load_run_results` and `delete_run` work on it.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata
from typing import Any

import fiftyone as fo

from ...tracker.errors import OptionError
from ...version import __version__
from ..database.connection import (
    changing_document,
    dataset_document,
    dataset_id_of,
    reload_dataset,
    retried,
    with_retries,
)
from ..database.journal import clear_journal

_DISTRIBUTIONS = ("fiftyone", "numpy", "opencv-python-headless", "av", "torch")


class RunKeyTakenError(OptionError):
    """There is a run of that key.

    Args:
        key: that was asked for
        method: of the run that has it
    """

    def __init__(self, key: str, method: str) -> None:
        super().__init__(f"There is a run {key!r} already")
        self.method = method


def check_key_name(key: object, what: str = "run key") -> str:
    """Refuses a key that FiftyOne could not keep a run under.

    Args:
        key: the name
        what: it is to be, for the message

    Returns:
        the same name

    Raises:
        OptionError: saying what a good key is
    """
    # FiftyOne keeps names that start with an underscore for itself
    if not (isinstance(key, str) and key.isidentifier() and key[0] != "_"):
        raise OptionError(
            f"Invalid {what} ({key!r}). A key consists of letters, digits and underscores and starts with a letter"
        )
    return key


def free_key(dataset: fo.Dataset, given: str | None, base: str, *, replaceable: str | None) -> str:
    """Chooses a run key; ask under the lock "runs".

    Args:
        dataset: that keeps the run
        given: the user's choice
        base: the key where there is none; the first free of base, base_2, ... is taken
        replaceable: method of runs that may be replaced under a given key; None = no run may be

    Returns:
        the key

    Raises:
        RunKeyTakenError: if the given key belongs to a run that must not be replaced
    """
    taken = set(known_runs(dataset))
    if given is None:
        candidates = (base if n == 1 else f"{base}_{n}" for n in range(1, len(taken) + 2))
        return next(key for key in candidates if key not in taken)
    if given in taken:
        method = record_of(dataset, given)["method"]
        if method != replaceable:
            raise RunKeyTakenError(given, method)
    return given


def run_keys(dataset: fo.Dataset, *methods: str) -> list[str]:
    """The keys of some kinds of run, the latest first.

    Args:
        dataset: of the runs
        methods: `METHOD` of their options
    """
    infos = {key: dataset.get_run_info(key) for key in dataset.list_runs()}
    found = [key for key, info in infos.items() if info.config.method in methods]
    return sorted(found, key=lambda key: infos[key].timestamp, reverse=True)


def known_runs(dataset: fo.Dataset) -> list[str]:
    """The keys of all runs of a dataset, those of other processes too."""
    stored = (dataset_document(dataset_id_of(dataset), "runs") or {}).get("runs") or {}
    with changing_document:
        if not set(stored) <= set(dataset.list_runs()):
            reload_dataset(dataset)
        return dataset.list_runs()


def record_of(dataset: fo.Dataset, run_key: str) -> dict[str, Any]:
    """What a run was told; `method` says which kind it is of."""
    config = dataset.get_run_info(run_key).config
    return {**{name: value for name, value in vars(config).items() if name[0] != "_"}, "method": config.method}


def register_run(dataset: fo.Dataset, run_key: str, method: str, record: Mapping[str, Any]) -> None:
    """Records that a run starts; on the server's disk when this returns.

    Args:
        dataset: that keeps the run
        run_key: from `free_key`
        method: the kind of run
        record: JSON-serialisable values
    """
    with changing_document:
        _register(dataset, run_key, dataset.init_run(method=method, **record))
    # a server that is killed loses what it wrote last; without its record a run cannot store its report
    clear_journal(dataset_id_of(dataset), run_key, on_disk=True)


@retried
def _register(dataset: fo.Dataset, run_key: str, config: Any) -> None:
    dataset.register_run(run_key, config, overwrite=run_key in dataset.list_runs())


def save_report(
    dataset: fo.Dataset, run_key: str, report: Mapping[str, Any], *, patience_s: float | None = None
) -> None:
    """Stores what became of a run, and empties its journal.

    Args:
        dataset: that keeps the run
        run_key: of a registered run
        report: JSON-serialisable values
        patience_s: how long to try where the database is away

    Raises:
        DatabaseError: if it stays away
    """
    with changing_document:
        results = dataset.init_run_results(run_key, report=dict(report))

        def save() -> None:
            dataset.save_run_results(run_key, results, overwrite=True, cache=False)

        with_retries(save, patience_s=patience_s)
    clear_journal(dataset_id_of(dataset), run_key, patience_s=patience_s)


def stored_report(dataset: fo.Dataset, run_key: str) -> dict[str, Any] | None:
    """What `save_report` stored; None while the run goes on, or where its process died."""
    results = dataset.load_run_results(run_key, cache=False)
    return None if results is None else results.report


def versions() -> dict[str, str]:
    """Versions of what takes part in a run, without importing any of it."""
    # as a plugin, the package need not be installed
    found = {"python": platform.python_version(), "fiftyone-point-tracking": __version__}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
