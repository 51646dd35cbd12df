"""The operator that judges tracks, called as the App and as Python call it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.delegated import DelegatedOperationService

import point_tracking as pt

URI = "@fo-video/point-tracking/evaluate_tracks"


def test_the_operator_is_registered_with_its_risk_named() -> None:
    assert foo.operator_exists(URI)
    config = foo.get_operator(URI).config
    assert config.risk_level.value == "medium"
    assert config.allow_delegated_execution
    assert config.allow_immediate_execution
    assert (Path(__file__).parents[3] / config.icon.lstrip("/")).is_file()


def test_executing_it_stores_scores(dataset: fo.Dataset) -> None:
    params = {"gt_field": "ground_truth", "group_by": "kind", "eval_key": "mine", "metrics": ["tap_vid"]}
    result = foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert result.error is None
    dataset.reload()
    assert dataset.values("mine_delta_avg") == [1.0, 0.5]
    report: Any = pt.load_report(dataset, "mine")
    assert [(t.group, t.figures["delta_avg"]) for t in report.totals] == [("k0", 1.0), ("k1", 0.5)]
    assert not dataset.has_sample_field("mine_survival")


def test_labels_can_be_sparse(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.frames[3]["ground_truth"] = None
    sample.save()
    figures = []
    for params in ({}, {"sparse_labels": "unlabelled"}, {"sparse": True}):
        foo.execute_operator(URI, {"view": dataset.limit(1)}, params={"gt_field": "ground_truth", **params})
        dataset.reload()
        figures.append(dataset.values(f"{dataset.list_runs()[-1]}_oa")[0])
    assert figures == [0.75, 1.0, 1.0]


def test_a_view_is_a_target(dataset: fo.Dataset) -> None:
    foo.execute_operator(URI, {"view": dataset.limit(1)}, params={"gt_field": "ground_truth"})
    dataset.reload()
    assert dataset.values("eval_tracks_aj") == [1.0, None]


def test_calling_it_returns_the_report(dataset: fo.Dataset) -> None:
    operator = foo.get_operator(URI)
    report = operator(dataset, gt_field="ground_truth", query_mode="strided")
    assert (report.num_samples, report.query_mode, report.failures) == (2, "strided", [])
    with pytest.raises(Exception, match="nothing to evaluate against") as error:
        operator(dataset)
    assert type(error.value).__name__ == "OptionError"


def test_a_delegated_run_does_the_same(dataset: fo.Dataset) -> None:
    result = foo.get_operator(URI)(dataset, delegate=True, gt_field="ground_truth")
    operations = DelegatedOperationService()
    (operation,) = operations.list_operations(dataset_name=dataset.name)
    assert result.delegated
    operations.execute_operation(operation, log=True)
    done = operations.list_operations(dataset_name=dataset.name)[0]
    assert (done.run_state, done.status.progress) == ("completed", 1.0)
    dataset.reload()
    assert dataset.values("eval_tracks_delta_avg") == [1.0, 0.5]
    operations.delete_operation(done.id)


def test_bad_parameters_are_refused_in_words(dataset: fo.Dataset) -> None:
    for params, text in (
        ({}, "nothing to evaluate against"),
        ({"gt_field": "tracks"}, "gt_field|same field"),
        ({"gt_field": "ground_truth", "query_mode": "last"}, "query_mode|first, strided"),
    ):
        with pytest.raises(Exception, match=text):
            foo.execute_operator(URI, {"dataset": dataset}, params=params)
    assert not dataset.list_runs()
