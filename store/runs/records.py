"""The run record: which tracker, options and versions made a field, and what became of each sample.

It is a custom run of FiftyOne's own kind, so `dataset.list_runs()`,
`get_run_info`, `load_run_results` and `delete_run` work on it.
"""

from __future__ import annotations

import logging
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...tracker.errors import DatabaseError, OptionError
from ...tracker.models.registry import tracker_info
from ...version import __version__
from ...workflows.adaptation.report import AdaptationReport
from ...workflows.evaluation.report import EvaluationReport
from ...workflows.preprocessing.report import PreprocessReport
from ...workflows.tracking.options import TrackOptions
from ...workflows.tracking.report import TrackReport
from ..database.connection import changing_document, dataset_document, dataset_id_of, patiently
from ..database.fields import info_field_of, is_ours
from ..database.journal import clear_journal, journaled
from ..tracks.sample_status import DONE as MARKED_DONE
from .outcomes import DONE

if TYPE_CHECKING:
    from ...workflows.adaptation.options import AdaptOptions
    from ...workflows.evaluation.options import EvaluationOptions
    from ...workflows.preprocessing.options import PreprocessOptions

METHOD = "point_tracking"
PREPROCESS_METHOD = "point_tracking_preprocess"
EVALUATION_METHOD = "point_tracking_evaluation"
ADAPTATION_METHOD = "point_tracking_adaptation"
AnyReport = TrackReport | PreprocessReport | EvaluationReport | AdaptationReport
_REPORTS: dict[str, type[AnyReport]] = {
    METHOD: TrackReport,
    PREPROCESS_METHOD: PreprocessReport,
    EVALUATION_METHOD: EvaluationReport,
    ADAPTATION_METHOD: AdaptationReport,
}
# who ends a run waits for the record, but not for a database that is gone
LAST_PATIENCE_S = 2.0
_DISTRIBUTIONS = ("fiftyone", "numpy", "opencv-python-headless", "av", "torch")

logger = logging.getLogger(__name__)


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


def choose_evaluation_key(dataset: fo.Dataset, options: EvaluationOptions) -> str:
    """The key of the evaluation to come; as `choose_run_key`, with "eval_<field>"."""
    return _choose(dataset, options.eval_key, f"eval_{options.label_field}", EVALUATION_METHOD, options.overwrite)


def choose_adaptation_key(dataset: fo.Dataset, options: AdaptOptions) -> str:
    """The key of the adaptation to come; as `choose_run_key`, with "adapt_<name>"."""
    base = "adapt_" + options.name.replace("-", "_")
    return _choose(dataset, options.run_key, base, ADAPTATION_METHOD, options.overwrite)


def _choose(dataset: fo.Dataset, given: str | None, base: str, method: str, continues: bool) -> str:
    taken = set(known_runs(dataset))
    if given is not None:
        same_kind = given in taken and dataset.get_run_info(given).config.method == method
        if given in taken and not (continues and same_kind):
            again = "overwrite=True or skip_existing=True" if method == METHOD else "overwrite=True"
            remedy = f", delete that run, or use {again} to run it again" if same_kind else " or delete that run"
            raise OptionError(f"There is a run {given!r} already. Choose another run key{remedy}")
        return given
    candidates = (base if n == 1 else f"{base}_{n}" for n in range(1, len(taken) + 2))
    return next(key for key in candidates if key not in taken)


def run_keys(dataset: fo.Dataset, *methods: str) -> list[str]:
    """The keys of our runs, the latest first.

    Args:
        dataset: of the runs
        methods: `METHOD`, `PREPROCESS_METHOD`, ...; which kinds of run
    """
    infos = {key: dataset.get_run_info(key) for key in dataset.list_runs()}
    ours = [key for key, info in infos.items() if info.config.method in methods]
    return sorted(ours, key=lambda key: infos[key].timestamp, reverse=True)


def known_runs(dataset: fo.Dataset) -> list[str]:
    """The keys of all runs of a data set, those of other processes too."""
    stored = (dataset_document(dataset_id_of(dataset), "runs") or {}).get("runs") or {}
    with changing_document:
        if not set(stored) <= set(dataset.list_runs()):
            dataset.reload()
        return dataset.list_runs()


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


def register_evaluation_run(dataset: fo.Dataset, run_key: str, options: EvaluationOptions, num_targets: int) -> None:
    """Records that an evaluation starts; as `register_run`."""
    record = {**options.to_record(), "num_targets": num_targets, "versions": versions()}
    _register(dataset, run_key, EVALUATION_METHOD, record)


def register_adaptation_run(dataset: fo.Dataset, run_key: str, options: AdaptOptions, num_targets: int) -> None:
    """Records that an adaptation starts; as `register_run`."""
    record = {**options.to_record(), "num_targets": num_targets, "versions": versions()}
    _register(dataset, run_key, ADAPTATION_METHOD, record)


def _register(dataset: fo.Dataset, run_key: str, method: str, record: dict[str, Any]) -> None:
    config = dataset.init_run(method=method, **record)
    with changing_document:
        patiently(lambda: dataset.register_run(run_key, config, overwrite=run_key in dataset.list_runs()))
    # a server that is killed loses what it wrote last; without its record a run cannot store its report
    clear_journal(dataset_id_of(dataset), run_key, on_disk=True)


def save_report(dataset: fo.Dataset, report: AnyReport, *, patience_s: float | None = None) -> None:
    """Stores what became of every sample with the run, and empties its journal.

    Args:
        dataset: the data set
        report: with the key of a registered run
        patience_s: how long to try where the database is away

    Raises:
        DatabaseError: if it stays away
    """
    with changing_document:
        results = dataset.init_run_results(report.run_key, report=report.to_dict())
        patiently(
            lambda: dataset.save_run_results(report.run_key, results, overwrite=True, cache=False),
            patience_s=patience_s,
        )
    clear_journal(dataset_id_of(dataset), report.run_key or "", patience_s=patience_s)


def save_last_report(dataset: fo.Dataset, report: AnyReport) -> None:
    """Stores the report of a run that something ended; what ended it stays the error to see.

    Args:
        dataset, report: as for `save_report`
    """
    try:
        save_report(dataset, report, patience_s=LAST_PATIENCE_S)
    except DatabaseError:
        # the next run makes a report from the journal
        logger.exception("The report of the run %r could not be stored", report.run_key)


def load_report(dataset: fo.Dataset, run_key: str) -> AnyReport:
    """Reads a run's report back.

    Args:
        dataset: the data set
        run_key: as in `report.run_key`

    Returns:
        the report; of a run whose process died, or is still at it, what is known of it

    Raises:
        OptionError: if there is no such run, or it is not one of ours
    """
    configs = {key: dataset.get_run_info(key).config for key in known_runs(dataset)}
    config = configs.get(run_key)
    if config is None or config.method not in _REPORTS:
        keys = [key for key, other in configs.items() if other.method in _REPORTS]
        raise OptionError(
            f"There is no point tracking run {run_key!r}. Runs of this data set: {', '.join(keys) or 'none'}"
        )
    results = dataset.load_run_results(run_key, cache=False)
    if results is None:
        return unfinished_report(dataset, run_key)
    return _REPORTS[config.method].from_dict(results.report)


def unfinished_report(dataset: fo.Dataset, run_key: str) -> AnyReport:
    """What is known of a run that did not store its report, from its journal and the marks it left."""
    config = dataset.get_run_info(run_key).config
    if config.method == EVALUATION_METHOD:  # keeps no journal: it is quick, and stores every score at once
        return EvaluationReport(
            run_key,
            config.label_field,
            config.gt_field,
            query_mode=config.query_mode,
            group_by=config.group_by,
            interrupted=True,
        )
    if config.method == ADAPTATION_METHOD:
        return AdaptationReport(run_key, config.name, config.tracker, interrupted=True)
    outcomes, seconds = journaled(dataset_id_of(dataset), run_key)
    common = {
        "run_key": run_key,
        "seconds": seconds,
        "interrupted": True,
        "num_targets": config.num_targets,
        "outcomes": outcomes,
    }
    if config.method == PREPROCESS_METHOD:
        return PreprocessReport.from_dict(
            {
                **common,
                "output_dir": config.output_dir,
                "target": config.target,
                "media_field": config.media_field,
            }
        )
    known = {outcome["sample_id"] for outcome in outcomes}
    marked = [o for o in marked_outcomes(dataset, config, run_key) if o["sample_id"] not in known]
    return TrackReport.from_dict(
        {**common, "outcomes": outcomes + marked, "label_field": config.label_field, "tracker": config.tracker}
    )


def marked_outcomes(dataset: fo.Dataset, config: Any, run_key: str) -> list[dict[str, Any]]:
    """Samples that a run finished in the second before its process, or a worker, died; by their marks.

    Args:
        dataset: of the run
        config: its record or its options
        run_key: of its record

    Returns:
        what `Outcome` takes, as far as marks tell
    """
    info = info_field_of(config.label_field)
    # on the source's samples the outcomes would have other ids than those of the copies that were tracked
    if not is_ours(dataset, config.label_field) or config.write_to == "source":
        return []
    view = dataset.match((fo.ViewField(f"{info}.run_key") == run_key) & (fo.ViewField(f"{info}.state") == MARKED_DONE))
    keys = ["id", "filepath", f"{info}.num_points", f"{info}.num_frames", f"{info}.num_keypoints"]
    names = ("sample_id", "filepath", "num_points", "num_frames", "num_keypoints")
    rows = zip(*view.values(keys), strict=True)
    return [{**dict(zip(names, row, strict=True)), "status": DONE} for row in rows]


def end_dead_runs(dataset: fo.Dataset, owners: Sequence[Mapping[str, Any]]) -> None:
    """Stores the reports of runs whose processes died.

    Args:
        dataset: of the runs
        owners: documents of the dead
    """
    runs = known_runs(dataset)
    for run_key in {owner["run_key"] for owner in owners} & set(runs):
        if dataset.load_run_results(run_key, cache=False) is None:
            save_report(dataset, unfinished_report(dataset, run_key))


def versions() -> dict[str, str]:
    """Versions of what takes part in tracking, without importing any of it."""
    # as a plugin, the package need not be installed
    found = {"python": platform.python_version(), "fiftyone-point-tracking": __version__}
    for name in _DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found
