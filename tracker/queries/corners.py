"""Points where a picture gives most to hold on to, spread over all of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..coordinates import edge_aligned
from ..types import Queries
from .grid import check_grid_size
from .texture import texture_map

# places nearer to the border, as a share of the short side, soon leave the picture
_BORDER = 0.03
# smaller than what tells ground that is featureless: a corner is one place
_BLOCK_PX, _SMOOTH_PX = 7, 1.0


def corner_queries(frame: np.ndarray, grid_size: int, *, size_px: tuple[int, int], frame_index: int = 0) -> Queries:
    """The best place of each cell of a grid.

    Args:
        frame: uint8 (H, W, 3) RGB or (H, W) grey, in any size
        grid_size: cells per side
        size_px: (width, height) of the displayed frame, which positions are in
        frame_index: that they are asked for in

    Returns:
        Queries, row by row

    Raises:
        OptionError: for a grid size below 1
    """
    check_grid_size(grid_size)
    scores = texture_map(frame, block_px=_BLOCK_PX, smooth_px=_SMOOTH_PX)
    height, width = scores.shape
    border = max(round(_BORDER * min(width, height)), 1)
    inner = np.full_like(scores, -1)
    inside = slice(border, height - border), slice(border, width - border)
    inner[inside] = scores[inside]
    rows, columns = (np.linspace(0, side, grid_size + 1).round().astype(int) for side in (height, width))
    places = []
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = inner[top:bottom, left:right]
            if cell.size:  # of more cells than pixels, some have none
                y, x = np.unravel_index(int(cell.argmax()), cell.shape)
                places.append((left + x, top + y))
    xy = edge_aligned(np.array(places, dtype=np.float64), (width, height), size_px)
    xy = np.clip(xy, 0, [size_px[0] - 1, size_px[1] - 1])
    return Queries(t=np.full(len(xy), frame_index), xy=xy, origin="grid")
