"""How a cloud of points moved: robustly, as most of its points have it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_MOST_PAIRS = 4000
_ALL_PAIRS_OF = 400  # points; of more, pairs are drawn without listing all
_DISTANCES_AT_ONCE = 2_000_000
_NEAREST_PX = 1e-3
# points that decide where a place among them goes
_NEIGHBOURS = 8


@lru_cache(maxsize=512)
def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of pairs of points, (K,) each: all pairs, or a fixed choice where there are many."""
    rng = np.random.default_rng(count)
    if count > _ALL_PAIRS_OF:
        first = rng.integers(0, count, _MOST_PAIRS)
        return first, (first + rng.integers(1, count, _MOST_PAIRS)) % count
    first, second = np.triu_indices(count, 1)
    chosen = rng.permutation(len(first))[:_MOST_PAIRS]
    return first[chosen], second[chosen]


def median_scale(start: np.ndarray, now: np.ndarray) -> float:
    """The median ratio of pairwise distances (MedianFlow: Kalal, Mikolajczyk, Matas, ICPR 2010).

    Args:
        start: (N, 2) pixels, where points were
        now: (N, 2) pixels, where they are

    Returns:
        1 where there is no pair to tell
    """
    first, second = _pairs(len(start))
    before = np.linalg.norm(start[first] - start[second], axis=1)
    after = np.linalg.norm(now[first] - now[second], axis=1)
    usable = before > _NEAREST_PX
    if not usable.any():
        return 1.0
    return max(float(np.median(after[usable] / before[usable])), _NEAREST_PX)


def moved_positions(places: np.ndarray, start: np.ndarray, now: np.ndarray) -> np.ndarray:
    """Moves positions as the points around them moved.

    Args:
        places: (K, 2) pixels
        start: (N, 2) pixels, where points were, at least one
        now: (N, 2) pixels, where they are

    Returns:
        (K, 2) pixels: each place goes by the median of what its nearest points say, scaled as all are
    """
    scale = median_scale(start, now)
    rows = max(1, _DISTANCES_AT_ONCE // len(start))
    parts = [_moved(places[first : first + rows], start, now, scale) for first in range(0, len(places), rows)]
    return np.concatenate(parts) if parts else places.copy()


def squared_distances(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(K, N), between (K, 2) and (N, 2)."""
    return (places[:, None, 0] - points[:, 0]) ** 2 + (places[:, None, 1] - points[:, 1]) ** 2


def _moved(places: np.ndarray, start: np.ndarray, now: np.ndarray, scale: float) -> np.ndarray:
    count = min(_NEIGHBOURS, len(start))
    nearest = np.argpartition(squared_distances(places, start), count - 1, axis=1)[:, :count]  # (K, n)
    votes = now[nearest] + (places[:, None] - start[nearest]) * scale  # (K, n, 2)
    return np.median(votes, axis=1)
