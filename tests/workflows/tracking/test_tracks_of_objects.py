"""Tracks of labelled objects: what they are called, and the layout with one keypoint per object."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from ffmpeg import needs_ffmpeg
from fiftyone import ViewField as F
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.labels.known_tracks import read_known_tracks
from point_tracking.store.labels.objects import instance_id_of
from point_tracking.tracker.errors import OptionError
from point_tracking.workflows.evaluation.matching import instance_columns

MakeDataset = Callable[..., fo.Dataset]
WIDTH, HEIGHT = media.SIZE
NAN = (np.nan, np.nan)


@pytest.fixture
def animals(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """Two skeletons of three joints, one of them with a joint that is known later and one that never is."""
    dataset = make_dataset(clip)
    sample = dataset.first()
    goat = fo.Keypoint(label="goat", index=4, points=[(0.1, 0.25), NAN, NAN], instance=fo.Instance())
    kid = fo.Keypoint(label="kid", index=7, points=[(0.1, 0.5), (0.2, 0.5), (0.3, 0.5)])
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[goat, kid])
    later = fo.Keypoint(label="goat", index=4, points=[(0.2, 0.25), (0.3, 0.25), NAN], instance=goat.instance)
    sample.frames[5]["joints"] = fo.Keypoints(keypoints=[later])
    sample.save()
    dataset.skeletons = {"frames.joints": fo.KeypointSkeleton(labels=["nose", "ear", "tail"], edges=[[0, 1, 2]])}
    return dataset


def keypoints_of(dataset: fo.Dataset, number: int, field: str = "tracks") -> list[fo.Keypoint]:
    dataset.first().reload()
    return dataset.first().frames[number][field].keypoints


def test_an_object_is_one_keypoint_per_frame_under_its_own_names(animals: fo.Dataset, drift: DriftTracker) -> None:
    report = pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout="objects")
    assert (report.failures, report.num_points) == ([], 5)
    prompt = keypoints_of(animals, 2, "joints")[0]
    for number in range(1, 13):
        goat, kid = keypoints_of(animals, number)
        assert (goat.label, goat.index, instance_id_of(goat)) == ("goat", 4, prompt.instance.id)
        assert (kid.label, kid.index, instance_id_of(kid)) == ("kid", 7, None)
        known = [number >= 2, number >= 5, False]
        np.testing.assert_array_equal(np.isfinite(goat.points).all(axis=1), known)
        assert (len(kid.points), len(kid.confidence)) == (3, 3)
    goat, _ = keypoints_of(animals, 6)
    np.testing.assert_allclose(goat.points[0], [0.1 + 4 / WIDTH, 0.25], atol=1e-6)
    np.testing.assert_allclose(goat.points[1], [0.3 + 1 / WIDTH, 0.25], atol=1e-6)


def test_the_skeleton_goes_along_and_chooses_joints(animals: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout="objects")
    animals.reload()
    assert animals.skeletons["frames.tracks"].labels == ["nose", "ear", "tail"]
    tails = animals.filter_keypoints("frames.tracks", labels="tail", only_matches=False)
    ((_, kid),) = [f["tracks"].keypoints for n, f in tails.first().frames.items() if n == 6]
    assert len(kid.points) == 1 or np.isnan(kid.points[:2]).all()
    assert tails.filter_labels("frames.tracks", F("index") == 7).count("frames.tracks.keypoints") == 12


def test_a_skeleton_that_the_field_has_stays(animals: fo.Dataset, drift: DriftTracker) -> None:
    own = fo.KeypointSkeleton(labels=["a", "b", "c"], edges=[[0, 1]])
    animals.skeletons = {**animals.skeletons, "frames.tracks": own}
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout="objects")
    assert animals.skeletons["frames.tracks"] == own


@pytest.mark.parametrize("layout", ["points", "objects"])
def test_reading_back_tells_labels_and_objects(animals: fo.Dataset, drift: DriftTracker, layout: str) -> None:
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout=layout)
    tracks = pt.read_tracks(animals.first(), "tracks")
    assert tracks.labels is not None
    assert tracks.objects is not None
    assert tracks.labels.tolist() == ["goat", "goat", "kid", "kid", "kid"]
    assert tracks.objects.tolist() == [4, 4, 7, 7, 7]
    first_seen = tracks.visible.argmax(axis=0)
    assert first_seen.tolist() == [1, 4, 1, 1, 1]
    np.testing.assert_allclose(tracks.xy[4, 1], [0.3 * WIDTH, 0.25 * HEIGHT], atol=1e-3)


def test_a_point_says_which_joint_it_is(animals: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints")
    called = [(k.label, k["object"], k.node, k.index) for k in keypoints_of(animals, 6)]
    assert called == [
        ("goat", 4, "nose", 1),
        ("goat", 4, "ear", 2),
        ("kid", 7, "nose", 3),
        ("kid", 7, "ear", 4),
        ("kid", 7, "tail", 5),
    ]
    assert isinstance(animals.get_field("frames.tracks.keypoints.node"), fo.StringField)
    assert animals.filter_labels("frames.tracks", F("node") == "tail").count("frames.tracks.keypoints") == 11


def test_truth_in_this_layout_is_seen_as_a_view_shows_it(animals: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout="objects")
    view = animals.filter_labels("frames.tracks", F("label") == "kid")
    known = read_known_tracks(view, animals.first().id, "tracks", sparse=False)
    assert known.keys.tolist() == [3, 4, 5]
    assert read_known_tracks(animals, animals.first().id, "tracks", sparse=False).keys.tolist() == [1, 2, 3, 4, 5]


def test_the_index_of_an_object_is_no_track_in_evaluations(animals: fo.Dataset, drift: DriftTracker) -> None:
    pt.track_dataset(animals, "tracks", tracker=drift, points="frames.joints", layout="objects")
    assert instance_columns(animals, animals.first().id, "joints") != {}
    assert instance_columns(animals, animals.first().id, "tracks") == {}


def box(left: float, top: float, **facts: Any) -> fo.Detection:
    return fo.Detection(bounding_box=[left, top, 0.25, 0.25], **facts)


@pytest.fixture
def boxed(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """Two boxes, one with two keyframes."""
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[1]["boxes"] = fo.Detections(detections=[box(0.1, 0.1, label="goat", index=1, keyframe=True)])
    sample.frames[3]["boxes"] = fo.Detections(detections=[box(0.5, 0.5, label="kid", index=2)])
    sample.frames[8]["boxes"] = fo.Detections(
        detections=[box(0.3, 0.1, label="goat", index=1, keyframe=True), box(0.5, 0.6, label="kid", index=2)]
    )
    sample.save()
    return dataset


def test_boxes_are_covered_in_their_keyframes_or_their_first_frame(boxed: fo.Dataset, drift: DriftTracker) -> None:
    report = pt.track_dataset(boxed, "tracks", tracker=drift, points="frames.boxes", points_per_object=9)
    assert (report.failures, media.besides_ground(report)) == ([], [])
    tracks = pt.read_tracks(boxed.first(), "tracks")
    assert tracks.objects is not None
    starts = tracks.visible.argmax(axis=0)
    told = {(o, s): int(((tracks.objects == o) & (starts == s)).sum()) for o in (1, 2) for s in (0, 2, 7)}
    assert told == {(1, 0): 9, (1, 2): 0, (1, 7): 9, (2, 0): 0, (2, 2): 9, (2, 7): 0}
    of_objects = {"points_per_object": 9, "layout": "objects", "prompt_frames": "all", "classes": "kid"}
    report = pt.track_dataset(boxed, "all", tracker=drift, points="frames.boxes", **of_objects)
    assert [(k.label, k.index, len(k.points)) for k in keypoints_of(boxed, 12, "all")] == [("kid", 2, 9)] * 2
    record = boxed.get_run_info(report.run_key).config
    assert (record.classes, record.prompt_frames) == (["kid"], "all")


def test_a_view_chooses_the_boxes(boxed: fo.Dataset, drift: DriftTracker) -> None:
    view = boxed.filter_labels("frames.boxes", F("label") == "kid")
    pt.track_dataset(view, "tracks", tracker=drift, points="frames.boxes", layout="objects")
    assert [(k.label, k.index) for k in keypoints_of(boxed, 12)] == [("kid", 2)]
    assert boxed.count("frames.boxes.detections") == 4


def test_the_same_for_one_clip_in_python(boxed: fo.Dataset, drift: DriftTracker, caplog: Any) -> None:
    sample = boxed.first()
    queries = pt.label_queries(sample, "frames.boxes", points_per_object=4)
    tracks = drift.track(pt.VideoFrames(sample.filepath), queries)
    pt.write_tracks(sample, "own", tracks, layout="objects")
    assert [(k.label, k.index, len(k.points)) for k in keypoints_of(boxed, 12, "own")] == [
        ("goat", 1, 8),
        ("kid", 2, 4),
    ]
    assert not caplog.records
    view = boxed.filter_labels("frames.boxes", F("label") == "kid")
    only = pt.label_queries(view.first(), "frames.boxes", points_per_object=4, prompt_frames="all")
    assert set(only.t.tolist()) == {2, 7}
    late = sample.frames[40] = fo.Frame(boxes=fo.Detections(detections=[box(0.1, 0.1, index=9)]))
    assert late is not None
    sample.save()
    pt.label_queries(sample, "frames.boxes")
    assert "past the end of the video" in caplog.text


@needs_ffmpeg
@pytest.mark.parametrize("options", [{}, {"store_in": "tracks"}], ids=["FiftyOne writes", "the model writes"])
@pytest.mark.parametrize("layout", ["points", "objects"])
def test_apply_model_does_the_same(
    animals: fo.Dataset, drift: DriftTracker, layout: str, options: dict[str, Any]
) -> None:
    pt.track_dataset(animals, "expected", tracker=drift, points="frames.joints", layout=layout)
    model = pt.load_model(drift, layout=layout, **options)
    animals.apply_model(model, label_field="tracks", points="frames.joints", skip_failures=False)
    for number in (1, 6, 12):
        found, expected = (keypoints_of(animals, number, field) for field in ("tracks", "expected"))
        # before its query a point has no place, and in the layout "points" no keypoint either
        for one, other in zip(found, expected, strict=True):
            names = ("label", "index", "track_numbers", "node", "object")
            assert [getattr(one, n, None) for n in names] == [getattr(other, n, None) for n in names]
            assert instance_id_of(one) == instance_id_of(other)
            np.testing.assert_allclose(one.points, other.points)
    back = pt.read_tracks(animals.first(), "tracks")
    assert back.objects is not None
    assert back.objects.tolist() == [4, 4, 7, 7, 7]
    assert ("frames.tracks" in animals.skeletons) == (layout == "objects" and bool(options))


@needs_ffmpeg
def test_in_a_clip_points_that_are_asked_for_elsewhere_lose_their_track_not_their_place(
    animals: fo.Dataset, drift: DriftTracker
) -> None:
    clips = animals.to_clips([[[4, 8]]])
    clips.apply_model(
        pt.load_model(drift, layout="objects"), label_field="tracks", points="frames.joints", skip_failures=False
    )
    (goat,) = keypoints_of(animals, 6)
    assert (goat.label, goat.index, goat.track_numbers) == ("goat", 4, [1, 2, 0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layout": "objects"}, "layout='objects' goes with a field of labels"),
        ({"classes": ["goat"], "grid_size": 3}, r"classes=\['goat'\] goes with a field of labels"),
        ({"prompt_frames": "all", "points": [(0, 1, 1)]}, "prompt_frames='all' goes with a field of labels"),
        ({"layout": "objects", "points": "rows"}, "'rows' is a list of numbers"),
        ({"points": "frames.boxes", "prompt_frames": "each"}, "Supported values are 'first': in the keyframes"),
        ({"points": "frames.boxes", "layout": "objects", "keep_hidden": True}, "needs layout='points'"),
    ],
)
def test_what_goes_with_labels_is_refused_without_them(
    boxed: fo.Dataset, drift: DriftTracker, options: dict[str, Any], words: str
) -> None:
    boxed.add_sample_field("rows", fo.ListField)
    with pytest.raises(OptionError, match=words):
        pt.track_dataset(boxed, "tracks", tracker=drift, **options)
    assert not boxed.has_frame_field("tracks")
