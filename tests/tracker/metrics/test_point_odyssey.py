"""PointOdyssey's figures against ones computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.metrics.point_odyssey import point_odyssey_scores
from point_tracking.tracker.metrics.truth import TrackTruth

from .clip_makers import SQUARE, joined, made_tracks, one_track


def test_every_trajectory_counts_the_same():
    # errors 0 2 10: median 2, survives all 3; errors 60 0 0: median 0, survives none
    scores = point_odyssey_scores(
        *joined(one_track([0, 2, 10], [True] * 3, [True] * 3), one_track([60, 0, 0], [True] * 3, [True] * 3))
    )
    assert scores.survival == (1 + 0) / 2
    assert scores.median_error_px == (2 + 0) / 2


def test_hidden_errors_count_too():
    scores = point_odyssey_scores(*one_track([0, 51, 0, 0], [True] * 4, [True, False, True, True]))
    assert scores.survival == 1 / 4


def test_errors_are_in_pixels_of_256():
    scores = point_odyssey_scores(*one_track([6.0], [True], [True], size_px=(1024, 256)))
    assert scores.median_error_px == 1.5


def test_unknown_positions_end_survival_and_are_held_for_the_error():
    # errors: 4, then held at 4 twice
    scores = point_odyssey_scores(*one_track([4, np.nan, np.nan], [True, False, False], [True] * 3))
    assert scores.survival == 1 / 3
    assert scores.median_error_px == pytest.approx(4)


def test_a_prediction_that_is_never_known_stays_at_the_query():
    xy = np.array([[10.0, 10.0], [13.0, 14.0], [13.0, 14.0]])[:, None]
    truth = TrackTruth(np.array([0]), xy, np.ones((3, 1), bool), SQUARE)
    nothing = made_tracks(np.full((3, 1, 2), np.nan), np.zeros((3, 1)))
    assert point_odyssey_scores(nothing, truth).median_error_px == 5
    assert point_odyssey_scores(nothing, truth).survival == 0


def test_frames_before_the_first_known_one_are_held_too():
    xy = np.tile(np.array([10.0, 10.0]), (3, 1, 1))
    truth = TrackTruth(np.array([1]), xy, np.ones((3, 1), bool), SQUARE)
    predicted = made_tracks([[[np.nan, np.nan]], [[10, 10]], [[12, 10]]], [[0], [1], [1]])
    assert point_odyssey_scores(predicted, truth, mode="strided").median_error_px == 1


def test_unknown_frames_before_the_query_are_held_as_seen_from_it():
    # nearer to the query, the point was known at 3 px off; further away at 40
    xy = np.tile(np.array([10.0, 10.0]), (4, 1, 1))
    truth = TrackTruth(np.array([3]), xy, np.ones((4, 1), bool), SQUARE)
    x = np.array([50, np.nan, 13, 10])
    predicted = made_tracks(np.stack([x, np.where(np.isnan(x), x, 10.0)], axis=1)[:, None], np.isfinite(x)[:, None])
    assert point_odyssey_scores(predicted, truth, mode="strided").median_error_px == 3


def test_trajectories_without_a_label_to_count_are_left_out():
    unknown = one_track([0, 0], [True] * 2, [True] * 2, valid=np.array([True, False, False])[:, None])
    known = one_track([3, 3], [True] * 2, [True] * 2)
    scores = point_odyssey_scores(*joined(unknown, known))
    assert scores.median_error_px == 3
    nothing = point_odyssey_scores(*unknown)
    assert np.isnan([nothing.survival, nothing.median_error_px]).all()
