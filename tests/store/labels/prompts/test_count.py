"""Objects and points that a field asks for, counted before a run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from fiftyone import ViewField as F

from point_tracking.store.labels.frame_labels import read_values
from point_tracking.store.labels.prompts.count import PromptCount, count_prompts
from point_tracking.store.labels.prompts.points import PromptRules, read_points
from point_tracking.tracker.errors import FieldError


def box(index: int | None, label: str = "goat", **facts: Any) -> fo.Detection:
    return fo.Detection(bounding_box=[0.1, 0.1, 0.4, 0.4], label=label, index=index, **facts)


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    one, two, three = (fo.Sample(filepath=f"/absent{k}.mp4") for k in range(3))
    one.frames[2] = fo.Frame(
        boxes=fo.Detections(detections=[box(1, keyframe=True), box(2, "kid")]),
        joints=fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.1, 0.1), (0.2, 0.2)], index=1)]),
        lines=fo.Polylines(polylines=[fo.Polyline(points=[[(0.1, 0.1)] * 30]), fo.Polyline(points=[[(0.1, 0.1)]])]),
        seg=fo.Segmentation(mask=np.ones((4, 4), dtype=np.uint8)),
    )
    one.frames[5] = fo.Frame(boxes=fo.Detections(detections=[box(1, keyframe=True), box(2, "kid"), box(2, "kid")]))
    two.frames[1] = fo.Frame(boxes=fo.Detections(detections=[box(None), box(None)]))
    two["whole"] = box(4)
    dataset.add_samples([one, two, three])
    yield dataset
    dataset.delete()


def test_objects_labels_points_and_doubts(dataset: fo.Dataset) -> None:
    assert count_prompts(dataset, "frames.boxes") == PromptCount(
        *(3, 2, 4, 5, 125), num_alone=2, num_left_out=1, num_frames=3, most_frames=2
    )
    assert count_prompts(dataset, "boxes", PromptRules(9, "kid")) == PromptCount(
        *(3, 1, 1, 1, 9), num_left_out=1, num_frames=1, most_frames=1
    )
    every = count_prompts(dataset, "boxes", PromptRules(9, prompt_frames="all"))
    assert (every.num_labels, every.num_points, every.num_frames, every.most_frames) == (6, 54, 3, 2)


@pytest.mark.parametrize(("field", "number"), [("joints", 2), ("lines", 30 + 25), ("seg", 25), ("whole", 25)])
def test_of_every_kind(dataset: fo.Dataset, field: str, number: int) -> None:
    assert count_prompts(dataset, field).num_points == number


def test_a_view_chooses(dataset: fo.Dataset) -> None:
    view = dataset.filter_labels("frames.boxes", F("index") == 2)
    assert count_prompts(view, "boxes").num_objects == 1
    assert count_prompts(dataset.limit(1), "boxes").num_samples == 1
    assert count_prompts(dataset, "boxes", max_samples=1).num_samples == 1


@pytest.mark.parametrize("field", ["boxes", "joints"])
def test_about_as_many_points_are_asked_for(dataset: fo.Dataset, field: str) -> None:
    sample = dataset.first()
    values = read_values(dataset, sample.id, field, 0)
    assert values is not None
    queries, names = read_points(values, PromptRules(), (640, 360), [], lambda _: 9)
    counted = count_prompts(dataset.limit(1), field)
    assert counted.num_points == pytest.approx(len(queries), rel=0.1)
    assert names is not None
    assert names.prompts is not None
    assert counted.num_labels == len(names.prompts)


def test_fields_without_labels_are_refused(dataset: fo.Dataset) -> None:
    dataset.add_sample_field("rows", fo.ListField)
    for field in ("rows", "filepath", "absent"):
        with pytest.raises(FieldError):
            count_prompts(dataset, field)
