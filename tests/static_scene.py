"""A static scene seen by a moving camera, as positions alone."""

from __future__ import annotations

import numpy as np

SIZE = (640, 480)
FOCAL_PX = 700.0


def camera_views(num_frames: int, num_points: int, seed: int = 0) -> np.ndarray:
    """Where random points of a room are in the frames of a camera that moves sideways and turns.

    Returns:
        (T, N, 2) float64 pixels, all in the frame
    """
    rng = np.random.default_rng(seed)
    points = rng.uniform([-1.5, -1, 4], [1.5, 1, 8], (num_points, 3))
    views = np.empty((num_frames, num_points, 2))
    for t, share in enumerate(np.linspace(-1, 1, num_frames)):
        angle = 0.12 * share
        turn = np.array([[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]])
        seen = (points - [0.8 * share, 0.1 * share**2, 0]) @ turn.T  # (N, 3)
        views[t] = FOCAL_PX * seen[:, :2] / seen[:, 2:] + np.array(SIZE) / 2 - 0.5
    return views
