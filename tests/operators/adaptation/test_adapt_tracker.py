"""The operator that adapts trackers, called as the App and as Python call it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor
from operator_forms import form_of

import point_tracking as pt
from point_tracking.workflows.adaptation.report import AdaptationReport

URI = "@fo-video/point-tracking/adapt_tracker"
pytestmark = pytest.mark.usefixtures("weights")
QUICK = {"tracker": "first", "steps": 2, "points": 8, "device": "cpu"}


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _texts(dataset: fo.Dataset, **params: Any) -> Iterator[str]:
    """What the App is told to show."""
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params}, executor=Executor())
    for call in foo.get_operator(URI).execute(context):
        if "show_output" in call.body.operator_uri:
            yield call.body.params["results"]["summary"]


@pytest.mark.parametrize(("schedules", "has_worker"), [(False, True), (True, False), (True, True)])
def test_the_operator_is_scheduled_where_the_app_was_started_for_that_and_a_worker_runs(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch, schedules: bool, has_worker: bool
) -> None:
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", schedules)
    operator = foo.get_operator(URI)
    monkeypatch.setattr(sys.modules[type(operator).__module__], "worker_is_seen", lambda: has_worker)
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {}})
    options = operator.resolve_execution_options(context)
    assert options.allow_immediate_execution
    assert options.default_choice_to_delegated is (schedules and has_worker)
    assert "held out" in operator.config.description


def test_executing_it_stores_a_better_tracker_and_a_report(dataset: fo.Dataset) -> None:
    # the teacher has no drift and leaves every point where it is, which is true of these clips
    params = {**QUICK, "name": "mine", "teachers": ["bound"], "own_start": False, "learning_rate": 3e-3}
    result = foo.execute_operator(URI, {"dataset": dataset}, params={**params, "steps": 30, "points": 16})
    assert result.error is None
    dataset.reload()
    report = pt.load_report(dataset, "adapt_mine")
    assert isinstance(report, AdaptationReport)
    assert report.kept, report
    assert not pt.tracker_info("mine").commercial_use
    tracker_choices = _form(dataset)["tracker"].type.values
    assert "mine" in tracker_choices
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {"tracker": "mine"}})
    form = foo.get_operator("@fo-video/point-tracking/track_points").resolve_input(context).type.properties
    assert "mine" in form["tracker"].type.values
    assert "CC-BY-NC-4.0" in form["tracker_terms"].view.label


def test_a_delegated_run_does_the_same(dataset: fo.Dataset) -> None:
    result = foo.get_operator(URI)(dataset, "mine", delegate=True, **QUICK)
    assert result.delegated
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    dataset.reload()
    assert pt.load_report(dataset, "adapt_mine").to_dict()["steps"] == 2
    operations.delete_operation(done.id)


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    report = foo.get_operator(URI)(dataset, "mine", **QUICK)
    assert (report.name, report.steps, report.run_key) == ("mine", 2, "adapt_mine")


def test_the_app_is_told_whether_it_is_better_and_where_it_is(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    (refused,) = _texts(dataset, name="mine", **{**QUICK, "learning_rate": 1e-9})
    assert refused.startswith("**Not better than `first`: nothing was stored.**")
    assert "this run took 2 steps" in refused
    assert "| before | " in refused
    assert "`adapt_mine`" in refused
    # FiftyOne loads the plugin under a name of its own
    package = type(foo.get_operator(URI)).__module__.partition(".operators.")[0]
    held_out = importlib.import_module(f"{package}.tracker.training.adapting.held_out")
    verdict = held_out.Verdict(True, "better for this test")
    monkeypatch.setattr(held_out.HeldOutVideos, "judge", lambda *_: verdict)
    (kept,) = _texts(dataset, name="mine", **QUICK, teachers=["bound"], own_start=False)
    assert kept.startswith("**Better: the new tracker is stored as `mine`.**")
    assert 'pt.load_tracker("mine")' in kept
    assert "NON-COMMERCIAL" in kept
    assert str(pt.load_report(dataset, "adapt_mine_2").to_dict()["path"]) in kept


def test_an_error_is_shown_before_it_is_raised(dataset: fo.Dataset) -> None:
    texts = _texts(dataset, name="mine", run_key="a b", **QUICK)
    shown = next(texts)
    with pytest.raises(Exception, match="Invalid run key") as error:
        next(texts)
    assert shown == f"**This did not work.** {error.value}"
