"""How the picture as a whole moved from each tracked frame to the next: a similarity, robustly.

First RANSAC (Fischler and Bolles, CACM 1981; OpenCV's `estimateAffinePartial2D`) over spans of a quarter of a second
says which points go with most of the picture; then the step from frame to frame is their least-squares similarity,
with weights against what is left of outliers. The spans tell slow things from noise, the steps keep every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .trajectories import Trajectories

_SPAN_S = 0.25
_MOST_SPANS = 600
# share of the frame's diagonal: how far a point of the background may be off after a span
_SLACK = 0.006
_LEAST_SLACK_PX = 0.75
_LEAST_POINTS = 6
# share of the diagonal that points must spread over (root mean square) to say how the picture turned or grew
_LEAST_SPREAD = 0.06
_FITS = 4
_LEAST_SCALE_PX = 0.05
_ROWS_AT_ONCE = 2_000_000  # positions


@dataclass(frozen=True, eq=False)
class PictureMotion:
    """How the picture moved, step by step.

    Args:
        linear: (R - 1,) complex, turn and growth about the middle of the frame; NaN where not known
        shift_px: (R - 1,) complex, how far what was in the middle went; NaN where not known
    """

    linear: np.ndarray
    shift_px: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """(R - 1,) bool."""
        return np.isfinite(self.linear)

    def carried(self, points: np.ndarray) -> np.ndarray:
        """Where points would go with the picture.

        Args:
            points: (R - 1, N) complex pixels from the middle of the frame
        """
        return self.linear[:, None] * points + self.shift_px[:, None]

    def over(self, first: int, last: int) -> tuple[complex, complex]:
        """Turn and growth, and shift, of all steps from one row to another; NaN if one is not known."""
        linear, shift = 1 + 0j, 0j
        for step in range(first, last):
            shift = self.linear[step] * shift + self.shift_px[step]
            linear = self.linear[step] * linear
        return linear, shift


def centred(trajectories: Trajectories) -> np.ndarray:
    """(R, N) complex64, positions from the middle of the frame in pixels, x + iy; 0 where not seen."""
    width, height = trajectories.size_px
    x, y = trajectories.xy[..., 0] - (width - 1) / 2, trajectories.xy[..., 1] - (height - 1) / 2
    return np.where(trajectories.seen, x + 1j * y, 0).astype(np.complex64)


def picture_motion(trajectories: Trajectories) -> PictureMotion:
    """Fits the motion of the picture.

    Args:
        trajectories: R frames, N points

    Returns:
        NaN for steps in which too few points, or points too close to each other, are seen
    """
    points = centred(trajectories)
    member = background_members(trajectories, points)
    steps = max(len(points) - 1, 0)
    linear, shift = np.full(steps, np.nan + 0j), np.full(steps, np.nan + 0j)
    at_once = max(1, _ROWS_AT_ONCE // max(points.shape[1], 1))
    for first in range(0, steps, at_once):
        part = slice(first, min(first + at_once, steps))
        after = slice(part.start + 1, part.stop + 1)
        seen = trajectories.seen[part] & trajectories.seen[after]
        chosen = seen & member[part] & member[after]
        few = np.count_nonzero(chosen, axis=1) < _LEAST_POINTS
        chosen[few] = seen[few]
        linear[part], shift[part] = fit_similarities(
            points[part], points[after], chosen, least_spread_px=_LEAST_SPREAD * trajectories.diagonal_px
        )
    return PictureMotion(linear, shift)


def background_members(trajectories: Trajectories, points: np.ndarray) -> np.ndarray:
    """Which points go with most of the picture.

    Args:
        trajectories: R frames, N points
        points: (R, N) complex, as `centred`

    Returns:
        (R, N) bool: agrees with the largest group over the span around the frame, and over most spans it is seen in
    """
    import cv2

    rows, count = points.shape
    lag = min(trajectories.rows_in(_SPAN_S), max(rows - 1, 1))
    stride = max(lag, -(-rows // _MOST_SPANS))
    slack_px = max(_SLACK * trajectories.diagonal_px, _LEAST_SLACK_PX)
    agreed, asked = np.zeros(count), np.zeros(count)
    member = np.ones((rows, count), dtype=bool)
    for first in range(0, max(rows - lag, 0), stride):
        both = np.flatnonzero(trajectories.seen[first] & trajectories.seen[first + lag])
        if len(both) < _LEAST_POINTS:
            continue
        start, end = (np.stack([p.real, p.imag], -1) for p in (points[first, both], points[first + lag, both]))
        _, inliers = cv2.estimateAffinePartial2D(
            start, end, method=cv2.RANSAC, ransacReprojThreshold=slack_px, maxIters=1000, confidence=0.995
        )
        if inliers is None:
            continue
        inside = inliers[:, 0].astype(bool)
        asked[both] += 1
        agreed[both[inside]] += 1
        member[first : first + stride, both] = inside
    often = agreed >= 0.5 * asked
    return member & often


def fit_similarities(
    start: np.ndarray, end: np.ndarray, chosen: np.ndarray, *, least_spread_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Least-squares similarities of many steps at once, with weights that take power from outliers.

    Args:
        start, end: (S, N) complex positions before and after each step
        chosen: (S, N) bool, points that count
        least_spread_px: root mean square distance from their middle that points must have

    Returns:
        (S,) complex linear parts and (S,) complex shifts, `end = linear * start + shift`; NaN where points are too few
    """
    weight = chosen.astype(np.float64)
    start, end = start.astype(np.complex128), end.astype(np.complex128)
    linear = shift = np.full(len(start), np.nan + 0j)
    known = np.count_nonzero(chosen, axis=1) >= _LEAST_POINTS
    for _ in range(_FITS):
        total = np.maximum(weight.sum(1), 1e-9)
        middle, middle_after = (weight * start).sum(1) / total, (weight * end).sum(1) / total
        around, around_after = start - middle[:, None], end - middle_after[:, None]
        spread = (weight * np.abs(around) ** 2).sum(1)
        known = known & (np.sqrt(spread / total) >= least_spread_px)
        linear = (weight * around.conj() * around_after).sum(1) / np.maximum(spread, 1e-9)
        shift = middle_after - linear * middle
        error = np.abs(end - linear[:, None] * start - shift[:, None])
        scale = np.maximum(1.5 * _median_of(error, chosen), _LEAST_SCALE_PX)
        weight = chosen / (1 + (error / (2 * scale[:, None])) ** 2) ** 2
    return np.where(known, linear, np.nan), np.where(known, shift, np.nan)


def _median_of(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(S,) medians of the chosen ones of (S, N) values; 0 where there is none."""
    ordered = np.sort(np.where(chosen, values, np.inf), axis=1)
    counts = np.count_nonzero(chosen, axis=1)
    middle = (
        ordered[np.arange(len(values)), np.maximum(counts - 1, 0) // 2] if values.shape[1] else np.zeros(len(values))
    )
    return np.where(counts > 0, middle, 0.0)
