"""Points along a line: its vertices, and more between them at even distances."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import ShapeError
from .inside import check_points_per_object


def points_along(shapes: Sequence[np.ndarray], num_points: int, *, closed: bool = False) -> list[np.ndarray]:
    """Points along the lines of one object, by arc length.

    Args:
        shapes: lines of (V, 2) vertices x, y in pixels; a vertex that repeats the one before counts once
        num_points: wanted on all lines together; vertices are kept where there are more of them
        closed: whether each line returns from its last vertex to its first

    Returns:
        (K, 2) float64 for each line, in its order; lines without a vertex are empty

    Raises:
        ShapeError: if a line has another shape
        OptionError: for a number that is not supported
    """
    check_points_per_object(num_points)
    lines = [_without_repeats(np.asarray(shape, dtype=np.float64), closed) for shape in shapes]
    segments = [_segments(line, closed) for line in lines]
    lengths = np.array([length for line in segments for length in np.hypot(*(line[:, 1] - line[:, 0]).T)])
    between = _shared_out(max(num_points - sum(map(len, lines)), 0), lengths)
    ends = np.cumsum([len(line) for line in segments])[:-1].astype(int)
    return [
        _with_points_between(line, ends_of, numbers)
        for line, ends_of, numbers in zip(lines, segments, np.split(between, ends), strict=True)
    ]


def _without_repeats(line: np.ndarray, closed: bool) -> np.ndarray:
    """(V', 2), no vertex in the same place as the one before."""
    if line.size == 0:
        return np.empty((0, 2))
    if line.ndim != 2 or line.shape[1] != 2:
        raise ShapeError(f"Invalid line of shape {line.shape}. Expected (V, 2): x, y of its vertices")
    moved = np.r_[True, (np.diff(line, axis=0) != 0).any(axis=1)]
    line = line[moved]
    return line[:-1] if closed and len(line) > 1 and (line[-1] == line[0]).all() else line


def _segments(line: np.ndarray, closed: bool) -> np.ndarray:
    """(S, 2, 2) start and end of the stretches between vertices."""
    following = np.roll(line, -1, axis=0)
    segments = np.stack([line, following], axis=1)  # (V, 2, 2)
    # two vertices have one stretch between them, there and back
    return segments if closed and len(line) > 2 else segments[:-1]


def _shared_out(number: int, lengths: np.ndarray) -> np.ndarray:
    """(S,) int, a number of points by length: whole parts first, the rest where most is left over."""
    total = lengths.sum()
    if not total:
        return np.zeros(len(lengths), dtype=int)
    shares = number * lengths / total
    whole = np.floor(shares).astype(int)
    rest = number - whole.sum()
    whole[np.argsort(whole - shares, kind="stable")[:rest]] += 1
    return whole


def _with_points_between(line: np.ndarray, segments: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """(K, 2) the vertices, each followed by the points between it and the next."""
    pieces = [line[:0]]
    for k, vertex in enumerate(line):
        pieces.append(vertex[None])
        if k < len(segments):
            share = np.arange(1, numbers[k] + 1)[:, None] / (numbers[k] + 1)  # (n, 1)
            pieces.append(segments[k, 0] * (1 - share) + segments[k, 1] * share)
    return np.concatenate(pieces)
