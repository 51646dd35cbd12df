"""What moves apart from the picture as a whole: how far, how fast, and how restless points are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .background import PictureMotion, centred
from .trajectories import Trajectories

WINDOW_S = 0.5
# diagonals that a point must go apart within a window
APART = 0.012


@dataclass(frozen=True, eq=False)
class ApartMotion:
    """How points move apart from the picture.

    Args:
        lag: steps of a window
        drift: (W, N) complex, diagonals that each point goes apart in the window that starts at each step; NaN where
            it is not seen all through it
        speed: (R - 1, N) diagonals per second in the picture, the camera's motion included; NaN where not seen
        jitter: (N,) root mean square change of the motion apart from one step to the next, diagonals; NaN where short
    """

    lag: int
    drift: np.ndarray
    speed: np.ndarray
    jitter: np.ndarray
    window_s: float

    @property
    def apart(self) -> np.ndarray:
        """(W, N) bool, windows in which a point goes apart."""
        with np.errstate(invalid="ignore"):
            return np.abs(self.drift) > APART

    @property
    def movers(self) -> np.ndarray:
        """(N,) bool, points that go apart in at least half of the windows they are seen in, and in one."""
        known = np.count_nonzero(np.isfinite(self.drift), axis=0)
        return np.count_nonzero(self.apart, axis=0) >= np.maximum(0.5 * known, 1)


def apart_motion(trajectories: Trajectories, motion: PictureMotion, cuts: np.ndarray) -> ApartMotion:
    """Looks at what is left of each point's motion without that of the picture.

    Args:
        trajectories: R frames, N points
        motion: of the picture, R - 1 steps
        cuts: (K,) steps that no point goes through
    """
    points, seen = centred(trajectories), trajectories.seen
    both = seen[:-1] & seen[1:]
    both[cuts] = False
    speed = np.where(both, np.abs(points[1:] - points[:-1]), np.nan) / trajectories.diagonal_px
    with np.errstate(invalid="ignore"):
        left = (points[1:] - motion.carried(points[:-1])) / trajectories.diagonal_px
    usable = both & motion.known[:, None]
    left = np.where(usable, left, 0)
    lag = min(trajectories.rows_in(WINDOW_S), max(len(left), 1))
    count = np.cumsum(np.concatenate([np.zeros_like(usable[:1], dtype=np.int32), usable]), axis=0)
    total = np.cumsum(np.concatenate([np.zeros_like(left[:1]), left]), axis=0)
    whole = count[lag:] - count[:-lag] == lag
    drift = np.where(whole, total[lag:] - total[:-lag], np.nan)
    change = np.where(usable[1:] & usable[:-1], np.abs(np.diff(left, axis=0)) ** 2, np.nan)
    numbers = np.count_nonzero(np.isfinite(change), axis=0)
    jitter = np.sqrt(np.nansum(change, axis=0) / np.where(numbers > 2, numbers, np.nan))
    step_s = trajectories.step_s[:, None]
    return ApartMotion(lag, drift, speed / step_s, jitter, float(trajectories.step_s[:lag].sum()) if lag else WINDOW_S)
