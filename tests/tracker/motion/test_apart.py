"""What moves apart from the picture."""

from __future__ import annotations

import numpy as np
import pytest
from known_cameras import FPS, SIZE, drifting_tracks

from point_tracking.tracker.motion.apart import apart_motion
from point_tracking.tracker.motion.background import picture_motion
from point_tracking.tracker.motion.trajectories import trajectories_of
from point_tracking.tracker.types import Tracks

NO_CUTS = np.empty(0, dtype=np.int64)


def looked_at(tracks: Tracks):
    trajectories = trajectories_of(tracks, SIZE, FPS)
    return apart_motion(trajectories, picture_motion(trajectories), NO_CUTS)


def test_a_thing_of_its_own_moves_apart_at_its_own_speed():
    apart = looked_at(drifting_tracks((1.0, 0.0), object_by=(0.0, 1.0)))
    moving = np.abs(apart.drift[apart.apart]) / apart.window_s
    assert np.median(moving) == pytest.approx(FPS / np.hypot(*SIZE), rel=0.05)
    assert 0 < apart.movers.sum() < 30


def test_nothing_moves_apart_in_a_pan():
    assert not looked_at(drifting_tracks((3.0, 0.0))).apart.any()


def test_restless_points_have_more_jitter():
    still = drifting_tracks((0.5, 0.0))
    noise = np.random.default_rng(1).normal(0, 0.4, still.xy.shape).astype(np.float32)
    restless = Tracks(np.clip(still.xy + noise, 0, [191, 143]), still.visible, still.confidence)
    assert np.nanmedian(looked_at(restless).jitter) > 20 * np.nanmedian(looked_at(still).jitter)
