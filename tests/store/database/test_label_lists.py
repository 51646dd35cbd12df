"""Single labels, changed on the server where they are still what was read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from bson import ObjectId

from point_tracking.store.database import label_lists
from point_tracking.store.database.label_lists import LabelChange, LabelLists
from point_tracking.tracker.errors import WriteError

Document = dict[str, Any]


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    for name, kind in (("box", fo.Detections), ("joints", fo.Keypoints)):
        dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind)
    dataset.add_frame_field("weather", fo.StringField)
    yield dataset
    dataset.delete()


@pytest.fixture
def lists(dataset: fo.Dataset) -> LabelLists:
    return LabelLists(dataset, "box.detections")


@pytest.fixture
def sample_id(dataset: fo.Dataset) -> str:
    """A sample with two boxes in frame 3, none in 4, and no label in 5."""
    sample = fo.Sample(filepath="/absent.mp4")
    sample.frames[3] = fo.Frame(box=fo.Detections(detections=[_box("a"), _box("b")]), weather="rain")
    sample.frames[4] = fo.Frame(box=fo.Detections())
    sample.frames[5] = fo.Frame(weather="sun")
    dataset.add_sample(sample)
    return sample.id


def _box(label: str, **more: Any) -> fo.Detection:
    return fo.Detection(label=label, bounding_box=[0.1, 0.1, 0.2, 0.2], **more)


def _stored(dataset: fo.Dataset, sample_id: str, number: int) -> Document:
    key = {"_sample_id": ObjectId(sample_id), "frame_number": number}
    return dataset._frame_collection.find_one(key)


def _names(lists: LabelLists, sample_id: str, number: int) -> list[str]:
    return [label["label"] for label in lists.read(sample_id).get(number, [])]


def test_labels_are_read_in_the_order_of_their_lists(lists: LabelLists, sample_id: str) -> None:
    read = lists.read(sample_id)
    assert list(read) == [3]
    assert [label["label"] for label in read[3]] == ["a", "b"]
    assert lists.read(str(ObjectId())) == {}


def test_a_label_is_replaced_where_it_stands(lists: LabelLists, sample_id: str) -> None:
    a, b = lists.read(sample_id)[3]
    lists.apply(sample_id, [LabelChange(3, a, {**a, "label": "c"})])
    assert lists.read(sample_id)[3] == [{**a, "label": "c"}, b]


def test_new_labels_go_to_the_end_in_frames_that_exist_and_in_new_ones(
    dataset: fo.Dataset, lists: LabelLists, sample_id: str
) -> None:
    changes = [LabelChange(number, None, _box("c").to_dict()) for number in (3, 4, 5, 9)]
    lists.apply(sample_id, changes)
    assert _names(lists, sample_id, 3) == ["a", "b", "c"]
    assert [_names(lists, sample_id, number) for number in (4, 5, 9)] == [["c"]] * 3
    assert _stored(dataset, sample_id, 5)["weather"] == "sun"
    dataset.reload()
    frame = dataset[sample_id].frames[9]
    assert frame.box.detections[0].label == "c"
    assert frame.created_at is not None


def test_a_label_that_has_to_go_goes_alone(lists: LabelLists, sample_id: str) -> None:
    a, b = lists.read(sample_id)[3]
    lists.apply(sample_id, [LabelChange(3, a, None)])
    assert lists.read(sample_id)[3] == [b]


@pytest.mark.parametrize("after", [{"label": "ours"}, None], ids=["replaced", "removed"])
def test_a_label_that_was_changed_since_it_was_read_stays(
    dataset: fo.Dataset, lists: LabelLists, sample_id: str, after: Document | None
) -> None:
    a, _ = lists.read(sample_id)[3]
    key = {"_sample_id": ObjectId(sample_id), "frame_number": 3}
    dataset._frame_collection.update_one(key, {"$set": {"box.detections.0.keyframe": True}})
    lists.apply(sample_id, [LabelChange(3, a, None if after is None else {**a, **after})])
    assert lists.read(sample_id)[3][0] == {**a, "keyframe": True}


@pytest.mark.parametrize("same", [{"instance": fo.Instance()}, {"index": 7}], ids=["instance", "index"])
def test_nothing_is_added_where_the_object_was_drawn_meanwhile(
    lists: LabelLists, sample_id: str, same: Document
) -> None:
    mine = _box("c", keyframe=True, **same).to_dict()
    lists.apply(sample_id, [LabelChange(3, None, mine)])
    lists.apply(sample_id, [LabelChange(3, None, _box("c", **same).to_dict())])
    assert lists.read(sample_id)[3][2:] == [mine]


def test_other_objects_of_that_index_are_no_hindrance(lists: LabelLists, sample_id: str) -> None:
    labels = [_box("c", index=7), _box("d", index=7), _box("c", index=7, instance=fo.Instance()), _box("c", index=8)]
    for label in labels[::-1]:
        lists.apply(sample_id, [LabelChange(3, None, label.to_dict())])
    assert _names(lists, sample_id, 3)[2:] == ["c", "c", "d", "c"]


def test_doing_it_twice_changes_nothing_more(lists: LabelLists, sample_id: str) -> None:
    a, b = lists.read(sample_id)[3]
    changes = [
        LabelChange(3, a, {**a, "label": "A"}),
        LabelChange(3, b, None),
        *(LabelChange(number, None, _box("c", index=1).to_dict()) for number in (3, 6)),
    ]
    lists.apply(sample_id, changes)
    once = lists.read(sample_id)
    lists.apply(sample_id, changes)
    assert lists.read(sample_id) == once


def test_labels_with_masks_and_unknown_positions_are_found_again(dataset: fo.Dataset, lists: LabelLists) -> None:
    sample = fo.Sample(filepath="/absent.mp4")
    points = [[0.1, 0.2], [np.nan, np.nan]]
    sample.frames[1] = fo.Frame(
        box=fo.Detections(detections=[_box("a", mask=np.eye(4, dtype=bool), score=np.nan)]),
        joints=fo.Keypoints(keypoints=[fo.Keypoint(points=points, confidence=[0.5, np.nan], index=1)]),
    )
    dataset.add_sample(sample)
    for own in (lists, LabelLists(dataset, "joints.keypoints")):
        (label,) = own.read(sample.id)[1]
        own.apply(sample.id, [LabelChange(1, label, {**label, "label": "new"})])
        assert _names(own, sample.id, 1) == ["new"]


def test_of_several_new_labels_in_a_frame_one_that_was_drawn_meanwhile_keeps_no_other_out(
    lists: LabelLists, sample_id: str
) -> None:
    mine = _box("c", index=1, keyframe=True).to_dict()
    lists.apply(sample_id, [LabelChange(6, None, mine)])
    changes = [LabelChange(n, None, _box(label, index=1).to_dict()) for label in "abcd" for n in (5, 6)]
    for _ in range(2):
        lists.apply(sample_id, changes)
        assert _names(lists, sample_id, 5) == ["a", "b", "c", "d"]
        assert _names(lists, sample_id, 6) == ["c", "a", "b", "d"]
    assert lists.read(sample_id)[6][0] == mine


def test_the_sample_and_its_frames_say_that_they_were_changed(
    dataset: fo.Dataset, lists: LabelLists, sample_id: str
) -> None:
    before, frame = dataset[sample_id].last_modified_at, _stored(dataset, sample_id, 3)["last_modified_at"]
    untouched = _stored(dataset, sample_id, 5)
    lists.apply(sample_id, [LabelChange(3, None, _box("c").to_dict())])
    lists.refresh(sample_id)
    assert dataset[sample_id].last_modified_at > before
    assert _stored(dataset, sample_id, 3)["last_modified_at"] > frame
    assert _stored(dataset, sample_id, 5) == untouched


def test_objects_that_this_process_holds_are_brought_up_to_date(
    dataset: fo.Dataset, lists: LabelLists, sample_id: str
) -> None:
    frame = dataset[sample_id].frames[3]
    assert len(frame.box.detections) == 2
    lists.apply(sample_id, [LabelChange(3, None, _box("c").to_dict())])
    lists.refresh(sample_id)
    assert len(frame.box.detections) == 3


def test_many_changes_are_made_in_few_calls(lists: LabelLists, sample_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_lists, "_BATCH", 7)
    changes = [LabelChange(number, None, _box(str(number)).to_dict()) for number in range(10, 40)]
    lists.apply(sample_id, changes)
    assert [_names(lists, sample_id, number) for number in range(10, 40)] == [[str(n)] for n in range(10, 40)]


def test_a_sample_that_was_deleted_gets_no_frames(dataset: fo.Dataset, lists: LabelLists, sample_id: str) -> None:
    dataset.delete_samples(sample_id)
    with pytest.raises(WriteError, match="was deleted"):
        lists.apply(sample_id, [LabelChange(3, None, _box("c").to_dict())])
    assert _stored(dataset, sample_id, 3) is None
