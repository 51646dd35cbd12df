"""What becomes of labels that a person corrected; the way to the server and back is in test_load_corrections."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from dataset_fixtures import discard
from exchanged import stored

from point_tracking.workflows.exchange.cvat_tasks.comparing import ReturnedShape, SentShape, TrackChanges
from point_tracking.workflows.exchange.cvat_tasks.corrected_labels import apply_to_labels
from point_tracking.workflows.exchange.cvat_tasks.report import CorrectionsLoaded

SIZE = (100, 50)


@pytest.fixture
def dataset(tmp_path):
    made = fo.Dataset()
    made.add_sample(fo.Sample(filepath=str(tmp_path / "none.mp4")))
    yield made
    discard(made)


def put(dataset: fo.Dataset, field: str, number: int, label: fo.Label) -> str:
    sample, plural = dataset.first(), {"Detection": fo.Detections, "Polyline": fo.Polylines, "Keypoint": fo.Keypoints}
    kind = plural[type(label).__name__]
    sample.frames[number] = fo.Frame(**{field: kind(**{kind._LABEL_LIST_FIELD: [label]})})
    sample.save()
    return label.id


def apply(dataset: fo.Dataset, field: str, sent: dict[int, SentShape], **changes: Any) -> CorrectionsLoaded:
    report = CorrectionsLoaded("check", field)
    apply_to_labels(dataset.first(), report, {1: sent}, {1: TrackChanges(**changes)}, {}, SIZE)
    return report


def at(source_id: str, part: int = 0) -> SentShape:
    return SentShape(np.zeros((1, 2)), True, False, source_id, part)


def now(*xy: tuple[float, float], occluded: bool = False) -> ReturnedShape:
    return ReturnedShape(np.array(xy, dtype=float), True, occluded, "goat")


def test_one_part_of_a_line_and_one_point_of_a_keypoint_move_alone(dataset: fo.Dataset):
    line = put(dataset, "line", 1, fo.Polyline(points=[[(0, 0), (0.1, 0.1)], [(0.5, 0.5), (0.6, 0.6)]]))
    apply(dataset, "line", {0: at(line, 1)}, placed={0: now((10, 10), (20, 20), (30, 30))})
    assert stored(dataset, "line")[1][0]["points"] == [[[0, 0], [0.1, 0.1]], [[0.1, 0.2], [0.2, 0.4], [0.3, 0.6]]]
    joints = put(dataset, "joints", 2, fo.Keypoint(points=[(0, 0), (0.5, 0.5)]))
    apply(dataset, "joints", {1: at(joints, 1)}, placed={1: now((10, 10), occluded=True)})
    label = stored(dataset, "joints")[2][0]
    assert label["points"] == [[0, 0], [0.1, 0.2]]
    assert (label["keyframe"], label["occluded"]) == (True, True)


def test_a_mask_goes_with_the_box_it_belonged_to(dataset: fo.Dataset):
    box = fo.Detection(bounding_box=[0, 0, 0.5, 0.5], mask=np.ones((4, 4), dtype=bool), label="goat")
    report = apply(dataset, "box", {0: at(put(dataset, "box", 1, box))}, placed={0: now((10, 10), (60, 30))})
    label = stored(dataset, "box")[1][0]
    assert label.get("mask") is None
    np.testing.assert_allclose(label["bounding_box"], [0.1, 0.2, 0.5, 0.4])
    assert "mask" in report.warnings[0][1]


def test_a_keyframe_where_there_was_no_label_is_a_new_label_of_the_object(dataset: fo.Dataset):
    box = put(dataset, "box", 1, fo.Detection(bounding_box=[0, 0, 0.5, 0.5], label="goat", index=3, speed=1.5))
    apply(dataset, "box", {0: at(box)}, placed={4: now((10, 10), (60, 30))})
    (label,) = stored(dataset, "box")[5]
    assert (label["label"], label["index"], label["speed"], label["keyframe"]) == ("goat", 3, 1.5, True)
    assert str(label["_id"]) != box


def test_labels_that_are_gone_by_now_are_told(dataset: fo.Dataset):
    put(dataset, "box", 1, fo.Detection(bounding_box=[0, 0, 0.5, 0.5]))
    report = apply(dataset, "box", {0: at("f" * 24)}, placed={0: now((10, 10), (60, 30))}, gone=[[0, 0]])
    assert "gone by now" in report.warnings[0][1]
    assert len(stored(dataset, "box")[1]) == 1


def test_what_a_person_drew_where_the_object_is_gone_says_so_and_stays(dataset: fo.Dataset):
    ids = {
        t: put(
            dataset,
            "box",
            t + 1,
            fo.Detection(bounding_box=[0, 0, 0.5, 0.5], **({} if t == 2 else {"keyframe": False})),
        )
        for t in range(4)
    }
    apply(dataset, "box", {t: at(i) for t, i in ids.items()}, gone=[[1, 3]])
    found = stored(dataset, "box")
    assert {n: labels[0].get("outside") for n, labels in found.items()} == {1: None, 2: True, 3: True}


def test_newly_hidden_stretches_begin_with_a_keyframe(dataset: fo.Dataset):
    ids = {t: put(dataset, "box", t + 1, fo.Detection(bounding_box=[0, 0, 0.5, 0.5], keyframe=False)) for t in range(3)}
    apply(dataset, "box", {t: at(i) for t, i in ids.items()}, occluded=[[1, 2]])
    found = {n: (labels[0]["keyframe"], labels[0].get("occluded")) for n, labels in stored(dataset, "box").items()}
    assert found == {1: (False, None), 2: (True, True), 3: (False, True)}
