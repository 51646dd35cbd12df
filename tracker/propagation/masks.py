"""Instance masks: moved with the flow around them, and blended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .motion import moved_positions
from .shapes import Box, MaskedBox

# the flow is smooth: it is worked out at so many places a side
_PLACES = 16
_LARGEST_SIDE = 512


def warp_mask(shape: MaskedBox, into: Box, start: np.ndarray, now: np.ndarray) -> np.ndarray:
    """The mask of a keyframe as points moved it.

    Args:
        shape: the keyframe's
        into: where the box is now
        start: (N, 2) pixels, where points were, at least one
        now: (N, 2) pixels, where they are

    Returns:
        (h, w) bool, stretched over `into`; the keyframe's own where nothing would be left
    """
    import cv2

    height, width = _raster(shape.mask)
    low, sides = into.xyxy[:2], into.xyxy[2:] - into.xyxy[:2]
    x, y = ((np.arange(_PLACES) + 0.5) / _PLACES * sides[i] + low[i] for i in (0, 1))
    xx, yy = np.meshgrid(x, y)
    places = np.stack([xx, yy], axis=-1).reshape(-1, 2)  # (n * n, 2)
    came_from = moved_positions(places, now, start)
    shares = (came_from - shape.xyxy[:2]) / (shape.xyxy[2:] - shape.xyxy[:2])
    same = (places - low) / sides
    # what is smoothed is only how far the flow differs from moving with the box
    change = (shares - same).reshape(_PLACES, _PLACES, 2).astype(np.float32)  # (n, n, 2)
    change = cv2.GaussianBlur(change, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE)
    wide = _extrapolated(same.reshape(_PLACES, _PLACES, 2).astype(np.float32) + change, (height, width))  # (n, n, 2)
    counts = np.array(shape.mask.shape[::-1], np.float32)
    at = wide * counts - 0.5
    warped = cv2.remap(shape.mask.astype(np.float32), at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderValue=0.0)
    mask = warped > 0.5
    return mask if mask.any() else shape.mask


def _extrapolated(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values (n, n, C) at the middles of cells, linearly at the middles of (height, width) smaller ones."""
    import cv2

    padded = np.pad(values, ((1, 1), (1, 1), (0, 0)), mode="reflect", reflect_type="odd")
    height, width = size
    row = (np.arange(height, dtype=np.float32) + 0.5) / height * len(values) + 0.5
    column = (np.arange(width, dtype=np.float32) + 0.5) / width * len(values) + 0.5
    xx, yy = np.meshgrid(column, row)
    return cv2.remap(padded, xx, yy, cv2.INTER_LINEAR)


def _raster(mask: np.ndarray) -> tuple[int, int]:
    """A size to work in: the mask's, within limits."""
    height, width = mask.shape
    return min(max(height, _PLACES), _LARGEST_SIDE), min(max(width, _PLACES), _LARGEST_SIDE)


def blend_masks(masks: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """The mask between several, each stretched over the same box.

    Args:
        masks: (h, w) bool each, of any resolutions
        weights: of each, not all zero

    Returns:
        bool, where the weighted mean of the signed distances to the outlines is positive; the mask of most weight where
        that is nowhere
    """
    heaviest = masks[int(np.argmax(weights))]
    if max(weights) >= 1 - 1e-9:
        return heaviest
    height, width = (min(max(mask.shape[i] for mask in masks), _LARGEST_SIDE) for i in (0, 1))
    total = np.zeros((height, width), np.float64)
    for mask, weight in zip(masks, weights, strict=True):
        if weight > 0:
            total += weight * _signed_distance(_resized(mask, (height, width)))
    blended = total > 0
    return blended if blended.any() else heaviest


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    if mask.shape == size:
        return mask
    return cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_LINEAR) > 0.5


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Pixels to the outline, positive inside; a border of nothing lies around the mask."""
    import cv2

    padded = np.pad(mask, 1).astype(np.uint8)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 3)
    outside = cv2.distanceTransform(1 - padded, cv2.DIST_L2, 3)
    return (inside - outside)[1:-1, 1:-1]
