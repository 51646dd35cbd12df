"""How the picture as a whole moves."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from known_cameras import FPS, SIZE, drifting_tracks

from point_tracking.tracker.motion.background import fit_similarities, picture_motion
from point_tracking.tracker.motion.trajectories import trajectories_of


@settings(max_examples=40)
@given(
    turn=st.floats(-0.2, 0.2),
    growth=st.floats(0.9, 1.1),
    shift=st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
    seed=st.integers(0, 99),
)
def test_a_similarity_is_found_among_outliers(turn, growth, shift, seed):
    rng = np.random.default_rng(seed)
    start = rng.uniform(-90, 90, (1, 40)) + 1j * rng.uniform(-70, 70, (1, 40))
    linear = growth * np.exp(1j * turn)
    end = linear * start + complex(*shift)
    end[:, :8] += 30 * np.exp(2j * np.pi * rng.uniform(size=8))
    found, moved = fit_similarities(start, end, np.ones((1, 40), bool), least_spread_px=5)
    assert abs(found[0] - linear) < 0.01
    assert abs(moved[0] - complex(*shift)) < 0.5


def test_a_slow_thing_is_not_taken_for_the_picture():
    tracks = drifting_tracks((1.0, 0.0), object_by=(0.4, 0.3))
    motion = picture_motion(trajectories_of(tracks, SIZE, FPS))
    assert np.abs(motion.shift_px - 1.0).max() < 0.03
    assert np.abs(motion.linear - 1).max() < 1e-3


def test_few_points_or_points_in_one_spot_tell_nothing():
    tracks = drifting_tracks((1.0, 0.0))
    few = trajectories_of(type(tracks)(tracks.xy[:, :3], tracks.visible[:, :3], tracks.confidence[:, :3]), SIZE, FPS)
    assert not picture_motion(few).known.any()
    spot = tracks.xy[:, :12] * [0.01, 0.01] + 50
    dense = type(tracks)(spot, np.ones(spot.shape[:2], bool), np.ones(spot.shape[:2]))
    assert not picture_motion(trajectories_of(dense, SIZE, FPS)).known.any()
