"""Dynamic Replica's figures against ones computed by hand."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.metrics.dynamic_replica import dynamic_replica_scores
from point_tracking.tracker.metrics.point_odyssey import point_odyssey_scores
from point_tracking.tracker.metrics.truth import TrackTruth

from .clip_makers import SQUARE, joined, made_tracks, one_track


def test_visible_and_hidden_positions_are_counted_apart():
    # visible: 0.5 and 3 px off; hidden: 1.5, 20 px off and unknown
    scores = dynamic_replica_scores(
        *one_track([0.5, 1.5, 3, 20, np.nan], [False] * 5, [True, False, True, False, False])
    )
    assert scores.delta_visible == (1 / 2, 1 / 2, 1, 1, 1)
    assert scores.delta_occluded == (0, 1 / 3, 1 / 3, 1 / 3, 1 / 3)
    assert scores.delta_visible_avg == 0.8
    assert np.isclose(scores.delta_occluded_avg, 4 / 15)
    assert scores.survival == 1


def test_survival_ends_with_the_first_visible_error_above_50_px():
    # 50 px is no failure, a hidden error is none either; coming back does not help
    scores = dynamic_replica_scores(
        *one_track([50, 60, 0, 51, 0, 0], [True] * 6, [True, False, True, True, True, True])
    )
    assert scores.survival == 3 / 6


def test_an_unknown_position_ends_survival_where_the_point_is_visible():
    scores = dynamic_replica_scores(*one_track([0, np.nan, np.nan, 0], [True, False, False, True], [1, 0, 1, 1]))
    assert scores.survival == 2 / 4


def test_strided_points_are_lost_in_each_direction_on_their_own():
    # queried in the middle of 7 frames; lost two frames before it, and three after it
    x = np.zeros(7)
    x[[1, 6]] = 99
    xy = np.tile(np.array([100.0, 50.0]), (7, 1, 1))
    truth = TrackTruth(np.array([3]), xy, np.ones((7, 1), bool), SQUARE)
    predicted = made_tracks(xy + np.stack([x, np.zeros(7)], axis=1)[:, None], np.ones((7, 1)))
    assert dynamic_replica_scores(predicted, truth, mode="strided").survival == 3 / 6
    assert dynamic_replica_scores(predicted, truth, mode="first").survival == 2 / 3
    odyssey = point_odyssey_scores(predicted, truth, mode="strided")
    assert (odyssey.survival, odyssey.median_error_px) == (3 / 6, 0)


def test_points_and_frames_are_pooled():
    long = one_track([0, 0, 0, 99], [True] * 4, [True] * 4)
    late = one_track([0, 0, 0, 99], [True] * 4, [True] * 4, valid=np.array([1, 0, 0, 0, 1], bool)[:, None])
    # 3 of 4 counted frames survive, and 0 of 1
    assert dynamic_replica_scores(*joined(long, late)).survival == 3 / 5


def test_invalid_errors_do_not_end_survival():
    valid = np.array([True, False, True])[:, None]
    assert dynamic_replica_scores(*one_track([99, 0], [True] * 2, [True] * 2, valid=valid)).survival == 1


def test_always_visible_points_have_no_hidden_figure():
    scores = dynamic_replica_scores(*one_track([0], [True], [True]))
    assert np.isnan(scores.delta_occluded_avg)
    assert scores.delta_visible_avg == 1
