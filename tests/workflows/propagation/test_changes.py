"""What is written of a plan."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from propagation_labels import CLIP, Labels, box

from point_tracking.tracker.propagation import Box, FilledFrame, MaskedBox, PointSet
from point_tracking.workflows.propagation.changes import carried_label, changes_of
from point_tracking.workflows.propagation.options import PropagateOptions


def _frame(shape: object, **more: object) -> FilledFrame:
    values = {"visible_share": 0.4, "confidence": 0.123456, "occluded": True, "interpolated": False, "sources": (0,)}
    return FilledFrame(3, shape, False, **{**values, **more})


def test_a_carried_box_says_where_it_is_and_how_sure_that_is() -> None:
    one = carried_label(_frame(Box([40, 36, 80, 66])), CLIP.size_px)
    assert one.values == {
        "bounding_box": [0.25, 0.3, 0.25, pytest.approx(0.25)],
        "keyframe": False,
        "occluded": True,
        "interpolated": False,
        "confidence": 0.1235,
    }


def test_keypoints_get_a_confidence_each_and_masks_are_kept_as_they_are_stored() -> None:
    points = carried_label(_frame(PointSet([[1, 2], [np.nan, np.nan], [3, 4]])), CLIP.size_px)
    assert points.values["confidence"] == [0.1235] * 3
    mask = np.eye(4, dtype=bool)
    masked = carried_label(_frame(MaskedBox([40, 36, 80, 66], mask)), CLIP.size_px)
    label = fo.Detection.from_dict({"_cls": "Detection", **masked.values})
    np.testing.assert_array_equal(label.mask, mask)


def test_a_derived_label_has_all_that_the_nearest_prompt_says_but_what_is_of_its_frame_alone() -> None:
    labels = Labels(
        (1, box(weather="rain", tags=["a"], corrected=True, index=2, mask_path="/x.png", occluded=False)),
        (21, box(weather="sun", index=2)),
    )
    labels.edit(1, mask_path=None)
    labels.run()
    near, far = labels.given[9][0], labels.given[13][0]
    assert (near["weather"], far["weather"]) == ("rain", "sun")
    assert near["tags"] == []
    assert not {"corrected", "outside", "mask_path", "mask"} & set(near)
    assert near["_cls"] == "Detection"
    assert labels.given[1][0]["tags"] == ["a"]


def test_a_replaced_label_keeps_its_id_its_tags_and_its_place() -> None:
    labels = Labels((1, box(keyframe=True, index=2)), (9, box(label="dog", keyframe=True, index=3)))
    labels.run()
    before = labels.edit(5, 0, tags=["seen"])["_id"]
    labels.edit(1, bounding_box=[0.5, 0.3, 0.25, 0.25])
    labels.run()
    after = labels.given[5][0]
    assert (after["_id"], after["tags"], after["bounding_box"][0]) == (before, ["seen"], 0.5)


def test_no_two_labels_get_the_same_id() -> None:
    labels = Labels((1, box(keyframe=True, index=2)))
    labels.run()
    # a track that was split: what was derived for the first is another object's from there on
    labels.edit(20, keyframe=True, index=7)
    labels.edit(1, bounding_box=[0.5, 0.3, 0.25, 0.25])
    labels.run()
    ids = [one["_id"] for one in labels.given[20]]
    assert len(ids) == len(set(ids)) == 2


def test_stretches_without_a_result_are_left_as_they_are() -> None:
    labels = Labels((1, box(keyframe=True, index=2)), (5, box(keyframe=False, index=2)))
    changes, counts = changes_of(labels.plan(), {}, CLIP.sample_id, PropagateOptions(field="box"))
    assert (changes, counts["num_filled"]) == ([], 0)
