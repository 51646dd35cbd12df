"""The kinds of run, and their reports read back."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import pytest

from point_tracking.store.runs.records import register_run, save_report
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.adaptation.options import AdaptOptions
from point_tracking.workflows.correction.options import CorrectOptions
from point_tracking.workflows.evaluation.options import EvaluationOptions
from point_tracking.workflows.lifecycle.kinds import KINDS, load_report, report_class, take_back_of
from point_tracking.workflows.lifecycle.report import SampleReport
from point_tracking.workflows.motion.options import MotionOptions
from point_tracking.workflows.preprocessing.options import PreprocessOptions
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.rendering.options import RenderOptions
from point_tracking.workflows.tracking.options import TrackOptions
from point_tracking.workflows.tracking.report import TrackReport


def test_the_kinds_are_those_of_the_options() -> None:
    trained = (AdaptOptions,)
    written = (TrackOptions, PreprocessOptions, EvaluationOptions, PropagateOptions, RenderOptions, CorrectOptions)
    assert {cls.METHOD for cls in (*trained, *written, MotionOptions)} == set(KINDS)
    for method, kind in KINDS.items():
        assert issubclass(report_class(method), SampleReport) == kind.by_sample
        assert kind.noun
    taken_back = {kind.noun: back.noun for method, kind in KINDS.items() if (back := take_back_of(method)) is not None}
    assert taken_back == {"tracking": "tracks", "rendering": "files"}


def test_reports_are_read_back_and_other_runs_are_refused() -> None:
    dataset = fo.Dataset()
    with pytest.raises(OptionError, match=r"no point tracking run 'mine'\. Runs of this dataset: none"):
        load_report(dataset, "mine")
    register_run(dataset, "mine", TrackOptions.METHOD, {"label_field": "a", "tracker": "t", "num_targets": 2})
    register_run(dataset, "theirs", "another_plugin", {})
    unfinished: Any = load_report(dataset, "mine")
    assert (unfinished.interrupted, unfinished.label_field, unfinished.num_not_run) == (True, "a", 2)
    report = TrackReport(label_field="a", tracker="t", run_key="mine", seconds=3.0)
    save_report(dataset, "mine", report.to_dict())
    assert load_report(dataset, "mine") == report
    for key in ("theirs", "nothing"):
        with pytest.raises(OptionError, match=f"no point tracking run '{key}'. Runs of this dataset: mine$"):
            load_report(dataset, key)
    dataset.delete()
