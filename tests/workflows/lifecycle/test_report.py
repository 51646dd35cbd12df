"""Reports of all workflows: there and back, unfinished ones, and what they count."""

from __future__ import annotations

import json
import string
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.store.runs.outcomes import DONE, FAILED, NOT_RUN, Outcome
from point_tracking.workflows.adaptation.report import AdaptationReport
from point_tracking.workflows.correction.report import CorrectionReport
from point_tracking.workflows.evaluation.report import EvaluationReport
from point_tracking.workflows.lifecycle import report as report_module
from point_tracking.workflows.lifecycle.kinds import KINDS, report_class
from point_tracking.workflows.lifecycle.report import Report, SampleReport
from point_tracking.workflows.motion.report import MotionReport
from point_tracking.workflows.preprocessing.report import PreprocessReport
from point_tracking.workflows.propagation.report import PropagationReport
from point_tracking.workflows.rendering.report import RenderReport
from point_tracking.workflows.tracking.report import TrackReport

REPORTS = (
    MotionReport,
    TrackReport,
    PreprocessReport,
    EvaluationReport,
    AdaptationReport,
    PropagationReport,
    RenderReport,
    CorrectionReport,
)
TEXT = st.text(string.ascii_letters + "_|\n\u00e9", max_size=5)
PLAIN = st.none() | st.booleans() | st.integers(-9, 9) | TEXT


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type."""
    simple = {str: TEXT, int: st.integers(0, 2**40), float: st.floats(0, 1e6), bool: st.booleans(), Any: PLAIN}
    if hint in simple:
        return simple[hint]
    if hint is type(None):
        return st.none()
    if is_dataclass(hint):
        return _made(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is list:
        return st.lists(_values(arguments[0]), max_size=3)
    if origin is tuple:
        return st.lists(_values(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(TEXT, _values(arguments[1]), max_size=2)
    return st.one_of([_values(argument) for argument in arguments])


def _made(cls: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    if issubclass(cls, SampleReport):
        hints["outcomes"] = list[cls.OUTCOME]
    return st.builds(cls, **{spec.name: _values(hints[spec.name]) for spec in fields(cls) if spec.init})


@pytest.mark.parametrize("cls", REPORTS)
@settings(max_examples=30)
@given(data=st.data())
def test_a_report_comes_back_from_what_is_stored(cls: type[Report], data: st.DataObject) -> None:
    report = data.draw(_made(cls))
    assert cls.from_dict(report.to_dict()) == report
    assert cls.from_dict(json.loads(json.dumps(report.to_dict()))) == report
    assert cls.from_dict({**report.to_dict(), "of_another_version": 1}) == report
    assert str(report)


def test_every_kind_of_run_has_one_of_these_reports() -> None:
    assert {report_class(method) for method in KINDS} == set(REPORTS)
    for cls in REPORTS:
        assert {*cls.FROM_RECORD} <= {spec.name for spec in fields(cls)}


def _outcome(status: str, **facts: Any) -> Outcome:
    return Outcome(f"id-{status}", f"/{status}.mp4", status, **facts)


def test_samples_are_counted_by_what_became_of_them() -> None:
    outcomes = [
        _outcome(DONE, warnings=("dark",)),
        _outcome(FAILED, kind="VideoError", message="no"),
        _outcome(NOT_RUN),
    ]
    report = TrackReport(label_field="tracks", tracker="t", num_targets=5, outcomes=outcomes)
    assert report.outcomes_with() == outcomes
    assert report.outcomes_with(DONE, NOT_RUN) == [outcomes[0], outcomes[2]]
    (failure,) = report.failures
    assert (failure.sample_id, failure.kind, failure.message) == ("id-failed", "VideoError", "no")
    assert report.warnings == [("/done.mp4", "dark")]
    assert report.num_not_run == 3, "two were not even looked at"
    assert [row["status"] for row in report.rows(FAILED)] == ["failed"]
    assert len(report.table().splitlines()) == 2 + 3
    assert replace(report, num_targets=0).num_not_run == 1


def test_what_is_known_of_a_run_that_died_is_its_record_and_its_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Dataset:
        class _doc:
            id = "d"

    record = {"method": "point_tracking_preprocess", "output_dir": "/out", "target": "dataset", "num_targets": 4}
    journal = [{"sample_id": "a", "filepath": "/a.mp4", "status": "done", "warnings": ["w"]}]
    monkeypatch.setattr(report_module, "record_of", lambda _dataset, _key: record)
    monkeypatch.setattr(report_module, "journaled", lambda _id, _key: (journal, 7.5))
    dataset: Any = Dataset()
    report = PreprocessReport.unfinished(dataset, "run")
    assert (report.run_key, report.interrupted, report.seconds, report.num_not_run) == ("run", True, 7.5, 3)
    assert (report.output_dir, report.target, report.media_field) == ("/out", "dataset", None)
    assert report.outcomes[0].warnings == ("w",)
    assert "interrupted, or still running, with 3 videos to go" in str(report)
