"""TAP-Vid's figures against ones computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking import Tracks
from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.metrics.tap_vid import TapVidScores, share_visible_outside, tap_vid_scores
from point_tracking.tracker.metrics.truth import TrackTruth

from .clip_makers import SQUARE, made_tracks, one_track


def test_perfect_tracks():
    scores = tap_vid_scores(*one_track([0, 0, 0], [True, True, False], [True, True, False]))
    assert scores == TapVidScores((1.0,) * 5, (1.0,) * 5, 1.0, 2 / 3)
    assert (scores.delta_avg, scores.average_jaccard) == (1, 1)


def test_thresholds_are_strict():
    scores = tap_vid_scores(*one_track([1.0, 3.9, 16.0], [True] * 3, [True] * 3))
    assert scores.delta == (0, 1 / 3, 2 / 3, 2 / 3, 2 / 3)
    # true positives 0 1 2 2 2, false positives 3 2 1 1 1, truly visible 3
    assert scores.jaccard == (0, 1 / 5, 2 / 4, 2 / 4, 2 / 4)
    assert scores.delta_avg == pytest.approx((1 / 3 + 3 * 2 / 3) / 5)
    assert scores.average_jaccard == pytest.approx((1 / 5 + 3 * 1 / 2) / 5)


def test_jaccard_counts_each_kind_of_mistake():
    # found, missed, seen though hidden (exact place), rightly hidden, far away
    scores = tap_vid_scores(
        *one_track([0, 0, 0, 0, 100], [True, False, True, False, True], [True, True, False, False, True])
    )
    assert scores.delta == (2 / 3,) * 5
    assert scores.jaccard == (1 / (3 + 2),) * 5
    assert scores.occlusion_accuracy == 3 / 5
    assert scores.share_visible == 3 / 5


def test_delta_ignores_predicted_visibility_and_unknown_positions_count_as_missed():
    scores = tap_vid_scores(*one_track([0, np.nan], [False, False], [True, True]))
    assert scores.delta == (0.5,) * 5
    assert scores.jaccard == (0.0,) * 5
    assert scores.occlusion_accuracy == 0


def test_distances_are_measured_in_256_by_256():
    # 6 px of a frame 1024 wide are 1.5 px of one 256 wide
    scores = tap_vid_scores(*one_track([6.0], [True], [True], size_px=(1024, 256)))
    assert scores.delta == (0, 1, 1, 1, 1)


def test_invalid_labels_are_left_out_of_every_count():
    valid = np.array([True, True, False, False])[:, None]
    scores = tap_vid_scores(*one_track([0, 100, 0], [True, True, True], [True, True, False], valid=valid))
    assert scores == TapVidScores((1.0,) * 5, (1.0,) * 5, 1.0, 1.0)


def test_strided_queries_count_the_frames_before_them_too():
    xy = np.tile(np.array([100.0, 50.0]), (4, 1, 1))
    truth = TrackTruth(np.array([2]), xy, np.ones((4, 1), bool), SQUARE)
    found = xy.copy()
    found[:2, 0, 0] += 99
    predicted = made_tracks(found, np.ones((4, 1)))
    assert tap_vid_scores(predicted, truth, mode="first").delta == (1.0,) * 5
    assert tap_vid_scores(predicted, truth, mode="strided").delta == (1 / 3,) * 5
    # 1 true positive, 3 truly visible, 2 false positives
    assert tap_vid_scores(predicted, truth, mode="strided").jaccard == (1 / 5,) * 5


def test_nothing_to_count_is_nan():
    nothing = tap_vid_scores(*one_track([], [], []))
    assert np.isnan([*nothing.delta, *nothing.jaccard, nothing.occlusion_accuracy, nothing.share_visible]).all()


def test_without_visible_points_only_jaccard_and_occlusion_are_known():
    scores = tap_vid_scores(*one_track([0, 0], [True, False], [False, False]))
    assert np.isnan(scores.delta).all()
    assert scores.jaccard == (0.0,) * 5
    assert scores.occlusion_accuracy == 0.5


def test_shapes_and_modes_must_fit():
    predicted, truth = one_track([0, 0], [True] * 2, [True] * 2)
    with pytest.raises(ShapeError, match="do not fit"):
        tap_vid_scores(Tracks(predicted.xy[:2], predicted.visible[:2], predicted.confidence[:2]), truth)
    with pytest.raises(OptionError, match=r"'last'.*first, strided"):
        tap_vid_scores(predicted, truth, mode="last")  # pyright: ignore[reportArgumentType]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["first", "strided"]))
def test_scores_are_shares_and_no_jaccard_passes_its_delta(seed: int, mode):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 255, (7, 5, 2))
    predicted = Tracks(xy + rng.normal(0, 6, xy.shape), rng.random((7, 5)) < 0.7, rng.random((7, 5)))
    truth = TrackTruth(rng.integers(0, 6, 5), xy, rng.random((7, 5)) < 0.7, SQUARE, rng.random((7, 5)) < 0.8)
    scores = tap_vid_scores(predicted, truth, mode=mode)
    assert list(scores.delta) == sorted(scores.delta) or np.isnan(scores.delta).any()
    for delta, jaccard in zip(scores.delta, scores.jaccard, strict=True):
        assert np.isnan(delta) or 0 <= jaccard <= delta <= 1


def leaving(valid: list[bool] | None = None) -> tuple[Tracks, TrackTruth]:
    """A point that leaves a frame 100 wide after two frames and comes back in the last."""
    x = np.array([90.0, 99.0, 99.5, 120.0, -3.0, 50.0])
    xy = np.stack([x, np.full(6, 20.0)], axis=1)[:, None]  # (6, 1, 2)
    truth = TrackTruth(
        np.array([0]),
        xy,
        np.array([1, 1, 0, 0, 0, 1])[:, None],
        (100, 50),
        None if valid is None else np.array(valid)[:, None],
    )
    return made_tracks(np.clip(xy, 0, [99, 49]), np.array([1, 1, 1, 1, 0, 1])[:, None]), truth


def test_points_outside_the_frame_that_are_reported_visible_are_counted():
    assert share_visible_outside(*leaving()) == 2 / 3
    assert share_visible_outside(*leaving([True, True, False, True, True, True])) == 1 / 2


def test_without_points_outside_there_is_no_share():
    assert np.isnan(share_visible_outside(*one_track([0], [True], [True])))
