"""Points that move together: common fate.

Two points belong together where they go apart from the picture by about the same, time after time, and lie near each
other (Brox and Malik, ECCV 2010, for the idea of comparing whole trajectories). Groups are what hangs together by that.
"""

from __future__ import annotations

import numpy as np

from .apart import APART, ApartMotion
from .background import centred
from .trajectories import Trajectories

# of the larger of two drifts: how much they may differ, root mean square
_ALIKE = 0.4
# diagonals: between neighbours of a group
_NEAR = 0.16
_LEAST_POINTS = 3
_LEAST_WINDOWS = 2
# of more movers, an even choice is compared, and the others join their nearest
_MOST_COMPARED = 500
_MOST_WINDOWS = 120


def common_fate(trajectories: Trajectories, apart: ApartMotion) -> np.ndarray:
    """Groups of points that move together.

    Args:
        trajectories: R frames, N points
        apart: of the same

    Returns:
        (N,) int: 0 for points that go with the picture, 1, 2, ... for groups from the largest on, -1 for points that
        are seen too shortly, or move alone
    """
    count = trajectories.seen.shape[1]
    known = np.isfinite(apart.drift).any(axis=0)
    groups = np.where(known, 0, -1)
    movers = np.flatnonzero(apart.movers)
    groups[movers] = -1
    if len(movers) < _LEAST_POINTS or not count:
        return groups
    chosen = movers[np.linspace(0, len(movers) - 1, min(len(movers), _MOST_COMPARED)).astype(np.int64)]
    windows = np.arange(0, len(apart.drift), max(1, -(-len(apart.drift) // _MOST_WINDOWS)))
    drift, places = apart.drift[windows], centred(trajectories)[windows] / trajectories.diagonal_px
    linked = _linked(drift[:, chosen], places[:, chosen], drift[:, chosen], places[:, chosen])
    number = _components(linked)
    sizes = np.bincount(number)
    least = max(_LEAST_POINTS, round(0.01 * len(chosen)))
    order = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] >= least]
    rename = np.full(len(sizes), -1)
    rename[order] = np.arange(1, len(order) + 1)
    groups[chosen] = rename[number]
    rest = np.setdiff1d(movers, chosen)
    for start in range(0, len(rest), _MOST_COMPARED):
        some = rest[start : start + _MOST_COMPARED]
        near = _linked(drift[:, some], places[:, some], drift[:, chosen], places[:, chosen])
        groups[some] = np.where(near.any(axis=1), groups[chosen][near.argmax(axis=1)], -1)
    return groups


def _linked(drift: np.ndarray, places: np.ndarray, others: np.ndarray, their_places: np.ndarray) -> np.ndarray:
    """(A, B) bool, which of (W, A) and (W, B) drifts are alike and near each other."""
    shape = (drift.shape[1], others.shape[1])
    common, differ, size = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    nearest = np.full(shape, np.inf)
    for one, two, here, there in zip(drift, others, places, their_places, strict=True):
        both = np.isfinite(one)[:, None] & np.isfinite(two)[None]
        first, second = np.nan_to_num(one)[:, None], np.nan_to_num(two)[None]
        common += both
        differ += np.where(both, np.abs(first - second) ** 2, 0)
        size += np.where(both, np.maximum(np.abs(first), np.abs(second)) ** 2, 0)
        nearest = np.where(both, np.minimum(nearest, np.abs(here[:, None] - there[None])), nearest)
    enough = common >= min(_LEAST_WINDOWS, len(drift))
    slack = (0.5 * APART) ** 2 * common
    return enough & (nearest < _NEAR) & (differ <= _ALIKE**2 * size + slack)


def _components(linked: np.ndarray) -> np.ndarray:
    """(N,) number of the component that each of N nodes is in."""
    number = np.arange(len(linked))
    linked = linked | linked.T | np.eye(len(linked), dtype=bool)
    while True:
        lowest = np.where(linked, number[None], len(linked)).min(axis=1)
        if (lowest == number).all():
            return np.unique(number, return_inverse=True)[1]
        number = lowest
