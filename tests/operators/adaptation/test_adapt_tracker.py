"""The operator that adapts trackers, called as the App and as Python call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import adaptable
import fiftyone as fo
import fiftyone.operators as foo
import pytest
from adaptable import drifting_start
from fiftyone.operators.delegated import DelegatedOperationService
from fiftyone.operators.executor import ExecutionContext, Executor

import point_tracking as pt
from point_tracking.tracker.models.adapted import Lineage, WeightsTerms, save_adapted
from point_tracking.workflows.adaptation.report import AdaptationReport

URI = "@fo-video/point-tracking/adapt_tracker"
QUICK = {"tracker": "first", "steps": 2, "points": 8, "device": "cpu"}


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    free = WeightsTerms("pt-small", "Apache-2.0", True)
    save_adapted("first", drifting_start(0.08).model, Lineage(free, (free,), "pt-small"))
    bound = WeightsTerms("cotracker3-offline", "CC-BY-NC-4.0", False)
    save_adapted("bound", drifting_start(0.0).model, Lineage(free, (bound,), "pt-small"))
    return tmp_path / "weights"


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [adaptable.textured_video(tmp_path / f"{k}.mp4", k) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})
    return foo.get_operator(URI).resolve_input(context).type.properties


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return {name: p.error_message for name, p in _form(dataset, **params).items() if p.invalid}


def _texts(dataset: fo.Dataset, **params: Any) -> Iterator[str]:
    """What the App is told to show."""
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params}, executor=Executor())
    for call in foo.get_operator(URI).execute(context):
        if "show_output" in call.body.operator_uri:
            yield call.body.params["results"]["summary"]


def test_the_operator_is_scheduled_unless_told_otherwise(dataset: fo.Dataset) -> None:
    operator = foo.get_operator(URI)
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": {}})
    options = operator.resolve_execution_options(context)
    assert options.allow_immediate_execution
    assert options.default_choice_to_delegated
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


def test_a_complete_form_can_be_sent(dataset: fo.Dataset) -> None:
    assert _invalid(dataset, name="mine") == {}
    form = _form(dataset, name="mine")
    offered = form["tracker"].type.values
    assert {"bound", "first"} <= set(offered)
    assert not {"cotracker3-offline", "cotracker2", "optical-flow"} & set(offered), "not here, or not of the form"
    assert "1 video to learn from, 1 to judge by" in form["purpose"].view.label
    assert "weak evidence" in form["purpose"].view.label


def test_the_form_tells_state_terms_and_how_to_run_for_so_long(
    dataset: fo.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = _form(dataset)
    assert form["tracker"].default == "pt-small"
    assert "experimental" in form["tracker_terms"].view.label
    assert "commercial use allowed" in form["tracker_terms"].view.label
    assert "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS" in form["waiting"].view.label
    monkeypatch.setattr(fo.config, "allow_legacy_orchestrators", True)
    assert "FIFTYONE_ALLOW_LEGACY_ORCHESTRATORS" not in _form(dataset)["waiting"].view.label


def test_the_share_to_judge_by_is_counted_in_videos(dataset: fo.Dataset, tmp_path: Path) -> None:
    paths = [adaptable.textured_video(tmp_path / f"more{k}.mp4", k) for k in range(8)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    assert "8 videos to learn from, 2 to judge by" in _form(dataset)["purpose"].view.label
    assert "4 videos to learn from, 6 to judge by" in _form(dataset, percent_held_out=60)["purpose"].view.label


def test_the_app_is_told_whether_it_is_better_and_where_it_is(dataset: fo.Dataset) -> None:
    (refused,) = _texts(dataset, name="mine", **{**QUICK, "learning_rate": 1e-9})
    assert refused.startswith("**Not better than `first`: nothing was stored.**")
    assert "this run took 2 steps" in refused
    assert "| before | " in refused
    assert "`adapt_mine`" in refused
    params = {**QUICK, "teachers": ["bound"], "own_start": False, "learning_rate": 3e-3, "steps": 30, "points": 16}
    (kept,) = _texts(dataset, name="mine", **params)
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


@pytest.mark.parametrize(
    ("params", "name", "text"),
    [
        ({"name": "a b"}, "name", "Invalid name"),
        ({"name": "optical-flow"}, "name", "trackers that ship"),
        ({"name": "first"}, "overwrite", "There is a tracker 'first'"),
        ({"name": "mine", "minutes": 0}, "minutes", "Invalid minutes"),
        ({"name": ""}, "name", "a name"),
        ({"name": "mine", "percent_held_out": 100}, "percent_held_out", "Expected more than 0 and less than 100"),
        ({"name": "mine", "run_key": "a b"}, "run_key", "Invalid run key"),
        ({"name": "mine", "run_key": "taken"}, "run_key", "There is a run 'taken' already"),
        ({"name": "mine", "own_start": False}, "purpose", "There is no teacher"),
    ],
)
def test_the_form_refuses_bad_values(dataset: fo.Dataset, params: dict[str, Any], name: str, text: str) -> None:
    pt.track_dataset(dataset.limit(1), grid_size=2, run_key="taken")
    invalid = _invalid(dataset, **params)
    assert list(invalid) == [name]
    assert text in invalid[name]
    assert _invalid(dataset, name="first", overwrite=True) == {}


def test_the_form_warns_of_non_commercial_teachers(dataset: fo.Dataset) -> None:
    assert "terms" not in _form(dataset, name="mine", teachers=["optical-flow"])
    label = _form(dataset, name="mine", teachers=["optical-flow", "bound"])["terms"].view.label
    assert label.endswith("NON-COMMERCIAL use only, because of bound")
    assert _form(dataset, name="mine", tracker="bound")["terms"].view.label.endswith("because of bound")


def test_one_video_is_too_few(dataset: fo.Dataset) -> None:
    dataset.delete_samples(dataset.limit(1))
    assert "at least 2 different videos" in _invalid(dataset, name="mine")["purpose"]
    with pytest.raises(Exception, match="at least 2 different videos"):
        foo.execute_operator(URI, {"dataset": dataset}, params={"name": "mine", **QUICK})
