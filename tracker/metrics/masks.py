"""Mask adherence: tracks judged by an object's masks alone, where no track is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coordinates import edge_aligned, inside_frame
from ..errors import ShapeError
from ..types import Tracks
from .counting import ratio
from .truth import QueryMode, counted_frames


@dataclass(frozen=True)
class MaskScores:
    """How points that start on an object stay on it; shares from 0 to 1.

    Args:
        on_object: the share of positions predicted as visible that lie on the object
        share_visible: the share of counted positions predicted as visible
    """

    on_object: float
    share_visible: float


def mask_scores(
    predicted: Tracks,
    query_t: np.ndarray,
    masks: np.ndarray,
    size_px: tuple[int, int],
    *,
    valid: np.ndarray | None = None,
    tolerance_cells: int = 0,
    mode: QueryMode = "first",
) -> MaskScores:
    """Scores tracks by an object's masks: a visible point must lie on the object.

    Args:
        predicted: T frames and N points that start on the object
        query_t: (N,) int, frame index of each query
        masks: (T, H', W') bool, of any resolution
        size_px: (width, height) of the displayed frame
        valid: (T,) bool, frames whose mask is known; None = all
        tolerance_cells: mask pixels that a point may lie beside the object, in x and in y;
            masks of half resolution and points on an outline need some
        mode: which frames count, see `counted_frames`

    Returns:
        the clip's scores

    Raises:
        ShapeError: if tracks and masks have different numbers of frames
        OptionError: for an unknown mode
    """
    masks = np.asarray(masks, dtype=bool)
    if masks.ndim != 3 or len(masks) != predicted.num_frames:
        raise ShapeError(f"Invalid masks of shape {masks.shape}. Expected ({predicted.num_frames}, H, W)")
    counted = counted_frames(query_t, predicted.num_frames, mode)
    if valid is not None:
        counted &= np.asarray(valid, dtype=bool)[:, None]
    said_visible = counted & predicted.visible
    t, n = np.nonzero(said_visible)
    on_object = lies_on(masks, t, predicted.xy[t, n], size_px, tolerance_cells=tolerance_cells)
    return MaskScores(
        on_object=ratio(np.count_nonzero(on_object), len(t)),
        share_visible=ratio(len(t), np.count_nonzero(counted)),
    )


def lies_on(
    masks: np.ndarray, t: np.ndarray, xy: np.ndarray, size_px: tuple[int, int], *, tolerance_cells: int = 0
) -> np.ndarray:
    """Which positions lie on an object.

    Args:
        masks: (T, H', W') bool, of any resolution
        t: (K,) int, frame index of each position
        xy: (K, 2) float pixels of the displayed frame, finite
        size_px: (width, height) of the displayed frame
        tolerance_cells: as for `mask_scores`

    Returns:
        (K,) bool; False outside the frame
    """
    height, width = masks.shape[1:]
    cells = np.rint(edge_aligned(xy, size_px, (width, height))).astype(np.int64)
    on_object = np.zeros(len(t), dtype=bool)
    for dy, dx in np.ndindex(2 * tolerance_cells + 1, 2 * tolerance_cells + 1):
        column = np.clip(cells[:, 0] + dx - tolerance_cells, 0, width - 1)
        row = np.clip(cells[:, 1] + dy - tolerance_cells, 0, height - 1)
        on_object |= masks[t, row, column]
    return on_object & inside_frame(xy, size_px)
