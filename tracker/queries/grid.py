"""A regular grid of points, optionally only those on a mask.

The rules are those of the published CoTracker predictor (arXiv:2410.11831):
the grid lives in a 512 x 384 frame with a margin of 8 pixels on both axes.
"""

from __future__ import annotations

import numpy as np

from ..arrays import detached
from ..coordinates import corner_aligned
from ..errors import MaskError, OptionError
from ..types import Queries

GRID_FRAME = (512, 384)  # (width, height) in which the grid is laid out
GRID_MARGIN = 8
MAX_GRID_SIZE = 1000


def check_grid_size(grid_size: int) -> int:
    """Refuses a number of points per side that makes no grid.

    Raises:
        OptionError: unless it is a whole number from 1 to `MAX_GRID_SIZE`
    """
    if isinstance(grid_size, bool) or not isinstance(grid_size, (int, np.integer)) or grid_size < 1:
        raise OptionError(f"Invalid grid size ({grid_size!r}). Expected a whole number of points per side, at least 1")
    if grid_size > MAX_GRID_SIZE:
        raise OptionError(
            f"Invalid grid size ({grid_size}). At most {MAX_GRID_SIZE} points per side are supported "
            f"({MAX_GRID_SIZE**2:,} points); use dense queries to track every pixel"
        )
    return int(grid_size)


def check_frame_index(frame_index: int) -> int:
    """Refuses a frame index that is not a whole number from 0.

    Raises:
        OptionError: naming the value found
    """
    if isinstance(frame_index, bool) or not isinstance(frame_index, (int, np.integer)) or frame_index < 0:
        raise OptionError(f"Invalid frame index ({frame_index!r}). Expected a whole number; the first frame is 0")
    return int(frame_index)


def check_frame_size(width: int, height: int) -> None:
    """Refuses a frame without area.

    Raises:
        OptionError: naming the size found
    """
    if width < 1 or height < 1:
        raise OptionError(f"Invalid frame size {width} x {height}. Both sides must be at least 1 pixel")


def grid_points(grid_size: int) -> np.ndarray:
    """The grid in its own 512 x 384 frame.

    Args:
        grid_size: points per side, at least 1

    Returns:
        (grid_size ** 2, 2) float64 x, y, row by row

    Raises:
        OptionError: for a grid size below 1 or above the limit
    """
    check_grid_size(grid_size)
    width, height = GRID_FRAME
    if grid_size == 1:
        return np.array([[width / 2, height / 2]])
    x = np.linspace(GRID_MARGIN, width - GRID_MARGIN, grid_size)
    y = np.linspace(GRID_MARGIN, height - GRID_MARGIN, grid_size)
    xx, yy = np.meshgrid(x, y)  # (g, g) each, rows of constant y
    return np.stack([xx, yy], axis=-1).reshape(-1, 2)  # (g * g, 2)


def as_mask(mask: np.ndarray) -> np.ndarray:
    """Reads what was given as a mask.

    Args:
        mask: (H', W'), any dtype; nonzero = track. An image of a mask, (H', W', 1 to 4
            channels), counts wherever any of its colours is nonzero

    Returns:
        (H', W') bool

    Raises:
        MaskError: if the mask is not two-dimensional or has no area
    """
    mask = np.asarray(detached(mask))
    if mask.ndim == 3 and mask.shape[2] in (1, 3, 4):
        mask = np.any(mask[..., :3] != 0, axis=2, keepdims=False)
    if mask.ndim != 2 or 0 in mask.shape:
        raise MaskError(f"Invalid mask of shape {mask.shape}. Expected (height, width)")
    return mask != 0


def read_mask_at(mask: np.ndarray, xy_grid: np.ndarray) -> np.ndarray:
    """Reads a mask of any size at points of the 512 x 384 frame.

    The mask is resized by nearest neighbour (source index = floor(i * size / target))
    and read at the position rounded half to even.

    Args:
        mask: as for `as_mask`
        xy_grid: (N, 2) positions in the 512 x 384 frame

    Returns:
        (N,) bool

    Raises:
        MaskError: if the mask is not two-dimensional or has no area
    """
    inside = as_mask(mask)
    width, height = GRID_FRAME
    # in float32 the grid's halves are exact, and rounding half to even means what it says
    rounded = np.rint(np.asarray(xy_grid, dtype=np.float32)).astype(np.int64)  # (N, 2)
    column, row = np.clip(rounded, 0, [width - 1, height - 1]).T
    mask_height, mask_width = inside.shape
    return inside[row * mask_height // height, column * mask_width // width]


def grid_queries(
    grid_size: int, *, height: int, width: int, frame_index: int = 0, mask: np.ndarray | None = None
) -> Queries:
    """A regular grid of points in one frame.

    Args:
        grid_size: points per side; the grid has grid_size ** 2 points before masking
        height: of the displayed frame, pixels
        width: of the displayed frame, pixels
        frame_index: the frame the points are given in, from 0
        mask: (H', W'), any dtype and size; only grid points where it is nonzero are kept

    Returns:
        Queries with origin "grid", or "masked_grid" where a mask is given;
        no points at all if the mask selects none

    Raises:
        OptionError: for a grid size below 1 or above the limit, a negative frame
            index, or a frame without area
        MaskError: if the mask is not two-dimensional or has no area

    Source: the grid rule of the published CoTracker3 predictor, arXiv:2410.11831
    """
    xy_grid = grid_points(grid_size)
    frame_index = check_frame_index(frame_index)
    check_frame_size(width, height)
    if mask is not None:
        xy_grid = xy_grid[read_mask_at(mask, xy_grid)]
    xy = corner_aligned(xy_grid, GRID_FRAME, (width, height))
    return Queries(
        t=np.full(len(xy), frame_index, dtype=np.int64), xy=xy, origin="grid" if mask is None else "masked_grid"
    )
