"""Which frames of a path are enough to draw it: keyframes, with straight lines between them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

DEFAULT_TOLERANCE_PX = 1.0


def thin_keyframes(
    xy: np.ndarray,
    known: np.ndarray,
    *,
    required: Iterable[int] | np.ndarray = (),
    occluded: np.ndarray | None = None,
    tolerance_px: float = DEFAULT_TOLERANCE_PX,
) -> np.ndarray:
    """Chooses keyframes such that straight lines between them stay close to a path.

    A keyframe stands at the first and last frame of each stretch where the path is known, where `occluded` changes, and
    where it is required; between two of these as few as a greedy search finds.

    Args:
        xy: (T, K, 2) pixels of K positions that are interpolated together; anything where not known
        known: (T,) bool
        required: frame indices that must be keyframes, those of unknown frames are ignored
        occluded: (T,) bool
        tolerance_px: how far any of the K positions may be from its line, in any known frame

    Returns:
        (T,) bool, True only in known frames
    """
    num_frames = len(xy)
    known = np.asarray(known, dtype=bool)
    chosen = np.zeros(num_frames, dtype=bool)
    wanted = np.asarray(list(required), dtype=np.int64)
    chosen[wanted[(wanted >= 0) & (wanted < num_frames)]] = True
    chosen |= known & ~np.concatenate([[False], known[:-1]])
    chosen |= known & ~np.concatenate([known[1:], [False]])
    if occluded is not None:
        chosen[1:] |= np.asarray(occluded, dtype=bool)[1:] != np.asarray(occluded, dtype=bool)[:-1]
    chosen &= known
    fixed = np.flatnonzero(chosen)
    for first, last in zip(fixed[:-1].tolist(), fixed[1:].tolist(), strict=True):
        if known[first : last + 1].all():
            chosen[_between(xy[first : last + 1].astype(np.float64), first, tolerance_px)] = True
    return chosen


def _between(xy: np.ndarray, offset: int, tolerance_px: float) -> list[int]:
    """The keyframes that a stretch needs besides its ends, from (n, K, 2)."""
    needed, start, last = [], 0, len(xy) - 1
    while not _straight(xy[start:], tolerance_px):
        # how far a line reaches: twice as far until it fails, then the last that holds is looked for between
        reach = 1
        while start + 2 * reach < last and _straight(xy[start : start + 2 * reach + 1], tolerance_px):
            reach *= 2
        low, high = reach, min(2 * reach, last - start)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _straight(xy[start : start + middle + 1], tolerance_px) else (low, middle)
        start += low
        needed.append(offset + start)
    return needed


def _straight(xy: np.ndarray, tolerance_px: float) -> bool:
    """Whether all of (n, K, 2) stays within the tolerance of the line from the first to the last."""
    if len(xy) <= 2:
        return True
    line = interpolated(xy[0], xy[-1], len(xy) - 1)  # (n - 2, K, 2)
    return bool((np.hypot(*np.moveaxis(xy[1:-1] - line, -1, 0)) <= tolerance_px).all())


def interpolated(first: np.ndarray, last: np.ndarray, distance: int) -> np.ndarray:
    """What lies between two keyframes, as CVAT draws boxes and single points.

    Args:
        first, last: (K, 2) positions
        distance: frames from the first to the last

    Returns:
        (distance - 1, K, 2)
    """
    share = (np.arange(1, distance) / distance)[:, None, None]  # (distance - 1, 1, 1)
    return first * (1 - share) + last * share
