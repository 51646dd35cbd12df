"""Which points belong to what does not move: those whose motion between two frames one camera motion explains."""

from __future__ import annotations

import numpy as np

_PAIRS = 40
_LEAST_POINTS = 15
_LEAST_PAIRS = 3
_TOLERANCE_PX = 3.0
_OUTSIDE_SHARE = 0.5


def moving_points(xy: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Tells points that move against most of the others.

    Between pairs of frames spread over the clip a fundamental matrix is fitted (RANSAC); a point that is further than
    3 px from its epipolar line in more than half of at least three pairs moves.

    Args:
        xy: (T, N, 2) float pixels
        visible: (T, N) bool

    Returns:
        (N,) bool, True for points that move
    """
    outside, pairs = np.zeros(xy.shape[1]), np.zeros(xy.shape[1])
    for first, second in _frame_pairs(visible):
        both = np.flatnonzero(visible[first] & visible[second])
        inlier = _on_epipolar_lines(xy[first, both], xy[second, both])
        if inlier is not None:
            pairs[both] += 1
            outside[both] += ~inlier
    return (pairs >= _LEAST_PAIRS) & (outside > _OUTSIDE_SHARE * pairs)


def _frame_pairs(visible: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of frames with enough points in common, those furthest apart first."""
    common = visible.astype(np.int64) @ visible.T.astype(np.int64)  # (T, T)
    first, second = np.nonzero(np.triu(common >= _LEAST_POINTS, k=1))
    order = np.argsort(first - second, kind="stable")
    # a spread of them: the furthest alone would all be of the same few frames
    chosen = order[np.unique(np.linspace(0, max(len(order) // 2 - 1, 0), _PAIRS).astype(int))] if len(order) else order
    return [(int(first[k]), int(second[k])) for k in chosen]


def _on_epipolar_lines(first: np.ndarray, second: np.ndarray) -> np.ndarray | None:
    import cv2

    matrix, inlier = cv2.findFundamentalMat(
        np.ascontiguousarray(first, dtype=np.float64),
        np.ascontiguousarray(second, dtype=np.float64),
        cv2.FM_RANSAC,
        _TOLERANCE_PX,
        0.999,
    )
    return None if matrix is None or inlier is None else inlier.ravel().astype(bool)
