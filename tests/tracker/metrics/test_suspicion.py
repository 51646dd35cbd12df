"""What speaks against tracks, on tracks that are wrong in known ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import random_tracks

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.metrics.cycle import cycle_ends
from point_tracking.tracker.metrics.suspicion import cycle_distances, find_signs
from point_tracking.tracker.types import Tracks

from .clip_makers import SQUARE, made_tracks


def _sliding(num_frames: int = 20, num_points: int = 12) -> np.ndarray:
    """Points of a grid that slide together, (T, N, 2)."""
    start = np.stack([40.0 + 12 * (np.arange(num_points) % 4), 40.0 + 12 * (np.arange(num_points) // 4)], axis=1)
    return start[None] + np.arange(num_frames)[:, None, None] * np.array([3.0, 1.0])


def _seen(xy: np.ndarray) -> np.ndarray:
    return np.ones(xy.shape[:2], bool)


def test_a_track_that_jumps_is_the_most_suspicious_and_its_frame_is_named() -> None:
    xy = _sliding()
    xy[13:, 5] += 40
    signs = find_signs(made_tracks(xy, _seen(xy)), SQUARE)
    assert signs.suspicion.argmax() == 5
    assert signs.worst_t[5] in (12, 13)
    assert signs.jump_px[5] == pytest.approx(np.hypot(40, 40), abs=1e-3)
    assert np.delete(signs.jump_px, 5).max() < 1e-3


def test_what_all_points_do_together_is_no_jump() -> None:
    xy = _sliding()
    xy[10:] += 30
    assert find_signs(made_tracks(xy, _seen(xy)), SQUARE).jump_px.max() < 1e-3


def test_a_track_that_stays_behind_leaves_its_company() -> None:
    xy = _sliding()
    xy[:, 6] = xy[0, 6]
    signs = find_signs(made_tracks(xy, _seen(xy)), SQUARE)
    assert signs.company_px.argmax() == 6
    assert signs.suspicion.argmax() == 6


def test_a_track_that_does_not_come_back_or_is_not_trusted_by_its_tracker_is_suspicious() -> None:
    xy = _sliding()
    far = np.zeros(12)
    far[3] = 50.0
    assert find_signs(made_tracks(xy, _seen(xy)), SQUARE, far).suspicion.argmax() == 3
    confidence = np.ones(xy.shape[:2])
    confidence[8:12, 4] = 0.1
    signs = find_signs(Tracks(xy, _seen(xy), confidence), SQUARE)
    assert signs.suspicion.argmax() == 4
    assert signs.doubt[4] == pytest.approx(0.9)
    assert signs.worst_t[4] in range(8, 12)


def test_tracks_that_are_never_seen_are_not_suspicious() -> None:
    xy = _sliding()
    seen = _seen(xy)
    seen[:, 2] = False
    signs = find_signs(made_tracks(xy, seen), SQUARE)
    assert (signs.suspicion[2], signs.worst_t[2]) == (0.0, -1)


def test_pixels_are_those_of_the_small_frame() -> None:
    xy = _sliding()
    xy[13:, 5] += 40
    small, large = (find_signs(made_tracks(xy * k, _seen(xy)), (256 * k, 256 * k)) for k in (1, 4))
    np.testing.assert_allclose(small.features, large.features, atol=1e-5)


def test_ways_back_are_measured_where_there_is_one() -> None:
    xy = np.tile(np.array([100.0, 50.0]), (5, 4, 1))
    seen = np.array([[1, 1, 1, 0]] + [[1, 1, 0, 0]] * 4)
    ends = cycle_ends(made_tracks(xy, seen), SQUARE)
    back = xy[:, :2].copy()
    back[0, 0] += (3, 4)
    returned = made_tracks(back, np.array([[1, 0]] + [[1, 1]] * 4))
    np.testing.assert_array_equal(cycle_distances(ends, returned, SQUARE), [5, 64, np.nan, np.nan])
    with pytest.raises(ShapeError, match="4 points came back, but 2"):
        cycle_distances(ends, made_tracks(xy, seen), SQUARE)
    with pytest.raises(ShapeError, match="one per point"):
        find_signs(made_tracks(xy, seen), SQUARE, np.zeros(3))


@given(st.integers(0, 6), st.integers(0, 5), st.integers(0, 100), st.floats(0, 1))
def test_any_tracks_have_figures(num_frames: int, num_points: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    signs = find_signs(random_tracks(rng, num_frames, num_points, SQUARE, share_visible=share), SQUARE)
    assert signs.suspicion.shape == (num_points,)
    assert ((signs.suspicion >= 0) & (signs.suspicion <= 1)).all()
    assert ((signs.features >= 0) & (signs.features <= 1)).all()
    assert ((signs.worst_t >= -1) & (signs.worst_t < max(num_frames, 1))).all()
