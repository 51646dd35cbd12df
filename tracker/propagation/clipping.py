"""Shapes that reach beyond the frame."""

from __future__ import annotations

import numpy as np

from .shapes import Box, MaskedBox, Shape

_LEAST_VISIBLE_PX = 1.0


def clip_to_frame(shape: Shape, size_px: tuple[int, int]) -> Shape | None:
    """What the frame shows of a box, with its mask; other shapes stay as they are.

    Args:
        shape: in pixels
        size_px: (width, height) of the displayed frame

    Returns:
        None where nothing is left of it
    """
    if not isinstance(shape, Box):
        return shape
    xyxy = np.clip(shape.xyxy, 0, np.array([*size_px, *size_px], dtype=np.float64))
    if (xyxy[2:] - xyxy[:2] < _LEAST_VISIBLE_PX).any():
        return None
    if (xyxy == shape.xyxy).all():
        return shape
    if not isinstance(shape, MaskedBox):
        return Box(xyxy)
    sides = shape.xyxy[2:] - shape.xyxy[:2]
    counts = np.array(shape.mask.shape[::-1])
    low = np.floor((xyxy[:2] - shape.xyxy[:2]) / sides * counts + 0.5).astype(int)
    high = np.ceil((xyxy[2:] - shape.xyxy[:2]) / sides * counts - 0.5).astype(int)
    low = np.clip(low, 0, counts - 1)
    high = np.maximum(np.minimum(high, counts), low + 1)
    mask = shape.mask[low[1] : high[1], low[0] : high[0]]
    return MaskedBox(xyxy, mask) if mask.any() else None
