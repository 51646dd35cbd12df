"""Which track answers which known point."""

from __future__ import annotations

import fiftyone as fo
import numpy as np
import pytest
from judged_clips import (
    NUM_FRAMES,
    NUM_POINTS,
    last_frame_only,
    replace,
    truth_xy,
)
from trackers import DriftTracker

import point_tracking as pt


def test_strided_queries_that_were_tracked_each_are_answered_each(dataset: fo.Dataset) -> None:
    points = pt.truth_queries(dataset, "truth", query_mode="strided")
    assert [len(rows) for rows in points.values()] == [9, 9]
    assert points[dataset.first().id][1] == (5, pytest.approx(25), pytest.approx(60))
    pt.track_dataset(dataset, "strided", tracker=DriftTracker(), points=points, backward=True)
    report = pt.evaluate_dataset(dataset, "strided", "truth", query_mode="strided")
    assert [o.matched_by for o in report.outcomes] == ["query", "query"]
    assert report.warnings == []
    assert [o.figures["delta_avg"] for o in report.outcomes] == [1.0, 1.0]


def test_tracks_of_the_truths_queries_are_found_by_place(dataset: fo.Dataset) -> None:
    """A prompt field numbers its points by first appearance, which need not be the truth's index."""
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:4, 0] = False  # index 1 appears last
    for sample in dataset:
        replace(sample, "truth", truth_xy(), visible)
    pt.track_dataset(dataset, "again", tracker=DriftTracker(), points="truth")
    report = pt.evaluate_dataset(dataset, "again", "truth")
    assert report.failures == []
    assert [o.matched_by for o in report.outcomes] == ["place", "place"]
    assert [o.figures["aj"] for o in report.outcomes] == [1.0, 1.0]
    swapped = truth_xy()[:, ::-1]
    replace(dataset.first(), "again", swapped)
    report = pt.evaluate_dataset(dataset.limit(1), "again", "truth")
    assert report.outcomes[0].matched_by == "place"
    assert report.outcomes[0].figures["delta_avg"] == 1.0
    by_index = pt.evaluate_dataset(dataset.limit(1), "again", "truth", match="index")
    # the middle one of 7, 11 and 11 counted frames
    assert by_index.outcomes[0].figures["delta_avg"] == pytest.approx(11 / 29)


def test_corrected_tracks_are_truth_for_the_points_they_hold(dataset: fo.Dataset) -> None:
    """A person copied the field, moved one keypoint, and deleted the tracks that were not looked at."""
    dataset.clone_frame_field("tracks", "corrected")
    sample = dataset.first()
    for number in range(1, NUM_FRAMES + 1):
        label = sample.frames[number]["corrected"]
        label.keypoints = [k for k in label.keypoints if k.index == 2]
        if number == 7:
            label.keypoints[0].points = [(0.9, 0.9)]
    sample.save()
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "corrected")
    outcome = report.outcomes[0]
    assert (outcome.matched_by, outcome.num_points) == ("index", 1)
    assert outcome.figures["delta_avg"] == pytest.approx(10 / 11)


def test_instances_match_where_there_is_no_index(dataset: fo.Dataset) -> None:
    instances = [fo.Instance() for _ in range(NUM_POINTS)]
    sample = dataset.first()
    for number in range(1, NUM_FRAMES + 1):
        keypoints = sample.frames[number]["tracks"].keypoints
        for keypoint in keypoints:
            keypoint.instance = instances[keypoint.index - 1]
        sample.frames[number]["linked"] = fo.Keypoints(
            keypoints=[fo.Keypoint(points=k.points, instance=k.instance) for k in keypoints[::-1]]
        )
    sample.save()
    replaced = pt.evaluate_dataset(dataset.limit(1), "tracks", "linked")
    assert replaced.failures == []
    assert replaced.outcomes[0].matched_by == "instance"
    assert replaced.outcomes[0].figures["delta_avg"] == 1.0


def test_points_that_no_strided_query_sees_are_named(dataset: fo.Dataset) -> None:
    last_frame_only(dataset.first())
    (failure,) = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth", query_mode="strided").failures
    assert "ever visible in frames 0, 5, 10, ..." in failure.message


def test_points_that_are_never_visible_are_left_out_and_named(dataset: fo.Dataset) -> None:
    visible = np.ones((NUM_FRAMES, NUM_POINTS), bool)
    visible[:, 1] = False
    replace(dataset.first(), "truth", truth_xy(), visible, keep_hidden=True)
    report = pt.evaluate_dataset(dataset.limit(1), "tracks", "truth")
    assert report.outcomes[0].num_points == 2
    assert "1 of 3 known points are never visible" in report.warnings[0][1]
