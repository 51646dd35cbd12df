"""Which kinds of run there are, reading their reports back, and taking them back.

Adding a kind of run: a line in `KINDS`, from the `METHOD` of its options; where such runs can be taken back, with the
place of a `TakeBack`, and the panel *Runs* offers it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import fiftyone as fo

from ...store.runs.records import known_runs, record_of, stored_report
from ...tracker.errors import OptionError
from .report import Report

TRACKING_METHOD = "point_tracking"


@dataclass(frozen=True)
class RunKind:
    """A kind of run.

    Args:
        noun: in words
        report: "module:class", relative to this package; imported when such a run is read, so that one kind need
            not know the others
        by_sample: whether its report has an outcome for each sample
        take_back: "module:name" of its `TakeBack`; None where such runs cannot be taken back
    """

    noun: str
    report: str
    by_sample: bool = True
    take_back: str | None = None


@dataclass(frozen=True)
class TakenBack:
    """What taking a run back deletes, or has deleted.

    Args:
        what: in words, such as "the tracks of 3 samples"
        kept: what stays although the run wrote it, and why: a line each
    """

    what: str
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakeBack:
    """How runs of a kind are taken back: what they wrote is deleted, and nothing else.

    Args:
        noun: what that is, in words
        plan: called with the dataset and the key of a run; only looks
        delete: called with both; deletes what the run wrote, and its record
    """

    noun: str
    plan: Callable[[fo.Dataset, str], TakenBack]
    delete: Callable[[fo.Dataset, str], TakenBack]


# by the method of the run record
KINDS = {
    TRACKING_METHOD: RunKind(
        "tracking", "..tracking.report:TrackReport", take_back="..tracking.delete_tracks:TAKE_BACK"
    ),
    "point_tracking_preprocess": RunKind("preprocessing", "..preprocessing.report:PreprocessReport"),
    "point_tracking_evaluation": RunKind("evaluation", "..evaluation.report:EvaluationReport"),
    "point_tracking_adaptation": RunKind("adaptation", "..adaptation.report:AdaptationReport", by_sample=False),
    "point_tracking_propagation": RunKind("propagation", "..propagation.report:PropagationReport"),
    "point_tracking_rendering": RunKind(
        "rendering", "..rendering.report:RenderReport", take_back="..rendering.delete_files:TAKE_BACK"
    ),
    "point_tracking_correction": RunKind("correction", "..correction.report:CorrectionReport"),
    "point_tracking_motion": RunKind("motion", "..motion.report:MotionReport"),
}


def report_class(method: str) -> type[Report]:
    """The report of a kind of run.

    Args:
        method: of its record
    """
    return _imported(KINDS[method].report)


def take_back_of(method: str) -> TakeBack | None:
    """How a kind of run is taken back; None where that is not possible.

    Args:
        method: of its record
    """
    place = KINDS[method].take_back
    return None if place is None else _imported(place)


def _imported(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module, package=__package__), name)


def load_report(dataset: fo.Dataset, run_key: str) -> Report:
    """Reads a run's report back.

    Args:
        dataset: the dataset
        run_key: as in `report.run_key`

    Returns:
        the report; of a run whose process died, or is still at it, what is known of it

    Raises:
        OptionError: if there is no such run, or it is not one of ours
    """
    methods = {key: record_of(dataset, key)["method"] for key in known_runs(dataset)}
    method = methods.get(run_key)
    if method not in KINDS:
        keys = [key for key, other in methods.items() if other in KINDS]
        raise OptionError(
            f"There is no point tracking run {run_key!r}. Runs of this dataset: {', '.join(keys) or 'none'}"
        )
    kind, stored = report_class(method), stored_report(dataset, run_key)
    return kind.unfinished(dataset, run_key) if stored is None else kind.from_dict(stored)
