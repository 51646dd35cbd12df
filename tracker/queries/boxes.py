"""About so many points inside a box."""

from __future__ import annotations

import math

import numpy as np

from ..errors import ShapeError
from .inside import check_points_per_object


def points_in_box(corner_px: np.ndarray, extent_px: np.ndarray, num_points: int) -> np.ndarray:
    """A grid of about so many points, as far from each other along x as along y, and half as far from the edges.

    Args:
        corner_px: (2,) x, y of the box's first edges; the frame's first edges lie at 0
        extent_px: (2,) width and height, above 0
        num_points: that are wanted; a small box gets no more than one per pixel, and at least one

    Returns:
        (K, 2) float64 x, y of points in pixels, row by row

    Raises:
        ShapeError: if the box has no extent
        OptionError: for a number that is not supported
    """
    check_points_per_object(num_points)
    width, height = (float(side) for side in extent_px)
    if not (width > 0 and height > 0):
        raise ShapeError(f"Invalid box of {width:g} x {height:g} pixels. Both sides must be above 0")
    columns, rows = _numbers(width, height, num_points)
    x = (np.arange(columns) + 0.5) * width / columns
    y = (np.arange(rows) + 0.5) * height / rows
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)  # (rows * columns, 2)
    # a pixel's centre lies half a pixel from its edges
    return grid + np.asarray(corner_px, dtype=np.float64) - 0.5


def _numbers(width: float, height: float, num_points: int) -> tuple[int, int]:
    """Columns and rows: as near to the wanted number as whole ones come, then as even as they come."""
    ideal = math.sqrt(num_points * width / height)
    most_columns, most_rows = max(int(width), 1), max(int(height), 1)  # one per pixel
    pairs = []
    for columns in (math.floor(ideal), math.ceil(ideal)):
        columns = min(max(columns, 1), most_columns, num_points)
        for rows in (num_points // columns, -(-num_points // columns)):
            pairs.append((columns, min(rows, most_rows)))
    return min(pairs, key=lambda pair: (abs(pair[0] * pair[1] - num_points), abs(pair[0] - ideal)))
