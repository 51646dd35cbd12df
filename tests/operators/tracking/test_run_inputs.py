"""How a run works and stores: rarely used inputs."""

from __future__ import annotations

import fiftyone as fo
import fiftyone.operators as foo
import pytest
from fiftyone.operators.executor import ExecutionContext
from operator_forms import form_of, invalid_in

URI = "@fo-video/point-tracking/track_points"


@pytest.mark.parametrize(("grid_size", "in_sight"), [(14, False), (50, True)])
def test_the_layout_is_in_sight_where_it_matters(dataset: fo.Dataset, grid_size: int, in_sight: bool) -> None:
    params = {"grid_size": grid_size}
    context = ExecutionContext(request_params={"dataset_name": dataset.name, "params": params})
    form = foo.get_operator(URI).resolve_input(context).type.properties
    assert ("layout" in form) is in_sight
    assert ("layout" in form["more"].type.properties) is not in_sight


def test_single_keypoints_for_a_dense_grid_are_advised_against(dataset: fo.Dataset) -> None:
    assert "layout_advice" not in form_of(URI, dataset, grid_size=50)
    form = form_of(URI, dataset, grid_size=50, layout="points")
    assert "2,500 points per frame make the App slow" in form["layout_advice"].view.label
    assert "keep_hidden" in form
    assert "keep_hidden" not in form_of(URI, dataset, layout="frame")


def test_a_sampling_rule_without_a_value_yet_is_no_error(dataset: fo.Dataset) -> None:
    assert invalid_in(form_of(URI, dataset, sampling_rule="fps")) == {}
    assert "above 0" in invalid_in(form_of(URI, dataset, sampling_rule="fps", sampling_fps=-1))["sampling_error"]


def test_a_cluster_is_asked_for_where_it_is_chosen(dataset: fo.Dataset) -> None:
    form = form_of(URI, dataset, engine="ray", path_map="/a = /b")
    assert {"address", "num_workers", "gpus_per_worker", "path_map"} <= set(form)
    assert invalid_in(form) == {}
    assert "path_map" in invalid_in(form_of(URI, dataset, engine="ray", path_map="/a=/b=/c"))
    assert "address" not in form_of(URI, dataset, engine="local")
