"""The form of Track points where labels are tracked: which, how densely, and how many points that makes."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import fiftyone.operators as foo
import numpy as np
import pytest
from drawn_labels import box
from operator_forms import form_of, invalid_in

URI = "@fo-video/point-tracking/track_points"


def _form(dataset: fo.Dataset, **params: Any) -> dict[str, Any]:
    return form_of(URI, dataset, prompt_kind="points", **params)


@pytest.fixture
def labelled(dataset: fo.Dataset) -> fo.Dataset:
    sample = dataset.first()
    sample.frames[1]["box"] = box(0.1)
    sample.frames[4]["box"] = box(0.2)
    sample.frames[2]["box"] = box(0.1, label="cup", index=2, keyframe=None)
    sample.frames[1]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.1, 0.2), (0.3, 0.4)], index=1)])
    sample["spots"] = [[0, 10, 10]]
    sample.save()
    return dataset


def test_the_number_of_objects_and_points_is_told(labelled: fo.Dataset) -> None:
    form = _form(labelled, points="frames.box")
    assert invalid_in(form) == {}
    told = form["labels_found"].view.label
    assert told == "2 objects, about 75 points, from 3 labels; 1 video without such labels"
    told = _form(labelled, points="frames.box", classes=["cup"], points_per_object=9)["labels_found"].view.label
    assert told.startswith("1 object, about 9 points")


def test_what_does_not_belong_to_the_labels_is_not_asked(labelled: fo.Dataset) -> None:
    assert {"classes", "points_per_object", "prompt_frames"} <= set(_form(labelled, points="frames.box"))
    joints = _form(labelled, points="frames.joints")
    assert "points_per_object" not in joints
    assert joints["labels_found"].view.label.startswith("1 object, about 2 points")
    for given in ("spots", "0, 5, 5"):
        assert not {"classes", "points_per_object", "prompt_frames", "labels_found"} & set(
            _form(labelled, points=given)
        )


def test_a_bad_number_of_points_is_refused(labelled: fo.Dataset) -> None:
    assert "points_per_object" in invalid_in(_form(labelled, points="frames.box", points_per_object=0))


def test_labels_are_tracked_as_the_form_says(labelled: fo.Dataset) -> None:
    params = {
        "prompt_kind": "points",
        "points": "frames.box",
        "classes": ["bar"],
        "points_per_object": 4,
        "tracker": "optical-flow",
        "label_field": "followed",
    }
    foo.execute_operator(URI, {"dataset": labelled}, params=params)
    labelled.reload()
    assert labelled.values("followed_info.num_points") == [8, None]
    assert labelled.distinct("frames.followed.keypoints.label") == ["bar"]


def test_rules_of_labels_do_not_reach_points_that_are_typed(labelled: fo.Dataset) -> None:
    params = {"prompt_kind": "points", "points": "0, 5, 5", "classes": ["bar"], "points_per_object": 4}
    result = foo.execute_operator(
        URI, {"dataset": labelled}, params={**params, "tracker": "optical-flow", "label_field": "typed"}
    )
    assert result.error is None
    labelled.reload()
    assert labelled.values("typed_info.num_points") == [1, 1]


def test_the_forecast_counts_what_will_be_tracked(labelled: fo.Dataset) -> None:
    params = {"tracker": "optical-flow", "label_field": "followed"}
    assert _form(labelled, points="frames.box", **params)["size"].view.label.startswith("2 samples")
    foo.execute_operator(URI, {"view": labelled.limit(1)}, params={"prompt_kind": "grid", "grid_size": 2, **params})
    labelled.reload()
    told = _form(labelled, points="frames.box", skip_existing=True, **params)["size"].view.label
    assert told.startswith("1 sample")
    foo.execute_operator(URI, {"dataset": labelled}, params={"grid_size": 2, "skip_existing": True, **params})
    labelled.reload()
    told = _form(labelled, points="frames.box", skip_existing=True, **params)["size"].view.label
    assert told == "All chosen samples are finished"


def test_masks_on_samples_are_counted(labelled: fo.Dataset) -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 5:30] = 255
    sample = labelled.first()
    sample["mask"] = fo.Segmentation(mask=mask)
    sample.save()
    form = form_of(URI, labelled, prompt_kind="masks", mask_field="mask", points_per_object=30)
    assert form["labels_found"].view.label == "1 object, about 30 points; 1 video without such labels"
    assert invalid_in(form) == {}
