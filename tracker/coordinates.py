"""The only place that does arithmetic on coordinates and frame numbers.

Three spaces: pixels of the displayed frame, [0, 1] of FiftyOne, and the pixels
of another raster (a model's input, a mask, a flow field). A frame index counts
from 0, a FiftyOne frame number from 1, and so does a track's `index`.
"""

from __future__ import annotations

import numpy as np

from .errors import ShapeError

FIRST_FRAME_NUMBER = 1
FIRST_TRACK_INDEX = 1  # 0 is dropped by FiftyOne's video label exporter


def _check_pairs(xy: np.ndarray) -> np.ndarray:
    xy = np.asarray(xy)
    if xy.ndim == 0 or xy.shape[-1] != 2:
        raise ShapeError(f"Invalid positions of shape {xy.shape}. The last axis must be (x, y)")
    return xy


def _check_size(size_px: tuple[int, int]) -> tuple[int, int]:
    width, height = size_px
    if width < 1 or height < 1:
        raise ShapeError(f"Invalid frame size {width} x {height}. Both sides must be at least 1 pixel")
    return width, height


def normalize_xy(xy_px: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Scales pixel positions to FiftyOne's unit square.

    Args:
        xy_px: (..., 2) float, x right, y down
        size_px: (width, height) of the displayed frame

    Returns:
        (..., 2) float, same dtype; outside [0, 1] means outside the frame

    Raises:
        ShapeError: if the last axis is not 2, or the frame has no area
    """
    xy = _check_pairs(xy_px)
    return xy / np.asarray(_check_size(size_px), dtype=xy.dtype if xy.dtype.kind == "f" else np.float64)


def denormalize_xy(xy_norm: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """The inverse of `normalize_xy`.

    Args:
        xy_norm: (..., 2) float in FiftyOne's unit square
        size_px: (width, height) of the displayed frame

    Returns:
        (..., 2) float pixels, same dtype

    Raises:
        ShapeError: if the last axis is not 2, or the frame has no area
    """
    xy = _check_pairs(xy_norm)
    return xy * np.asarray(_check_size(size_px), dtype=xy.dtype if xy.dtype.kind == "f" else np.float64)


def inside_frame(xy_px: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Tells which positions lie in the frame: 0 <= x <= W - 1, 0 <= y <= H - 1.

    Args:
        xy_px: (..., 2) float pixels; NaN counts as outside
        size_px: (width, height) of the displayed frame

    Returns:
        (...) bool

    Raises:
        ShapeError: if the last axis is not 2, or the frame has no area
    """
    xy = _check_pairs(xy_px)
    width, height = _check_size(size_px)
    x, y = xy[..., 0], xy[..., 1]
    with np.errstate(invalid="ignore"):
        return (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)


def mostly_outside(xy_px: np.ndarray, visible: np.ndarray, size_px: tuple[int, int]) -> tuple[int, int] | None:
    """Tells whether most visible points lie outside the frame, as those of another video do.

    Args:
        xy_px: (..., 2) float pixels
        visible: (...) bool
        size_px: (width, height) of the displayed frame

    Returns:
        how many lie outside, and how many are visible; None where no more than half of them lie outside
    """
    num_visible = int(np.count_nonzero(visible))
    num_outside = num_visible - int(np.count_nonzero(visible & inside_frame(xy_px, size_px)))
    return (num_outside, num_visible) if num_outside > num_visible / 2 else None


def clamped_to_frame(xy_px: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Moves positions onto the nearest pixel centre of the border, where they lie beyond it.

    Args:
        xy_px: (..., 2) float pixels; NaN stays
        size_px: (width, height) of the displayed frame

    Returns:
        (..., 2) float pixels, inside the frame

    Raises:
        ShapeError: if the last axis is not 2, or the frame has no area
    """
    xy = _check_pairs(xy_px)
    width, height = _check_size(size_px)
    return np.clip(xy, 0, np.array([width - 1, height - 1], dtype=xy.dtype))


def corner_aligned(xy_px: np.ndarray, from_size: tuple[int, int], to_size: tuple[int, int]) -> np.ndarray:
    """Maps positions between rasters whose corner pixel CENTRES coincide (align_corners=True).

    Args:
        xy_px: (..., 2) float pixels of the first raster
        from_size: (width, height) of the first raster
        to_size: (width, height) of the second raster

    Returns:
        (..., 2) float64 pixels of the second raster; a side of one pixel maps to 0

    Raises:
        ShapeError: if the last axis is not 2, or a raster has no area
    """
    xy = _check_pairs(xy_px).astype(np.float64)
    source, target = np.array(_check_size(from_size)), np.array(_check_size(to_size))
    scale = np.where(source > 1, (target - 1) / np.maximum(source - 1, 1), 0.0)
    return xy * scale


def edge_aligned(xy_px: np.ndarray, from_size: tuple[int, int], to_size: tuple[int, int]) -> np.ndarray:
    """Maps positions between rasters whose outer EDGES coincide (area or OpenCV resizing).

    Args:
        xy_px: (..., 2) float pixels of the first raster
        from_size: (width, height) of the first raster
        to_size: (width, height) of the second raster

    Returns:
        (..., 2) float64 pixels of the second raster

    Raises:
        ShapeError: if the last axis is not 2, or a raster has no area
    """
    xy = _check_pairs(xy_px).astype(np.float64)
    scale = np.array(_check_size(to_size)) / np.array(_check_size(from_size))
    return (xy + 0.5) * scale - 0.5


def frame_number_of(frame_index):
    """FiftyOne's frame number (from 1) of a frame index (from 0); ints or integer arrays."""
    return frame_index + FIRST_FRAME_NUMBER


def frame_index_of(frame_number):
    """The frame index (from 0) of FiftyOne's frame number (from 1); ints or integer arrays."""
    return frame_number - FIRST_FRAME_NUMBER


def track_index_of(column):
    """The `index` that a track's keypoints carry, for its column in `Tracks`."""
    return column + FIRST_TRACK_INDEX


def column_of(track_index):
    """The column in `Tracks` of a keypoint's `index`."""
    return track_index - FIRST_TRACK_INDEX
