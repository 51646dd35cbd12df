"""Polylines that were drawn with different numbers of points, made comparable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .shapes import Polyline


def with_common_vertices(a: Polyline, b: Polyline) -> tuple[Polyline, Polyline]:
    """Adds vertices to two polylines of as many lines, so that each vertex of one has a partner in the other.

    Args:
        a, b: equal numbers of lines, all closed or all open

    Returns:
        both unchanged where all lines have as many vertices; else the same lines, with a vertex wherever one of the
        two has one, at equal shares of the way along the line
    """
    if [len(line) for line in a.lines] == [len(line) for line in b.lines]:
        return a, b
    lines = [_with_common(*pair, a.closed) for pair in zip(a.lines, b.lines, strict=True)]
    return replace(a, lines=tuple(pair[0] for pair in lines)), replace(b, lines=tuple(pair[1] for pair in lines))


def _with_common(a: np.ndarray, b: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    if len(a) == len(b):
        return a, b
    ways = [_way(line, closed) for line in (a, b)]
    last = -1 if closed else None  # the share 1 is the first vertex again
    shares = np.unique(np.concatenate([way[:last] for way, _ in ways]).round(9))
    placed = [np.stack([np.interp(shares, way.round(9), line[:, i]) for i in (0, 1)], axis=1) for way, line in ways]
    return placed[0], placed[1]


def _way(line: np.ndarray, closed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the way along a line at its vertices, 0 to 1, and the vertices: the first again where closed."""
    line = np.concatenate([line, line[:1]]) if closed else line
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    walked = np.concatenate([[0.0], np.cumsum(steps)])
    # a line without length has its vertices at equal shares
    return (walked / walked[-1] if walked[-1] > 0 else np.linspace(0, 1, len(line))), line
