"""Which kinds of run there are, and reading their reports back.

Adding a kind of run: a line in `KINDS`, from the `METHOD` of its options.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

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
    """

    noun: str
    report: str
    by_sample: bool = True


# by the method of the run record
KINDS = {
    TRACKING_METHOD: RunKind("tracking", "..tracking.report:TrackReport"),
    "point_tracking_preprocess": RunKind("preprocessing", "..preprocessing.report:PreprocessReport"),
    "point_tracking_evaluation": RunKind("evaluation", "..evaluation.report:EvaluationReport"),
    "point_tracking_adaptation": RunKind("adaptation", "..adaptation.report:AdaptationReport", by_sample=False),
    "point_tracking_propagation": RunKind("propagation", "..propagation.report:PropagationReport"),
    "point_tracking_rendering": RunKind("rendering", "..rendering.report:RenderReport"),
    "point_tracking_correction": RunKind("correction", "..correction.report:CorrectionReport"),
    "point_tracking_motion": RunKind("motion", "..motion.report:MotionReport"),
}


def report_class(method: str) -> type[Report]:
    """The report of a kind of run.

    Args:
        method: of its record
    """
    module, _, name = KINDS[method].report.partition(":")
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
