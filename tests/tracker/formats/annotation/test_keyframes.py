"""Which frames of a path are enough to draw it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.formats.annotation.keyframes import interpolated, thin_keyframes


@st.composite
def paths(draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[int], float]:
    length, points = draw(st.integers(0, 60)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    steps = rng.normal(0, draw(st.sampled_from([0.0, 0.1, 1.0, 30.0])), (length, points, 2))
    known = rng.random(length) < draw(st.sampled_from([0.0, 0.5, 0.95, 1.0]))
    occluded = rng.random(length) < draw(st.sampled_from([0.0, 0.1, 1.0]))
    xy = np.where(known[:, None, None], np.cumsum(steps, axis=0), np.nan)
    required = draw(st.lists(st.integers(-3, length + 3), max_size=4))
    return xy, known, occluded, required, draw(st.sampled_from([0.0, 0.3, 1.0, 5.0]))


@given(path=paths())
def test_lines_between_keyframes_stay_within_the_tolerance(path):
    xy, known, occluded, required, tolerance = path
    chosen = thin_keyframes(xy, known, required=required, occluded=occluded, tolerance_px=tolerance)
    assert not (chosen & ~known).any()
    drawn, state = np.full_like(xy, np.nan), np.zeros(len(xy), dtype=bool)
    previous = None
    for t in np.flatnonzero(known).tolist():
        if chosen[t]:
            if previous is not None and known[previous : t + 1].all():
                drawn[previous + 1 : t] = interpolated(xy[previous], xy[t], t - previous)
                state[previous + 1 : t] = occluded[previous]
            drawn[t], state[t] = xy[t], occluded[t]
            previous = t
    assert (np.linalg.norm((drawn - xy)[known], axis=-1) <= tolerance + 1e-9).all()  # NaN, not drawn, fails too
    assert (state == occluded)[known].all()
    assert all(chosen[t] for t in required if 0 <= t < len(xy) and known[t])


def test_a_straight_path_needs_its_ends_only():
    xy = np.arange(100.0)[:, None, None] * [1.0, 0.5]
    assert np.flatnonzero(thin_keyframes(xy, np.ones(100, dtype=bool))).tolist() == [0, 99]


def test_keyframes_stand_at_queries_ends_and_changes_of_occlusion():
    known = np.ones(50, dtype=bool)
    known[20:25] = False
    occluded = np.zeros(50, dtype=bool)
    occluded[30:35] = True
    chosen = thin_keyframes(np.zeros((50, 1, 2)), known, required=[7, 22], occluded=occluded)
    assert np.flatnonzero(chosen).tolist() == [0, 7, 19, 25, 30, 35, 49]


def test_a_curve_needs_a_fraction_of_its_frames():
    t = np.linspace(0, 2 * np.pi, 200)
    xy = 100 * np.stack([np.cos(t), np.sin(t)], axis=-1)[:, None]
    assert 10 < thin_keyframes(xy, np.ones(200, dtype=bool)).sum() < 40


@pytest.mark.parametrize("length", [0, 1, 2])
def test_short_paths_keep_all_frames(length: int):
    assert thin_keyframes(np.zeros((length, 1, 2)), np.ones(length, dtype=bool)).all()


def test_what_lies_between_two_keyframes():
    np.testing.assert_allclose(
        interpolated(np.array([[0.0, 8]]), np.array([[4.0, 0]]), 4), [[[1, 6]], [[2, 4]], [[3, 2]]]
    )
    assert interpolated(np.zeros((1, 2)), np.ones((1, 2)), 1).shape == (0, 1, 2)
