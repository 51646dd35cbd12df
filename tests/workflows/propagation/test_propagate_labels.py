"""Labels of real clips, carried and written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import fiftyone as fo
import media
import moving_object
import numpy as np
import pytest
from moving_object import NUM_FRAMES, SIZE, bounding_box, box, iou
from run_states import leftovers, raw_frames
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError, FieldError, OptionError, UnknownTrackerError

MakeLabelled = Callable[..., fo.Dataset]
FIRST, LAST = 1, NUM_FRAMES


def _labels(dataset: fo.Dataset, path: str, sample: int = 0) -> dict[int, Any]:
    """The one label of each frame."""
    dataset.reload()
    field, name = path.split(".")
    found = {}
    for number, frame in dataset.skip(sample).first().frames.items():
        labels = frame[field]
        if labels is not None and labels[name]:
            (found[number],) = labels[name]
    return found


# what comes out, from real tracks


def test_a_box_in_one_frame_becomes_boxes_in_all(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0, weather="rain", confidence=0.4)})
    report = pt.propagate_labels(dataset, "frames.box", "frames.all", tracker="optical-flow", progress=False)
    assert report.failures == []
    found = _labels(dataset, "all.detections")
    assert list(found) == list(range(FIRST, LAST + 1))
    assert min(iou(one.bounding_box, bounding_box(number - 1)) for number, one in found.items()) > 0.85
    assert found[FIRST].bounding_box == bounding_box(0)
    assert found[FIRST].confidence == 0.4
    assert {(one.label, one.index, one["weather"], one.instance.id) for one in found.values()} == {
        ("thing", 1, "rain", found[FIRST].instance.id)
    }
    assert [number for number, one in found.items() if one["keyframe"]] == [FIRST]
    derived = [one for number, one in found.items() if number != FIRST]
    assert all(one["keyframe"] is False and one["occluded"] is False for one in derived)
    assert all(one["interpolated"] is False and 0.5 < one.confidence <= 1 for one in derived)
    assert dataset.count("frames.box.detections") == 1
    outcome = report.outcomes[0]
    assert (outcome.num_objects, outcome.num_keyframes, outcome.num_filled) == (1, 1, NUM_FRAMES - 1)


def test_a_box_in_the_middle_goes_both_ways_and_two_are_met_exactly(labelled: MakeLabelled) -> None:
    middle = labelled({12: box(11)})
    pt.propagate_labels(middle, "box", tracker="optical-flow", progress=False)
    found = _labels(middle, "box.detections")
    assert list(found) == list(range(FIRST, LAST + 1))
    assert min(iou(one.bounding_box, bounding_box(number - 1)) for number, one in found.items()) > 0.85
    shifted = [value + 0.02 for value in bounding_box(23)]
    both = labelled({FIRST: box(0), LAST: box(23, bounding_box=shifted)})
    pt.propagate_labels(both, "box", tracker="optical-flow", progress=False)
    found = _labels(both, "box.detections")
    assert (found[FIRST].bounding_box, found[LAST].bounding_box) == (bounding_box(0), shifted)
    # bent to what was drawn
    assert iou(found[LAST - 1].bounding_box, shifted) > iou(bounding_box(22), shifted)


@pytest.mark.parametrize("inline", [True, False])
def test_masks_are_carried_with_their_boxes(labelled: MakeLabelled, tmp_path: Path, inline: bool) -> None:
    mask = np.zeros((40, 50), np.uint8)
    cv2.ellipse(mask, (25, 20), (24, 19), 0, 0, 360, 255, -1)
    told: dict[str, Any] = {"mask": mask > 0}
    if not inline:
        cv2.imwrite(str(tmp_path / "mask.png"), mask)
        told = {"mask_path": str(tmp_path / "mask.png")}
    dataset = labelled({FIRST: box(0, **told)})
    report = pt.propagate_labels(dataset, "box", "all", tracker="optical-flow", progress=False)
    assert report.failures == []
    found = _labels(dataset, "all.detections")
    assert list(found) == list(range(FIRST, LAST + 1))
    for number in (6, 12, 18):
        one = found[number]
        assert one.mask_path is None
        assert iou(one.bounding_box, bounding_box(number - 1)) > 0.8
        carried = cv2.resize(one.mask.astype(np.uint8), (50, 40), interpolation=cv2.INTER_NEAREST) > 0
        assert (carried & (mask > 0)).sum() / (carried | (mask > 0)).sum() > 0.85
    assert found[FIRST].mask_path == told.get("mask_path")


@pytest.mark.parametrize("closed", [True, False])
def test_lines_are_carried_vertex_by_vertex(labelled: MakeLabelled, closed: bool) -> None:
    corners_px = [[[30.0, 36.0], [66.0, 40.0], [60.0, 62.0]], [[34.0, 60.0], [50.0, 50.0]]]
    lines = [[(x / SIZE[0], y / SIZE[1]) for x, y in line] for line in corners_px]
    edge = fo.Polyline(label="edge", points=lines, closed=closed, filled=closed, index=3, keyframe=True)
    dataset = labelled({FIRST: edge}, field="edge")
    pt.propagate_labels(dataset, "edge", tracker="optical-flow", progress=False)
    found = _labels(dataset, "edge.polylines")
    assert list(found) == list(range(FIRST, LAST + 1))
    for number, one in found.items():
        assert (one.closed, one.filled, one.label, one.index) == (closed, closed, "edge", 3)
        for line, start in zip(one.points, corners_px, strict=True):
            expected = moving_object.moved(start, number - 1)
            np.testing.assert_allclose(np.array(line) * SIZE, expected, atol=1.5)


def test_keypoints_are_carried_joint_by_joint_and_unknown_joints_stay_so(labelled: MakeLabelled) -> None:
    joints_px = [[34.0, 40.0], [np.nan, np.nan], [60.0, 60.0]]
    points = [(x / SIZE[0], y / SIZE[1]) for x, y in joints_px]
    pose = fo.Keypoint(label="person", points=points, confidence=[0.9, 0, 0.8], index=2, keyframe=True)
    dataset = labelled({FIRST: pose}, field="pose")
    dataset.skeletons = {"pose": fo.KeypointSkeleton(labels=["head", "hand", "foot"], edges=[[0, 1], [1, 2]])}
    report = pt.propagate_labels(dataset, "pose", "poses", tracker="optical-flow", progress=False)
    assert report.failures == []
    found = _labels(dataset, "poses.keypoints")
    assert list(found) == list(range(FIRST, LAST + 1))
    for number, one in found.items():
        expected = moving_object.moved(joints_px, number - 1)
        np.testing.assert_allclose(np.array(one.points) * SIZE, expected, atol=1.5)
        assert len(one.confidence) == 3
    assert dataset.skeletons["poses"].edges == [[0, 1], [1, 2]]


def test_an_object_ends_where_it_is_lost_or_is_kept_and_said_to_be_hidden(labelled: MakeLabelled) -> None:
    lost = DriftTracker(visible=False)
    dataset = labelled({12: box(11)})
    report = pt.propagate_labels(dataset, "box", "ended", tracker=lost, progress=False)
    assert list(_labels(dataset, "ended.detections")) == [12]
    assert report.outcomes[0].num_filled == 0
    pt.propagate_labels(dataset, "box", "kept", tracker=lost, keep_lost=True, progress=False)
    kept = _labels(dataset, "kept.detections")
    assert list(kept) == list(range(FIRST, LAST + 1))
    assert all(one["occluded"] for number, one in kept.items() if number != 12)
    assert kept[13].confidence > kept[20].confidence
    assert kept[20].bounding_box == pytest.approx(bounding_box(11))


def test_where_nothing_is_seen_between_two_keyframes_the_label_says_that_it_is_interpolated(
    labelled: MakeLabelled,
) -> None:
    dataset = labelled({FIRST: box(0), 11: box(10)})
    report = pt.propagate_labels(dataset, "box", tracker=DriftTracker(visible=False), progress=False)
    found = _labels(dataset, "box.detections")
    assert list(found) == list(range(FIRST, 12))
    assert all(found[number]["interpolated"] and found[number]["occluded"] for number in range(2, 11))
    assert iou(found[6].bounding_box, bounding_box(5)) > 0.99
    assert report.outcomes[0].num_interpolated == 9
    assert "9 of them interpolated" in str(report)


# again, after corrections


def test_a_second_run_computes_only_what_lies_beside_changed_keyframes(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0), 10: box(9), 20: box(19)})
    tracker = DriftTracker()
    pt.propagate_labels(dataset, "box", tracker=tracker, progress=False)
    before, clips = raw_frames(dataset), tracker.clips
    again = pt.propagate_labels(dataset, "box", tracker=tracker, progress=False)
    assert (tracker.clips, again.outcomes[0].num_filled, again.outcomes[0].num_unchanged) == (clips, 0, NUM_FRAMES - 3)
    assert "left 21 frames alone" in str(again)
    assert raw_frames(dataset) == before
    frame = dataset.first().frames[FIRST]
    frame.box.detections[0].bounding_box[0] += 0.05
    frame.save()
    corrected = pt.propagate_labels(dataset, "box", tracker=tracker, progress=False)
    assert (corrected.outcomes[0].num_filled, corrected.outcomes[0].num_unchanged) == (8, 13)
    changed = {
        number for number, (one, other) in enumerate(zip(before, raw_frames(dataset), strict=True), 1) if one != other
    }
    assert changed == set(range(1, 10))


def test_a_field_that_was_deleted_or_cleared_is_filled_anew(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    for spoil in (
        lambda: None,
        lambda: dataset.clear_frame_field("all"),
        lambda: dataset.delete_frame_field("all"),
        lambda: dataset.delete_sample_field("all_propagation"),
    ):
        spoil()
        pt.propagate_labels(dataset, "box", "all", tracker=DriftTracker(), progress=False)
        assert len(_labels(dataset, "all.detections")) == NUM_FRAMES
        assert dataset.count_values("frames.all.detections.keyframe") == {True: 1, False: NUM_FRAMES - 1}


# what a run is about


def test_a_view_chooses_objects_and_never_frames(labelled: MakeLabelled) -> None:
    labels = {FIRST: [box(0), box(0, label="other", index=2)], 9: [box(8, index=1, score=0.9)]}
    dataset = labelled(labels)
    hidden = [frame["box"]["detections"][1] for frame in raw_frames(dataset)[:1]]
    view = dataset.filter_labels("frames.box", fo.ViewField("label") == "thing").match_frames(
        fo.ViewField("frame_number") < 3
    )
    report = pt.propagate_labels(view, "box", tracker=DriftTracker(), progress=False)
    assert (report.outcomes[0].num_objects, report.outcomes[0].num_keyframes) == (1, 2)
    assert dataset.count_values("frames.box.detections.label") == {"thing": NUM_FRAMES, "other": 1}
    assert raw_frames(dataset)[0]["box"]["detections"][1] == hidden[0]


def test_samples_without_labels_are_told_apart_from_those_that_failed(labelled: MakeLabelled, tmp_path: Path) -> None:
    dataset = labelled(
        {FIRST: box(0)}, {}, {FIRST: box(0)}, {FIRST: box(0)}, {FIRST: box(0, bounding_box=[0, 0, 0, 0])}
    )
    samples = list(dataset)
    samples[2].filepath = str(tmp_path / "absent.mp4")
    samples[3].filepath = str(media.text_file(tmp_path / "broken.mp4"))
    for sample in samples:
        sample.save()
    before = raw_frames(dataset)
    report = pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    assert [outcome.status for outcome in report.outcomes] == ["done", "no prompt", "failed", "failed", "no prompt"]
    assert [failure.kind for failure in report.failures] == ["VideoNotFoundError", "VideoError"]
    assert "no area" in (report.outcomes[4].message or "")
    assert raw_frames(dataset)[NUM_FRAMES:] == before[1:]
    assert str(pt.load_report(dataset, report.run_key)) == str(report)


def test_a_video_that_breaks_off_is_filled_as_far_as_it_goes(labelled: MakeLabelled, tmp_path: Path) -> None:
    short = media.truncated(tmp_path / "cut.mkv", moving_object.clip(tmp_path / "whole.mkv"), 0.6)
    dataset = labelled({FIRST: box(0), LAST: box(23)}, path=short)
    report = pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    assert report.failures == []
    assert any("frame 24" in text and "the video ends" in text for _, text in report.warnings)
    found = _labels(dataset, "box.detections")
    assert 5 < len(found) < NUM_FRAMES
    assert found[LAST].bounding_box == bounding_box(23)


def test_videos_in_groups_are_filled(thing_path: Path, tmp_path: Path, no_datasets_stay: None) -> None:
    dataset = fo.Dataset()
    dataset.add_group_field("group", default="picture")
    group = fo.Group()
    picture = fo.Sample(filepath=str(media.picture_file(tmp_path / "a.png")), group=group.element("picture"))
    video = fo.Sample(filepath=str(thing_path), group=group.element("video"))
    video.frames[FIRST] = fo.Frame(box=fo.Detections(detections=[box(0)]))
    dataset.add_samples([picture, video])
    with pytest.raises(CollectionError, match="select_group_slices"):
        pt.propagate_labels(dataset, "box")
    videos = dataset.select_group_slices("video")
    for expected in (NUM_FRAMES - 1, 0):
        report = pt.propagate_labels(videos, "box", "all", tracker=DriftTracker(), progress=False)
        assert (report.failures, report.outcomes[0].num_filled) == ([], expected)
    assert videos.count("frames.all.detections") == NUM_FRAMES
    filtered = videos.filter_labels("frames.box", fo.ViewField("label") == "none", only_matches=False)
    report = pt.propagate_labels(filtered, "box", "more", tracker=DriftTracker(), progress=False)
    assert [outcome.status for outcome in report.outcomes] == ["no prompt"]


# what is refused before anything is done


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"field": "absent"}, FieldError, "no field 'absent' on frames"),
        ({"field": "kind"}, FieldError, "holds Classifications"),
        ({"output_field": "kind"}, FieldError, "holds Classifications"),
        ({"output_field": "pose"}, FieldError, "holds Keypoints, and 'box' holds Detections"),
        ({"output_field": "tracks"}, FieldError, "point tracks of a run"),
        ({"output_field": "frozen"}, FieldError, "read-only"),
        ({"output_field": "odd"}, FieldError, "'occluded'.*StringField"),
        ({"output_field": "taken"}, FieldError, "'taken_propagation' exists and is not ours"),
        ({"tracker": "no-such"}, UnknownTrackerError, "no-such"),
        ({"progress": "yes"}, OptionError, "progress"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    labelled: MakeLabelled, arguments: dict[str, Any], error: type[Exception], words: str
) -> None:
    dataset = labelled({FIRST: box(0)})
    kinds = {"kind": fo.Classifications, "pose": fo.Keypoints, "frozen": fo.Detections, "odd": fo.Detections}
    for name, kind in kinds.items():
        dataset.add_frame_field(name, fo.EmbeddedDocumentField, embedded_doc_type=kind, read_only=name == "frozen")
    dataset.add_frame_field("odd.detections.occluded", fo.StringField)
    dataset.add_sample_field("taken_propagation", fo.StringField)
    if arguments.get("output_field") == "tracks":
        pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=1, progress=False)
    before, schema = raw_frames(dataset), dataset.get_frame_field_schema(flat=True)
    with pytest.raises(error, match=words):
        pt.propagate_labels(dataset, **{"field": "box", "tracker": DriftTracker(), **arguments})
    assert raw_frames(dataset) == before
    assert dataset.get_frame_field_schema(flat=True).keys() == schema.keys()
    assert [key for key in dataset.list_runs() if key.startswith("propagate")] == []


def test_a_run_key_that_is_taken_is_refused(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    keys = [pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False).run_key for _ in range(2)]
    assert keys == ["propagate_box", "propagate_box_2"]
    with pytest.raises(OptionError, match="propagate_box"):
        pt.propagate_labels(dataset, "box", tracker=DriftTracker(), run_key="propagate_box")


def test_an_empty_view_is_nothing_to_do(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    report = pt.propagate_labels(dataset.limit(0), "box", progress=False)
    assert (report.outcomes, dataset.list_runs()) == ([], [])


# what is declared, and told


def test_attributes_are_declared_and_the_copy_has_those_of_its_source(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0, weather="rain", speed=3.5)})
    dataset.add_dynamic_frame_fields()
    pt.propagate_labels(dataset, "box", "all", tracker=DriftTracker(), progress=False)
    schema = dataset.get_frame_field_schema(flat=True)
    for name in ("keyframe", "occluded", "interpolated", "outside"):
        assert isinstance(schema[f"all.detections.{name}"], fo.BooleanField)
    assert isinstance(schema["all.detections.weather"], fo.StringField)
    assert isinstance(schema["all.detections.speed"], fo.FloatField)
    # the input is not written to
    assert "box.detections.occluded" not in schema
    assert dataset.filter_labels("frames.all", ~fo.ViewField("keyframe")).count("frames.all.detections") == 23


def test_progress_is_told_and_a_cancelled_run_leaves_finished_samples(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)}, {FIRST: box(0)}, {FIRST: box(0)})
    told: list[Any] = []
    report = pt.propagate_labels(
        dataset,
        "box",
        tracker=DriftTracker(),
        progress=told.append,
        cancelled=lambda: any(one.iteration >= 1 for one in told),
    )
    assert report.cancelled
    assert [outcome.status for outcome in report.outcomes] == ["done", "not run", "not run"]
    shares = [one.progress for one in told]
    assert shares == sorted(shares)
    assert any(0 < share < 1 / 3 for share in shares)
    assert dataset.count("frames.box.detections") == NUM_FRAMES + 2
    assert "2 samples to go" in str(pt.load_report(dataset, report.run_key))
    assert leftovers(dataset) == []
    rest = pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    assert [outcome.num_filled for outcome in rest.outcomes] == [0, 23, 23]


def test_the_sample_gets_metadata_for_the_app(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    dataset.reload()
    metadata = dataset.first().metadata
    assert (metadata.frame_width, metadata.total_frame_count) == (SIZE[0], NUM_FRAMES)
