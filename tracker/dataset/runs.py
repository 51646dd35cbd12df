"""The run record: which tracker, options and versions made a field, and what became of each sample.

It is a custom run of FiftyOne's own kind, so `dataset.list_runs()`,
`get_run_info`, `load_run_results` and `delete_run` work on it.
"""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ..errors import OptionError
from ..models.registry import tracker_info
from .options import TrackOptions
from .preprocess_report import PreprocessReport
from .report import TrackReport

if TYPE_CHECKING:
    from .preprocess_options import PreprocessOptions

METHOD = "point_tracking"
PREPROCESS_METHOD = "point_tracking_preprocess"
_REPORTS: dict[str, type[TrackReport] | type[PreprocessReport]] = {
    METHOD: TrackReport,
    PREPROCESS_METHOD: PreprocessReport,
}
_DISTRIBUTIONS = ("fiftyone", "numpy", "opencv-python-headless", "av", "torch")


def choose_run_key(dataset: fo.Dataset, options: TrackOptions) -> str:
    """The key of the run to come.

    Args:
        dataset: the data set
        options: of the run; a key given there is used as it is

    Returns:
        the key; where none was given, the first free of "track_<field>", "track_<field>_2", ...

    Raises:
        OptionError: if the given key belongs to a run that this one must not replace
    """
    continues = options.overwrite or options.skip_existing
    return _choose(dataset, options.run_key, f"track_{options.label_field}", METHOD, continues)


def choose_preprocess_key(dataset: fo.Dataset, options: PreprocessOptions) -> str:
    """The key of the preprocessing run to come; as `choose_run_key`, with "preprocess" for "track_<field>"."""
    return _choose(dataset, options.run_key, "preprocess", PREPROCESS_METHOD, options.overwrite)


def _choose(dataset: fo.Dataset, given: str | None, base: str, method: str, continues: bool) -> str:
    taken = set(dataset.list_runs())
    if given is not None:
        if given in taken and not (continues and dataset.get_run_info(given).config.method == method):
            raise OptionError(
                f"There is a run {given!r} already. Choose another run key, delete that run, "
                "or use overwrite or skip_existing to run a point tracking run again"
            )
        return given
    candidates = (base if n == 1 else f"{base}_{n}" for n in range(1, len(taken) + 2))
    return next(key for key in candidates if key not in taken)


def register_run(dataset: fo.Dataset, run_key: str, options: TrackOptions, num_targets: int) -> None:
    """Records that a run starts.

    Args:
        dataset: the data set
        run_key: from `choose_run_key`
        options: of the run
        num_targets: samples it is going to look at
    """
    record: dict[str, Any] = {**options.to_record(), "num_targets": num_targets, "versions": versions()}
    if isinstance(options.tracker, str):
        info = tracker_info(options.tracker)
        record["weights"] = {"license": info.weights_license, "from": info.weights_from}
    else:
        record["tracker_options"] = options.tracker.options
    _register(dataset, run_key, METHOD, record)


def register_preprocess_run(dataset: fo.Dataset, run_key: str, options: PreprocessOptions, num_targets: int) -> None:
    """Records that a preprocessing run starts; as `register_run`."""
    record = {**options.to_record(), "num_targets": num_targets, "versions": versions()}
    _register(dataset, run_key, PREPROCESS_METHOD, record)


def _register(dataset: fo.Dataset, run_key: str, method: str, record: dict[str, Any]) -> None:
    config = dataset.init_run(method=method, **record)
    dataset.register_run(run_key, config, overwrite=run_key in dataset.list_runs())


def save_report(dataset: fo.Dataset, report: TrackReport | PreprocessReport) -> None:
    """Stores what became of every sample with the run.

    Args:
        dataset: the data set
        report: with the key of a registered run
    """
    results = dataset.init_run_results(report.run_key, report=report.to_dict())
    dataset.save_run_results(report.run_key, results, overwrite=True, cache=False)


def load_report(dataset: fo.Dataset, run_key: str) -> TrackReport | PreprocessReport:
    """Reads a run's report back.

    Args:
        dataset: the data set
        run_key: as in `report.run_key`

    Returns:
        the report

    Raises:
        OptionError: if there is no such run, or it is not one of ours
    """
    methods = {key: dataset.get_run_info(key).config.method for key in dataset.list_runs()}
    report_type = _REPORTS.get(methods.get(run_key, ""))
    if report_type is None:
        keys = [key for key, method in methods.items() if method in _REPORTS]
        raise OptionError(
            f"There is no point tracking run {run_key!r}. Runs of this data set: {', '.join(keys) or 'none'}"
        )
    results = dataset.load_run_results(run_key, cache=False)
    if results is None:
        raise OptionError(f"The run {run_key!r} has no report: it ended before its first sample")
    return report_type.from_dict(results.report)


def versions() -> dict[str, str]:
    """Versions of what takes part in tracking, without importing any of it."""
    found = {"python": platform.python_version()}
    for name in ("fiftyone-point-tracking", *_DISTRIBUTIONS):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
