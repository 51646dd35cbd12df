"""Cuts: steps over which tracks break everywhere at once."""

from __future__ import annotations

import numpy as np

from .background import PictureMotion, centred
from .trajectories import Trajectories

# share of the frame's diagonal that a point may go apart from the picture in one step and still be the same point
_SAME_POINT = 0.025
_LEAST_POINTS = 5
# on synthetic clips at most 0.27 of the points live through a cut, and at least 0.71 through any other step
_BROKEN, _HELD = 0.4, 0.6
# steps before and after that must hold, or a tracker that fails for long would be full of cuts
_AROUND = 3


def survival(trajectories: Trajectories, motion: PictureMotion) -> tuple[np.ndarray, np.ndarray]:
    """How many points live through each step.

    Points that the picture's motion carried out of the frame are no deaths.

    Args:
        trajectories: R frames, N points
        motion: of the same

    Returns:
        (R - 1,) shares of the points seen before a step that are found after it, and of those seen after
        it that were there before; NaN where too few are seen
    """
    points, seen = centred(trajectories), trajectories.seen
    start, end = points[:-1], points[1:]
    with np.errstate(invalid="ignore"):
        expected = motion.carried(start)
        same = np.abs(end - expected) <= _SAME_POINT * trajectories.diagonal_px
        # also what moves with things of its own counts where the picture's motion is not known
        same |= ~motion.known[:, None]
        same &= seen[:-1] & seen[1:]
        through = np.count_nonzero(same, axis=1)
        forward = _share(through, seen[:-1] & ~_leaves(expected, trajectories.size_px) | same)
        back = (end - motion.shift_px[:, None]) / motion.linear[:, None]
        backward = _share(through, seen[1:] & ~_leaves(back, trajectories.size_px) | same)
    return forward, backward


def find_cuts(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """The steps that are cuts.

    Args:
        forward, backward: (S,) as `survival` says of all steps of a clip

    Returns:
        (K,) int: step k lies between tracked frames k and k + 1
    """
    # seen from both sides together: a shot of like ground takes some points over by chance
    told = np.stack([forward, backward])
    known = np.isfinite(told)
    both = np.where(known, told, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    broken = (both < _BROKEN) & known.any(axis=0)
    cuts = []
    for k in np.flatnonzero(broken):
        before, after = forward[max(k - _AROUND, 0) : k], backward[k + 1 : k + 1 + _AROUND]
        # of tracks that all begin before a cut nothing is known after it
        if _holds(before, unknown=k == 0) and _holds(after, unknown=True):
            cuts.append(int(k))
    return np.array(cuts, dtype=np.int64)


def _holds(shares: np.ndarray, *, unknown: bool) -> bool:
    known = shares[np.isfinite(shares)]
    return float(np.median(known)) > _HELD if len(known) else unknown


def _share(part: np.ndarray, of: np.ndarray) -> np.ndarray:
    count = np.count_nonzero(of, axis=1)
    return np.where(count >= _LEAST_POINTS, part / np.maximum(count, 1), np.nan)


def _leaves(points: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    half_width, half_height = (size_px[0] - 1) / 2, (size_px[1] - 1) / 2
    x, y = np.real(points), np.imag(points)
    return (np.abs(x) > half_width) | (np.abs(y) > half_height)
