"""Metrics against figures computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking import Tracks
from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.evaluation.metrics import (
    MaskScores,
    TapVidScores,
    TrackTruth,
    counted_frames,
    mask_scores,
    mean_mask_scores,
    mean_tap_vid_scores,
    tap_vid_scores,
)

SQUARE = (256, 256)


def one_track(x_errors: list[float], predicted_visible: list[bool], truly_visible: list[bool], **options):
    """One point, queried in a frame before the given ones, truly at (100, 50) all the time."""
    xy = np.tile(np.array([100.0, 50.0]), (len(x_errors) + 1, 1, 1))
    found = xy.copy()
    found[1:, 0, 0] += x_errors
    visible = np.array([True, *predicted_visible])[:, None]
    found[~visible & ~np.isfinite(found[..., 0])] = np.nan
    predicted = Tracks(found, visible, visible.astype(np.float32))
    truth_visible = np.array([True, *truly_visible])[:, None]
    return predicted, TrackTruth(np.array([0]), xy, truth_visible, options.get("size_px", SQUARE), options.get("valid"))


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


def test_frames_up_to_the_query_do_not_count():
    np.testing.assert_array_equal(
        counted_frames(np.array([0, 2, 3]), 4), np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
    )


def test_unknown_query_mode_is_refused():
    with pytest.raises(OptionError, match=r"'last'.*first"):
        counted_frames(np.array([0]), 4, mode="last")  # pyright: ignore[reportArgumentType]


def test_nothing_to_count_is_nan_and_left_out_of_means():
    nothing = tap_vid_scores(*one_track([], [], []))
    assert np.isnan([*nothing.delta, *nothing.jaccard, nothing.occlusion_accuracy, nothing.share_visible]).all()
    perfect = tap_vid_scores(*one_track([0], [True], [True]))
    assert mean_tap_vid_scores([nothing, perfect]) == perfect


def test_clips_count_the_same_whatever_their_length():
    good = tap_vid_scores(*one_track([0] * 9, [True] * 9, [True] * 9))
    bad = tap_vid_scores(*one_track([99], [True], [True]))
    assert mean_tap_vid_scores([good, bad]).delta_avg == 0.5
    assert mean_tap_vid_scores([good, bad]).average_jaccard == 0.5


def test_shapes_must_fit():
    predicted, truth = one_track([0, 0], [True] * 2, [True] * 2)
    with pytest.raises(ShapeError, match="do not fit"):
        tap_vid_scores(Tracks(predicted.xy[:2], predicted.visible[:2], predicted.confidence[:2]), truth)
    with pytest.raises(ShapeError, match="valid"):
        TrackTruth(truth.query_t, truth.xy, truth.visible, SQUARE, np.ones((2, 2), bool))


@given(st.integers(0, 2**32 - 1))
def test_scores_are_shares_and_no_jaccard_passes_its_delta(seed: int):
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 255, (7, 5, 2))
    predicted = Tracks(xy + rng.normal(0, 6, xy.shape), rng.random((7, 5)) < 0.7, rng.random((7, 5)))
    truth = TrackTruth(rng.integers(0, 6, 5), xy, rng.random((7, 5)) < 0.7, SQUARE, rng.random((7, 5)) < 0.8)
    scores = tap_vid_scores(predicted, truth)
    assert list(scores.delta) == sorted(scores.delta) or np.isnan(scores.delta).any()
    for delta, jaccard in zip(scores.delta, scores.jaccard, strict=True):
        assert np.isnan(delta) or 0 <= jaccard <= delta <= 1


def on_mask(xy: list[tuple[float, float]], visible: list[bool], **options) -> MaskScores:
    """Points of frame 1 against a mask of half resolution that covers pixels 4 to 7 of an 16 x 16 frame."""
    masks = np.zeros((2, 8, 8), bool)
    masks[:, 2:4, 2:4] = True
    positions = np.stack([np.full((len(xy), 2), 5.0), np.array(xy)])
    shown = np.stack([np.ones(len(xy), bool), np.array(visible)])
    tracks = Tracks(positions, shown, shown.astype(np.float32))
    return mask_scores(tracks, np.zeros(len(xy), int), masks, (16, 16), **options)


def test_mask_counts_visible_points_only():
    scores = on_mask([(5, 5), (7.4, 7.4), (8, 5), (12, 12)], [True, True, True, False])
    assert scores == MaskScores(on_object=2 / 3, share_visible=3 / 4)


def test_mask_tolerance_is_in_mask_pixels():
    points, visible = [(8.0, 5.0), (5.0, 10.0), (13.0, 5.0)], [True] * 3
    assert [on_mask(points, visible, tolerance_cells=n).on_object for n in (0, 1, 2)] == [0, 1 / 3, 2 / 3]


def test_mask_without_visible_points_is_nan():
    scores = on_mask([(5, 5)], [False])
    assert np.isnan(scores.on_object)
    assert scores.share_visible == 0
    assert mean_mask_scores([scores, MaskScores(1.0, 1.0)]) == MaskScores(1.0, 0.5)


def test_masks_must_have_a_frame_each():
    tracks = Tracks(np.zeros((3, 1, 2)), np.ones((3, 1), bool), np.ones((3, 1)))
    with pytest.raises(ShapeError, match=r"Expected \(3, H, W\)"):
        mask_scores(tracks, np.zeros(1, int), np.ones((2, 4, 4)), (4, 4))
