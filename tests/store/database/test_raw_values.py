"""Values without conversion."""

from __future__ import annotations

import fiftyone as fo
from bson import ObjectId
from fiftyone import ViewField as F

from point_tracking.store.database.raw_values import keypoint_columns, labelled_frames, raw_keypoints, raw_values


def test_labels_come_as_documents_with_what_is_not_declared_as_a_view_shows_them() -> None:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    sample = fo.Sample(filepath="/absent.mp4")
    boxes = [fo.Detection(label=label, bounding_box=[0, 0, 1, 1], keyframe=True) for label in ("goat", "kid")]
    boxes[0].instance = fo.Instance()
    sample.frames[3] = fo.Frame(boxes=fo.Detections(detections=boxes))
    dataset.add_sample(sample, dynamic=False)
    ((numbers,), (labels,)) = raw_values(dataset, ["frames.frame_number", "frames.boxes"])
    assert numbers == [3]
    stored = labels[0]["detections"]
    assert [label["keyframe"] for label in stored] == [True, True]
    assert isinstance(stored[0]["instance"]["_id"], ObjectId)
    view = dataset.filter_labels("frames.boxes", F("label") == "kid")
    (((shown,),),) = raw_values(view, ["frames.boxes.detections.label"])
    assert shown == ["kid"]
    dataset.delete()


def test_of_some_frames_keypoints_come_with_what_they_have_of_what_was_asked_for() -> None:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    sample = fo.Sample(filepath="/absent.mp4")
    for number in (2, 3, 5):
        points = [fo.Keypoint(points=[[0.5, 0.25]], index=number, label="goat"), fo.Keypoint(points=[[0, 1]])]
        sample.frames[number] = fo.Frame(tracks=fo.Keypoints(keypoints=points))
    sample.frames[4] = fo.Frame(tracks=fo.Keypoints(keypoints=[]))
    dataset.add_sample(sample)
    found = raw_keypoints(dataset, sample.id, "tracks", [1, 2, 4, 5], ["points", "index"])
    assert list(found) == [2, 5]
    assert found[5] == [{"points": [[0.5, 0.25]], "index": 5}, {"points": [[0, 1]]}]
    assert raw_keypoints(dataset, sample.id, "others", [2], ["points"]) == {}
    dataset.delete()


def test_all_keypoints_come_by_attribute_even_where_they_are_more_than_one_answer_holds() -> None:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    sample = fo.Sample(filepath="/absent.mp4")
    long = "x" * 1_500_000
    for number in range(1, 13):
        keypoints = [fo.Keypoint(points=[[0.5, 0.25]], index=number, label=long), fo.Keypoint(points=[[0, 1]])]
        sample.frames[number] = fo.Frame(tracks=fo.Keypoints(keypoints=keypoints))
    sample.frames[13] = fo.Frame(tracks=fo.Keypoints(keypoints=[]))
    sample.frames[14] = fo.Frame()
    dataset.add_sample(sample)
    found = keypoint_columns(dataset, sample.id, "tracks", ["points", "index", "label", "occluded"])
    assert found["frame_number"] == list(range(1, 13))
    assert found["points"] == [[[[0.5, 0.25]], [[0, 1]]]] * 12
    assert found["index"] == [[number, None] for number in range(1, 13)]
    assert found["label"] == [[long, None]] * 12
    assert found["occluded"] == [[None, None]] * 12
    assert keypoint_columns(dataset, sample.id, "tracks", [], lengths=["points"])["points"] == [[1, 1]] * 12
    assert keypoint_columns(dataset, sample.id, "others", ["points"]) == {"frame_number": [], "points": []}
    assert labelled_frames(dataset, sample.id, "tracks") == list(range(1, 14))
    dataset.delete()
