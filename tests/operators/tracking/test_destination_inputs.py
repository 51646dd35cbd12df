"""Where tracks are written: what the form says of labels and tracks that are there already."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
from fiftyone.operators.executor import ExecutionContext
from operator_forms import form_of, invalid_in

import point_tracking as pt

URI = "@fo-video/point-tracking/track_points"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, **params)


def _invalid(dataset: fo.Dataset, **params: Any) -> dict[str, str]:
    return invalid_in(_form(dataset, **params))


def test_hand_labels_are_deleted_only_where_their_number_is_typed(dataset: fo.Dataset) -> None:
    for sample in dataset:
        for number in (1, 3):
            keypoints = [fo.Keypoint(points=[(0.5, 0.5)], label="hand") for _ in range(number)]
            sample.frames[number]["mine"] = fo.Keypoints(keypoints=keypoints)
        sample.save()
    form = _form(dataset, label_field="mine")
    assert "holds 8 labels in 2 chosen samples" in form["replace_labels"].view.description
    assert "type 8 to delete" in form["replace_labels"].error_message
    assert list(_invalid(dataset, label_field="mine", overwrite=True)) == ["replace_labels"]
    assert list(_invalid(dataset, label_field="mine", replace_labels=7)) == ["replace_labels"]
    assert _invalid(dataset, label_field="mine", replace_labels=8) == {}
    assert "replace_labels" not in _form(dataset, label_field="other")
    params = {"grid_size": 2, "label_field": "mine", "replace_labels": 8}
    assert foo.execute_operator(URI, {"dataset": dataset}, params=params).error is None
    dataset.reload()
    assert dataset.values("mine_info.num_points") == [4, 4]
    assert "hand" not in dataset.distinct("frames.mine.keypoints.label")
    assert "replace_labels" not in _form(dataset, label_field="mine")


def test_labels_of_other_samples_are_told_before_execute(dataset: fo.Dataset) -> None:
    labelled, other = dataset
    labelled.frames[1]["mine"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.5)]) for _ in range(3)])
    labelled.save()
    view = dataset.select(other.id)
    for params in ({"label_field": "mine"}, {"label_field": "mine", "overwrite": True}):
        request = {"dataset_name": dataset.name, "view": view._serialize(), "params": params}
        form = foo.get_operator(URI).resolve_input(ExecutionContext(request_params=request)).type.properties
        assert "Other samples of this dataset hold 3 labels in frames.mine" in form["label_field"].error_message
        assert "replace_labels" not in form
    assert "holds 3 labels in 1 chosen sample" in _form(dataset, label_field="mine")["replace_labels"].view.description


def test_tracks_that_were_removed_since_are_no_obstacle(dataset: fo.Dataset) -> None:
    pt.track_dataset(dataset, grid_size=2)
    assert list(_invalid(dataset)) == ["overwrite"]
    dataset.clear_frame_field("tracks")
    form = _form(dataset)
    assert invalid_in(form) == {}
    assert "finished among the chosen samples: 0" in form["field_exists"].view.label
