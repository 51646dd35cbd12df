"""Points that a person or another program chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..arrays import detached
from ..errors import QueryError
from ..types import Queries


def point_queries(points: Iterable[Sequence[float]] | np.ndarray) -> Queries:
    """Explicit points, each in its own frame.

    Args:
        points: N rows (t, x, y): frame index from 0, then pixels; lists, arrays or tensors

    Returns:
        Queries with origin "points"

    Raises:
        QueryError: unless every row is three finite numbers with a whole t >= 0
    """
    array = _rows_of(points)
    return Queries(t=array[:, 0], xy=array[:, 1:], origin="points")


def point_rows(points: Iterable[Sequence[float]] | np.ndarray) -> list[list[float]]:
    """Explicit points as plain lists, whatever they are held in.

    Args:
        points: as for `point_queries`

    Returns:
        N rows [t, x, y]

    Raises:
        QueryError: as of `point_queries`
    """
    point_queries(rows := _rows_of(points))
    return rows.tolist()


def _rows_of(points: Iterable[Sequence[float]] | np.ndarray) -> np.ndarray:
    """(N, 3) float64 t, x, y."""
    try:
        rows = detached(points)
        rows = rows if isinstance(rows, np.ndarray) else [detached(row) for row in rows]
        array = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise QueryError(f"Points must be rows of three numbers (t, x, y), found {_excerpt(points)}") from error
    if array.size == 0:
        array = array.reshape(0, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise QueryError(f"Points must be rows of three numbers (t, x, y), found the shape {array.shape}")
    return array


def _excerpt(rows: object) -> str:
    text = repr(rows)
    return text if len(text) <= 80 else text[:77] + "..."
