"""Points that move against the rest are told apart from what one camera motion explains."""

from __future__ import annotations

import numpy as np
import pytest
from static_scene import camera_views

from point_tracking.tracker.formats.reconstruction.static_points import moving_points


@pytest.mark.parametrize("moving", [0, 6])
def test_what_moves_by_itself_is_told(moving: int):
    xy = camera_views(num_frames=12, num_points=60)
    if moving:
        xy[:, :moving, 1] += np.linspace(0, 90, 12)[:, None]
        xy[:, :moving, 0] += (np.linspace(0, 9, 12) ** 2)[:, None]
    found = moving_points(xy, np.ones(xy.shape[:2], dtype=bool))
    assert found.nonzero()[0].tolist() == list(range(moving))


def test_too_few_points_tell_nothing():
    xy = camera_views(num_frames=4, num_points=8)
    assert not moving_points(xy, np.ones(xy.shape[:2], dtype=bool)).any()
    assert moving_points(np.zeros((3, 0, 2)), np.zeros((3, 0), dtype=bool)).shape == (0,)
