"""Which track answers which known point."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged_clips import NUM_FRAMES, NUM_POINTS, last_frame_only, replace, tracks_of, truth_xy
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.labels.known_tracks import KnownTracks
from point_tracking.tracker.errors import TruthError
from point_tracking.workflows.evaluation.matching import (
    MATCH_TOLERANCE_PX,
    find_answers,
    match_by_key,
    match_by_place,
    query_distances_px,
    starts_fit,
)
from point_tracking.workflows.evaluation.options import EvaluationOptions


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


def _known(xy: np.ndarray, keys: list[Any] | None = None, visible: Any = True) -> KnownTracks:
    shown = np.broadcast_to(np.asarray(visible, dtype=bool), xy.shape[:2]).copy()
    keys = list(range(1, xy.shape[1] + 1)) if keys is None else keys
    return KnownTracks(np.array(keys), isinstance(keys[0], str), xy, shown, np.ones_like(shown), media.SIZE)


def _answers(known: KnownTracks, tracks: pt.Tracks, **options: Any) -> tuple[list[int], str, list[str]]:
    warnings: list[str] = []
    instances = options.pop("instances", {})
    given = EvaluationOptions(gt_field="truth", **options)
    answers = find_answers(known, tracks, instances, given, warnings)
    return answers.columns.tolist(), answers.matched_by, warnings


@settings(max_examples=50)
@given(st.permutations(range(6)), st.integers(0, 2**32 - 1), st.integers(0, 3))
def test_tracks_in_any_order_are_found_by_their_place(order: list[int], seed: int, more: int) -> None:
    rng = np.random.default_rng(seed)
    # further apart than twice the tolerance, so that each has one answer
    start = np.stack([10 + 25.0 * np.arange(6), rng.uniform(20, 100, 6)], axis=1)
    xy = np.repeat(start[None], 4, axis=0)
    found = xy[:, order] + rng.uniform(-2, 2, (1, 6, 2))
    found = np.concatenate([found, np.full((4, more, 2), 500.0)], axis=1)
    columns, matched_by, _ = _answers(_known(xy), tracks_of(found), match="place")
    assert matched_by == "place"
    assert columns == [order.index(point) for point in range(6)]


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 8))
def test_no_track_answers_two_points_and_none_is_far(seed: int, num_points: int, num_tracks: int) -> None:
    rng = np.random.default_rng(seed)
    known = _known(rng.uniform(0, 30, (3, num_points, 2)))
    tracks = tracks_of(rng.uniform(0, 30, (3, num_tracks, 2)))
    truth, _ = known.queried("first")
    columns = match_by_place(truth, tracks)
    if columns is None:
        return
    assert len(set(columns.tolist())) == num_points
    assert (query_distances_px(truth, tracks, columns) <= MATCH_TOLERANCE_PX).all()


def test_the_nearest_are_paired_first() -> None:
    xy = np.array([[[20.0, 60.0], [23.0, 60.0]]])
    found = np.array([[[22.5, 60.0], [20.5, 60.0]]])
    assert _answers(_known(xy), tracks_of(found), match="place")[0] == [1, 0]


def test_the_own_index_is_used_where_tracks_start_there() -> None:
    xy = truth_xy()
    assert _answers(_known(xy), tracks_of(xy)) == ([0, 1, 2], "index", [])
    assert _answers(_known(xy), tracks_of(xy[:, ::-1])) == ([2, 1, 0], "place", [])
    assert _answers(_known(xy), tracks_of(xy[:, ::-1]), match="index") == ([0, 1, 2], "index", [])


def test_instances_answer_by_their_id() -> None:
    known = _known(truth_xy(), ["b", "a", "c"])
    instances = {"a": 1, "b": 0, "c": 2}
    assert _answers(known, tracks_of(truth_xy()), instances=instances) == ([0, 1, 2], "instance", [])
    assert match_by_key(known, tracks_of(truth_xy()), {"a": 1}).tolist() == [-1, 1, -1]


@pytest.mark.parametrize(
    ("found", "options", "text"),
    [
        (truth_xy()[:-1], {}, "The tracks have 11 frames, the known tracks 12"),
        (truth_xy(2), {"match": "index"}, "3 known points, the last with the index 3; 2 tracks"),
        (truth_xy() + np.array([0, 50]), {}, "tracks do not start where the known points of the same index do"),
        (truth_xy(2), {"match": "place"}, "no track within 8 px"),
    ],
)
def test_tracks_that_do_not_answer_are_refused(found: np.ndarray, options: dict[str, Any], text: str) -> None:
    with pytest.raises(TruthError, match=text):
        _answers(_known(truth_xy()), tracks_of(found), **options)


def test_positions_that_are_not_known_say_nothing_about_the_start() -> None:
    truth, _ = _known(truth_xy()).queried("first")
    unknown = np.full_like(truth_xy(), np.nan)
    assert starts_fit(truth, tracks_of(unknown), np.arange(3))
    assert not starts_fit(truth, tracks_of(truth_xy() + 50), np.arange(3))
