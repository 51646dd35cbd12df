"""Points that a person or another program chose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ..errors import QueryError
from ..types import Queries


def point_queries(points: Iterable[Sequence[float]] | np.ndarray) -> Queries:
    """Explicit points, each in its own frame.

    Args:
        points: N rows (t, x, y): frame index from 0, then pixels

    Returns:
        Queries with origin "points"

    Raises:
        QueryError: unless every row is three finite numbers with a whole t >= 0
    """
    rows = points if isinstance(points, np.ndarray) else list(points)
    try:
        array = np.asarray(rows, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise QueryError(f"Points must be rows of three numbers (t, x, y), found {_excerpt(rows)}") from error
    if array.size == 0:
        array = array.reshape(0, 3)
    if array.ndim != 2 or array.shape[1] != 3:
        raise QueryError(f"Points must be rows of three numbers (t, x, y), found the shape {array.shape}")
    return Queries(t=array[:, 0], xy=array[:, 1:], origin="points")


def _excerpt(rows: object) -> str:
    text = repr(rows)
    return text if len(text) <= 80 else text[:77] + "..."
