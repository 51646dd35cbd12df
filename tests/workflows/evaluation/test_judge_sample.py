"""One sample and its judges: which frames and points count by known tracks, by masks, and by the way back."""

from __future__ import annotations

import re
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from judged_clips import (
    HEIGHT,
    NUM_FRAMES,
    NUM_POINTS,
    PX,
    WIDTH,
    no_truth,
    replace,
    tracks_of,
    truth_xy,
)
from trackers import DriftTracker

import point_tracking as pt


@pytest.mark.parametrize("options", [{}, {"keep_hidden": True}, {"layout": "frame"}])
def test_frames_between_sampled_ones_do_not_count(dataset: fo.Dataset, options: dict[str, Any]) -> None:
    sampled = np.arange(0, NUM_FRAMES, 3)
    found = truth_xy()[sampled]
    visible = np.ones(found.shape[:2], bool)
    visible[2] = False  # a frame that was tracked, and in which nothing is seen
    tracks = tracks_of(found, visible)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", tracks, frame_numbers=sampled + 1, overwrite=True, **options)
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0]
    assert outcome.warnings[0] == "only 4 of 12 frames were tracked: the others do not count"
    # frames 3, 6 and 9 count
    assert outcome.figures["oa"] == outcome.figures["visible"] == pytest.approx(2 / 3)
    assert outcome.figures["delta_avg"] == (1.0 if "keep_hidden" in options else pytest.approx(2 / 3))
    assert outcome.figures["mte_px"] == 0.0


def test_strided_queries_count_frames_on_both_sides(dataset: fo.Dataset) -> None:
    # the perfect track of one point is lost at the start: of 12 frames, 0 to 3 are far off
    xy = truth_xy(1)
    sample = dataset.first()
    replace(sample, "truth", xy)
    found = xy.copy()
    found[:4, 0, 1] += 55
    replace(sample, "tracks", found)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided", match="index")
    # queries in frames 0, 5, 10: of 11 other frames, 3, 4 and 4 are wrong
    assert report.outcomes[0].figures["delta_avg"] == pytest.approx((8 + 7 + 7) / 33)
    assert "each track answers all queries" in report.warnings[0][1]
    assert report.outcomes[0].num_points == 3


@pytest.mark.parametrize("layout", ["points", "frame"])
def test_frames_without_a_label_are_hidden_or_unknown(dataset: fo.Dataset, layout: str) -> None:
    sample = dataset.first()
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[6:] = False
    replace(sample, "truth", truth_xy(), visible, layout=layout)
    one = dataset.limit(1)
    assert pt.evaluate_dataset(one, "tracks", "truth").outcomes[0].figures["oa"] == pytest.approx(5 / 11)
    assert pt.evaluate_dataset(one, "tracks", "truth", sparse=True).outcomes[0].figures["oa"] == 1.0
    dataset.set_values("truth_sparse", [True, False])
    assert pt.evaluate_dataset(one, "tracks", "truth").outcomes[0].figures["oa"] == 1.0
    assert pt.evaluate_dataset(one, "tracks", "truth", sparse=False).outcomes[0].figures["oa"] == pytest.approx(5 / 11)


def test_hidden_truth_outside_the_frame_counts_against_visible_predictions(dataset: fo.Dataset) -> None:
    xy = truth_xy()
    xy[6:, 2, 0] = WIDTH + 10
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[6:, 2] = False
    replace(dataset.first(), "truth", xy, visible, keep_hidden=True)
    figures = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0].figures
    assert figures["outside"] == 1.0
    assert figures["oa"] == pytest.approx(27 / 33)


@pytest.mark.parametrize("key", ["index", "instance"])
def test_points_that_somebody_marks_as_occluded_are_hidden(dataset: fo.Dataset, key: str) -> None:
    """The attribute as other programs leave it: in the labels, and not declared in the schema."""
    sample = dataset.first()
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    for number in range(1, NUM_FRAMES + 1):
        keypoints = sample.frames[number]["tracks"].keypoints
        for keypoint in keypoints:
            keypoint.instance = instances[keypoint.index - 1]
        sample.frames[number]["marked"] = fo.Keypoints(
            keypoints=[
                fo.Keypoint(points=k.points, occluded=number > 6 and k.index == 2, **{key: getattr(k, key)})
                for k in keypoints
            ]
        )
    sample.save()
    assert dataset.get_field("frames.marked.keypoints.occluded") is None
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "marked").outcomes[0]
    assert outcome.matched_by == key
    assert outcome.figures["oa"] == pytest.approx(27 / 33)
    if key == "index":
        assert pt.read_tracks(dataset.first(), "marked").visible.sum() == NUM_FRAMES * NUM_POINTS - 6


@pytest.mark.parametrize("key", ["index", "instance"])
def test_a_label_outside_the_frame_is_no_visible_point(dataset: fo.Dataset, key: str) -> None:
    """As another program may write it: outside, and not marked as hidden."""
    sample = dataset.first()
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    for number in range(1, NUM_FRAMES + 1):
        for keypoint in sample.frames[number]["truth"].keypoints:
            if keypoint.index == 1 and number <= 4:
                keypoint.points = [(1.2, 0.5)]
            if key == "instance":
                keypoint.instance, keypoint.index = instances[keypoint.index - 1], None
    sample["truth_info"] = None
    sample.save()
    if key == "instance":
        for number in range(1, NUM_FRAMES + 1):
            for keypoint in sample.frames[number]["tracks"].keypoints:
                keypoint.instance = instances[keypoint.index - 1]
        sample.save()
    assert sorted(t for t, _, _ in pt.truth_queries(dataset.limit(1), "truth")[sample.id]) == [0, 0, 4]
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided", match="index")
    figures = report.outcomes[0].figures
    assert (figures["delta_avg"], figures["outside"]) == (1.0, 1.0)
    # 4 of the 11 frames around both queries of that point are wrong, of 8 queries
    assert figures["oa"] == pytest.approx(1 - 2 * 4 / (8 * 11))


def test_tracks_without_their_hidden_positions_are_warned_about(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[8:] = False
    sample = dataset.first()
    replace(sample, "tracks", truth_xy(), visible)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert "keep_hidden=True" in report.warnings[0][1]
    assert report.outcomes[0].figures["delta_avg"] == pytest.approx(7 / 11)
    replace(sample, "tracks", truth_xy(), visible, keep_hidden=True)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert report.warnings == []
    assert report.outcomes[0].figures["delta_avg"] == 1.0


def test_query_frames_can_be_given_with_the_truth(dataset: fo.Dataset) -> None:
    """Tracked from frame 5 on: earlier frames, in which the truth is known too, were not asked for."""
    found = truth_xy()
    found[:5] = np.nan
    replace(dataset.first(), "tracks", found, np.isfinite(found[..., 0]))
    assert pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0].figures["delta_avg"] == pytest.approx(
        7 / 11
    )
    dataset.set_values("truth_query_frames", [[5, 5, -1], None])
    outcome = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").outcomes[0]
    assert (outcome.figures["delta_avg"], outcome.num_points) == (1.0, 2)
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[5] = False
    replace(dataset.first(), "truth", truth_xy(), visible)
    for frames, message in (
        ([5, 5, -1], "not known to be visible"),
        ([NUM_FRAMES, 0, 0], "frame 12 .counted from 0., but the video has 12 frames"),
        (["five", "five", "none"], "other things than frame indices"),
        ([0.5, 0.0, 0.0], "other things than frame indices"),
    ):
        dataset.delete_sample_field("truth_query_frames")
        dataset.set_values("truth_query_frames", [frames, None])
        (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth").failures
        assert failure.kind == "TruthError"
        assert re.search(message, failure.message)


def test_masks_judge_the_points_that_start_on_them(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[-1, 0] = False
    replace(sample, "tracks", truth_xy(), visible)
    for number in range(1, NUM_FRAMES):  # the last frame has no mask
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[40:80, 10:26] = 1  # the first point leaves it after frame 6, the others are never on it
        sample.frames[number]["object"] = fo.Segmentation(mask=mask)
    sample.save()
    report = pt.evaluate_dataset(dataset, "tracks", mask_field="frames.object")
    figures = report.outcomes[0].figures
    # x is 21 to 30 in frames 1 to 10 (from 0); on the mask, with two pixels of tolerance, up to 27
    assert figures == {"on_object": pytest.approx(7 / 10), "mask_visible": 1.0}
    assert report.failures[0].message == "No frame of this sample has a mask in 'object'"
    far = np.full((NUM_FRAMES, 1, 2), 100.0)
    replace(sample, "tracks", far)
    (failure, _) = pt.evaluate_dataset(dataset, "tracks", mask_field="object").failures
    assert "starts on the object" in failure.message
    replace(sample, "tracks", truth_xy())
    for number in range(2, NUM_FRAMES):
        sample.frames[number]["object"] = None
    sample.save()
    (failure, _) = pt.evaluate_dataset(dataset, "tracks", mask_field="object").failures
    assert "nothing to count: no frame after" in failure.message


def test_what_one_judge_cannot_tell_another_may(dataset: fo.Dataset) -> None:
    no_truth(dataset.first())
    report = pt.evaluate_dataset(dataset, "tracks", "truth", cycle=True, tracker=DriftTracker())
    assert report.failures == []
    assert [o.figures.get("delta_avg") for o in report.outcomes] == [None, pytest.approx(0.6)]
    assert dataset.values("eval_tracks_cycle_share") == [1.0, 1.0]
    ((_, warning),) = report.warnings
    assert warning.startswith("not judged by known tracks (TruthError): This sample has no known tracks")


def test_cycles_need_no_truth(dataset: fo.Dataset) -> None:
    """The drift tracker goes right in both directions of time: after n frames there and n back it is 2 n off."""
    pt.track_dataset(dataset, "drifted", tracker=DriftTracker(), points=[(0, 20, 60), (8, 20, 60)])
    report = pt.evaluate_dataset(dataset, "drifted", cycle=True, tracker=DriftTracker())
    figures = report.outcomes[0].figures
    # 11 frames there and back: 22 px; 3 frames: 6 px; of 256: 35.2 and 9.6
    assert figures["cycle_px"] == pytest.approx((22 + 6) / 2 / PX)
    assert figures["cycle_avg"] == pytest.approx((1 / 2) / 5)
    assert (figures["cycle_share"], figures["cycle_length"]) == (1.0, 1.0)
    assert dataset.values("eval_drifted_cycle_px") == pytest.approx([14 / PX] * 2)


def test_the_way_back_is_the_trackers_own_unless_told(dataset: fo.Dataset) -> None:
    options = {"resolution": 64}
    pt.track_dataset(dataset.limit(1), "flow", tracker="optical-flow", grid_size=3, tracker_options=options)
    report = pt.evaluate_dataset(dataset.limit(1), "flow", cycle=True)
    assert report.failures == []
    assert report.outcomes[0].figures["cycle_share"] is not None
    (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", cycle=True).failures
    assert (failure.kind, "Name one to go back with" in failure.message) == ("OptionError", True)
    by_name = pt.evaluate_dataset(dataset.limit(1), "tracks", cycle=True, tracker="optical-flow")
    assert by_name.failures == []
