"""What becomes of points."""

from __future__ import annotations

import numpy as np
from known_cameras import FPS, SIZE

from point_tracking.tracker.motion.fates import fates_of
from point_tracking.tracker.motion.trajectories import Trajectories


def test_points_leave_hide_and_are_lost():
    rows = np.arange(20)
    xy = np.zeros((20, 4, 2), dtype=np.float32)
    xy[:, 0] = np.stack([150 + 4 * rows, 70 + 0 * rows], -1)  # out to the right
    xy[:, 1:] = [90, 70]
    seen = np.ones((20, 4), dtype=bool)
    seen[11:, 0] = False
    seen[5:9, 1] = False  # hidden for four frames
    seen[12:, 2] = False  # lost in the middle
    fates = fates_of(Trajectories(xy, seen, rows, SIZE, FPS))
    assert fates.leaves.tolist() == [True, False, False, False]
    assert fates.hidden.tolist() == [False, True, False, False]
    assert fates.longest_hidden.tolist() == [0, 4, 0, 0]
    assert fates.lost.tolist() == [False, False, True, False]
    assert fates.seen_share.tolist() == [11 / 20, 16 / 20, 12 / 20, 1.0]


def test_a_point_that_is_never_seen_has_no_fate():
    fates = fates_of(Trajectories(np.zeros((3, 1, 2)), np.zeros((3, 1), bool), np.arange(3), SIZE, FPS))
    assert (fates.first[0], fates.last[0], fates.lost[0], fates.seen_share[0]) == (-1, -1, False, 0.0)
