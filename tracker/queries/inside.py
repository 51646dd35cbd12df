"""About so many points inside a mask, however small or large the object is in the frame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product

import numpy as np

from ..errors import OptionError
from ..types import Queries
from .grid import as_mask, check_frame_index, check_frame_size

MAX_POINTS_PER_OBJECT = 10_000
# how often the distance between points is halved in between; the number of points settles long before
_STEPS = 16


def check_points_per_object(number: int) -> int:
    """Refuses a number of points that covers no object.

    Raises:
        OptionError: unless it is a whole number from 1 to `MAX_POINTS_PER_OBJECT`
    """
    if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
        raise OptionError(f"Invalid number of points on an object ({number!r}). Expected a whole number, at least 1")
    if number > MAX_POINTS_PER_OBJECT:
        raise OptionError(
            f"Invalid number of points on an object ({number:,}). At most {MAX_POINTS_PER_OBJECT:,} are supported"
        )
    return int(number)


def points_inside(mask: np.ndarray, num_points: int, size_px: tuple[int, int]) -> np.ndarray:
    """A square lattice over a mask, as wide as makes about so many of its points fall into the mask.

    Args:
        mask: (H', W'), any dtype, nonzero = object; stretched over the frame
        num_points: that are wanted; a compact object gets it within a few per cent, a small
            one no more than it has pixels
        size_px: (width, height) of the displayed frame

    Returns:
        (N, 2) float64 x, y in pixels of the frame, row by row; at least one point where the mask is not empty

    Raises:
        MaskError: if the mask is not two-dimensional or has no area
        OptionError: for a number that is not supported, or a frame without area
    """
    check_points_per_object(num_points)
    check_frame_size(*size_px)
    inside = as_mask(mask)
    scale = np.array(size_px) / inside.shape[::-1]  # frame pixels per mask pixel, (x, y)
    if not inside.any():
        return np.empty((0, 2))
    best = np.empty((0, 2))
    for lattice in _lattices(inside, scale, num_points):
        if not len(best) or abs(len(lattice) - num_points) < abs(len(best) - num_points):
            best = lattice
        if len(best) == num_points:
            break
    if not len(best):
        best = _nearest_to_middle(inside, scale)
    return np.clip(best, 0, np.array(size_px) - 1.0)


def inside_queries(mask: np.ndarray, num_points: int, *, height: int, width: int, frame_index: int = 0) -> Queries:
    """About so many points inside a mask, in one frame.

    Args:
        mask: (H', W'), any dtype and size; nonzero = object
        num_points: that are wanted on it
        height: of the displayed frame, pixels
        width: of the displayed frame, pixels
        frame_index: the frame the points are given in, from 0

    Returns:
        Queries with origin "masked_grid"; none for an empty mask

    Raises:
        OptionError: for a number, a frame or a frame index that is not supported
        MaskError: if the mask is not two-dimensional or has no area
    """
    frame_index = check_frame_index(frame_index)
    xy = points_inside(mask, num_points, (width, height))
    return Queries(t=np.full(len(xy), frame_index, dtype=np.int64), xy=xy, origin="masked_grid")


def _lattices(inside: np.ndarray, scale: np.ndarray, num_points: int) -> Iterator[np.ndarray]:
    """The points of lattices that fall into a mask, (N, 2) each; N comes nearer to what is wanted."""
    rows, columns = inside.any(axis=1).nonzero()[0], inside.any(axis=0).nonzero()[0]
    box = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]]) * scale  # (2, 2) first and last edge
    extent = box[1] - box[0]
    # one point per pixel is the densest, one for all the widest
    narrow, wide = 1.0, max(float(extent.max()), 1.0)
    spacing = max(math.sqrt(np.count_nonzero(inside) * scale.prod() / num_points), narrow)
    numbers = np.ones(2, dtype=int)  # columns, rows
    for _ in range(_STEPS):
        numbers = np.maximum(np.rint(extent / spacing), 1).astype(int)
        lattice = _lattice(inside, scale, box, numbers)
        yield lattice
        narrow, wide = (narrow, spacing) if len(lattice) < num_points else (spacing, wide)
        spacing = math.sqrt(narrow * wide)
    # over a symmetrical object the number jumps: a column or a row more or less
    densest = np.maximum(np.floor(extent), 1).astype(int)
    for more in product((-1, 0, 1), repeat=2):
        yield _lattice(inside, scale, box, np.clip(numbers + more, 1, densest))


def _lattice(inside: np.ndarray, scale: np.ndarray, box: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """The points of a lattice of columns x rows over a box that fall into a mask, (N, 2)."""
    steps = (box[1] - box[0]) / numbers
    # distances from the frame's edge: half a pixel more than positions
    x, y = (box[0, k] + (np.arange(numbers[k]) + 0.5) * steps[k] for k in (0, 1))
    height, width = inside.shape
    columns, rows = _pixels_at(x / scale[0], width), _pixels_at(y / scale[1], height)
    row, column = inside[np.ix_(rows, columns)].nonzero()
    return np.stack([x[column], y[row]], axis=-1) - 0.5  # (N, 2)


def _pixels_at(distances: np.ndarray, number: int) -> np.ndarray:
    """(K,) the pixels at distances from the mask's edge, in pixels; on the edge of two rounding does not decide."""
    return np.minimum(np.floor(np.round(distances, 6)), number - 1).astype(int)


def _nearest_to_middle(inside: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """The pixel of the mask that is nearest to the middle of all of them, (1, 2)."""
    pixels = np.argwhere(inside)[:, ::-1]  # (M, 2) x, y
    nearest = np.argmin(((pixels - pixels.mean(axis=0)) ** 2).sum(axis=1))
    return (pixels[nearest][None] + 0.5) * scale - 0.5  # (1, 2)
