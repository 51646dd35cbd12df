"""Tracks as motion is told from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_cameras import SIZE, drifting_tracks

from point_tracking.tracker.errors import MotionError, ShapeError
from point_tracking.tracker.motion.trajectories import Trajectories, steps_in, tracked_rows, trajectories_of
from point_tracking.tracker.types import Tracks


@given(step=st.integers(1, 7), count=st.integers(2, 20), hidden=st.sets(st.integers(1, 18)), rest=st.integers(0, 6))
def test_sampled_frames_are_rows_also_where_nothing_is_seen(step, count, hidden, rest):
    frames = np.arange(count) * step
    placed = np.zeros(frames[-1] + 1 + min(rest, step - 1), dtype=bool)
    placed[frames] = True
    gone = [k for k in hidden if 0 < k < count - 1]
    if len(gone) > 0.25 * count:
        return
    placed[frames[gone]] = False
    assert set(tracked_rows(placed)) == set(frames)


def test_frames_after_which_all_is_gone_are_rows_too():
    assert tracked_rows(np.arange(30) < 12).tolist() == list(range(30))


def test_tracks_of_another_videos_size_are_refused():
    with pytest.raises(MotionError, match="not of this video"):
        trajectories_of(drifting_tracks((0, 0)), (60, 40), 25.0)


def test_points_outside_the_picture_are_not_seen():
    tracks = Tracks(np.array([[[5.0, 5.0], [-3.0, 5.0]]]), np.ones((1, 2), bool), np.ones((1, 2)))
    assert trajectories_of(tracks, SIZE, None).seen.tolist() == [[True, False]]


def test_shapes_and_rates_are_checked():
    xy, seen = np.zeros((3, 2, 2)), np.ones((3, 2), bool)
    with pytest.raises(ShapeError, match="Invalid trajectories"):
        Trajectories(xy, seen, np.arange(2), SIZE, 25.0)
    with pytest.raises(ShapeError, match="Invalid rate"):
        Trajectories(xy, seen, np.arange(3), SIZE, 0.0)


@given(seconds=st.floats(0, 5), fps=st.floats(1, 120))
def test_a_span_has_a_step_at_least(seconds, fps):
    assert steps_in(seconds, np.full(9, 1 / fps)) == max(1, round(seconds * fps))
