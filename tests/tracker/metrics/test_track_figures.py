"""Figures of tracks: lengths, shares, speeds, confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import random_tracks

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.metrics.track_figures import track_figures
from point_tracking.tracker.types import Tracks

SIZE = (160, 96)


def _moving(visible: np.ndarray, step: tuple[float, float]) -> Tracks:
    """One point that goes so far each frame."""
    xy = np.arange(len(visible))[:, None, None] * np.array(step)
    return Tracks(np.where(visible[:, None, None], xy, np.nan), visible[:, None], visible[:, None] * 0.5)


def test_a_point_that_goes_straight() -> None:
    visible = np.array([False, True, True, False, True, True, False])
    figures = track_figures(_moving(visible, (3, 4)), np.arange(7))
    assert (figures.first_t[0], figures.last_t[0], figures.length[0]) == (1, 5, 5)
    assert figures.visible_share[0] == pytest.approx(4 / 5)
    assert figures.speed_px[0] == pytest.approx(5)
    assert figures.confidence[0] == pytest.approx(0.5)


def test_frames_that_are_left_out_do_not_change_the_speed_of_what_goes_straight() -> None:
    tracks = _moving(np.ones(4, bool), (6, 8))
    figures = track_figures(tracks, np.array([10, 12, 14, 16]))
    assert figures.speed_px[0] == pytest.approx(5)
    assert (figures.first_t[0], figures.last_t[0], figures.length[0]) == (10, 16, 7)


@pytest.mark.parametrize("num_frames", [0, 1, 3])
def test_a_point_that_is_never_visible_has_no_figures(num_frames: int) -> None:
    figures = track_figures(_moving(np.zeros(num_frames, bool), (1, 0)), np.arange(num_frames))
    assert (figures.first_t[0], figures.last_t[0], figures.length[0], figures.visible_share[0]) == (-1, -1, 0, 0)
    assert np.isnan([figures.speed_px[0], figures.confidence[0]]).all()


def test_a_point_in_one_frame_has_no_speed() -> None:
    figures = track_figures(_moving(np.ones(1, bool), (1, 0)), np.arange(1))
    assert (figures.length[0], figures.visible_share[0]) == (1, 1)
    assert np.isnan(figures.speed_px[0])


def test_as_many_frame_indices_as_frames_are_needed() -> None:
    with pytest.raises(ShapeError, match="2 frame indices were given for 3 frames"):
        track_figures(_moving(np.ones(3, bool), (1, 0)), np.arange(2))


@given(st.integers(0, 999), st.integers(1, 12), st.integers(0, 6), st.floats(0.1, 8), st.floats(-50, 50))
def test_speed_scales_with_the_video_and_nothing_changes_where_all_is_shifted(
    seed: int, num_frames: int, num_points: int, scale: float, shift: float
) -> None:
    tracks = random_tracks(np.random.default_rng(seed), num_frames, num_points, SIZE, share_visible=0.6)
    frames = np.arange(num_frames)
    figures = track_figures(tracks, frames)
    other = track_figures(Tracks(tracks.xy * scale + shift, tracks.visible, tracks.confidence), frames)
    np.testing.assert_allclose(other.speed_px, figures.speed_px * scale, rtol=1e-3, atol=1e-3)
    for name in ("first_t", "last_t", "length", "visible_share", "confidence"):
        np.testing.assert_array_equal(getattr(other, name), getattr(figures, name))
    assert ((figures.visible_share >= 0) & (figures.visible_share <= 1)).all()
    np.testing.assert_array_equal(figures.length > 0, tracks.visible.any(axis=0))
