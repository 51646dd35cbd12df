"""What becomes of points: seen for how long, hidden, back again, out of the frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .background import centred
from .trajectories import Trajectories

# steps that a point is thought to go on for as it went before it was lost
_AHEAD = 2.0
# share of the frame's sides
_BORDER = 0.02


@dataclass(frozen=True, eq=False)
class Fates:
    """What becomes of N points.

    Args:
        first, last: (N,) int, rows in which each is seen first and last; -1 where never
        leaves: (N,) bool, goes out of the frame, as far as its last motion tells
        hidden: (N,) bool, not seen between two frames in which it is
        longest_hidden: (N,) int, rows of the longest such stretch
        lost: (N,) bool, not seen any more though it does not leave
        seen_share: (N,) rows in which it is seen, of those from the first on
    """

    first: np.ndarray
    last: np.ndarray
    leaves: np.ndarray
    hidden: np.ndarray
    longest_hidden: np.ndarray
    lost: np.ndarray
    seen_share: np.ndarray


def fates_of(trajectories: Trajectories) -> Fates:
    """Follows what becomes of points.

    Args:
        trajectories: R frames, N points
    """
    seen = trajectories.seen
    rows, count = seen.shape
    ever = seen.any(axis=0)
    first = np.where(ever, seen.argmax(axis=0), -1)
    last = np.where(ever, rows - 1 - seen[::-1].argmax(axis=0), -1) if rows else np.full(count, -1)
    lengths = last - first + 1
    counts = np.count_nonzero(seen, axis=0)
    longest = np.zeros(count, dtype=np.int64)
    for n in np.flatnonzero(ever & (counts < lengths)):
        longest[n] = int(np.diff(np.flatnonzero(seen[:, n])).max()) - 1
    ends = ever & (last < rows - 1)
    leaves = ends & _goes_out(trajectories, first, last)
    share = np.where(ever, counts / np.maximum(rows - first, 1), 0.0)
    return Fates(first, last, leaves, longest > 0, longest, ends & ~leaves, share)


def _goes_out(trajectories: Trajectories, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """(N,) bool, whether a point would be outside the frame soon after it was seen last."""
    points = centred(trajectories)
    columns = np.arange(points.shape[1])
    at, before = np.maximum(last, 0), np.maximum(last - 2, 0)
    steady = trajectories.seen[before, columns] & (before >= first) & (at > before)
    speed = np.where(steady, points[at, columns] - points[before, columns], 0) / np.maximum(at - before, 1)
    here = points[at, columns]
    ahead = here + _AHEAD * speed
    width, height = (side - 1 for side in trajectories.size_px)
    slack = _BORDER * np.array([width, height])
    moves_out = np.abs(speed) > 0
    outside_x = (np.abs(ahead.real) > width / 2 - slack[0]) & (np.abs(ahead.real) > np.abs(np.real(here)))
    outside_y = (np.abs(ahead.imag) > height / 2 - slack[1]) & (np.abs(ahead.imag) > np.abs(np.imag(here)))
    return moves_out & (outside_x | outside_y)
