"""Every pixel of one frame."""

from __future__ import annotations

import numpy as np

from ..types import Queries
from .grid import check_frame_index, check_frame_size

DENSE_COLUMNS = 80  # the published predictor tracks about this many columns per pass


def dense_queries(*, height: int, width: int, frame_index: int = 0) -> Queries:
    """Every pixel of a frame, in the order of the published dense mode.

    The frame is split into step x step interleaved grids (step = width // 80, at
    least 1); the points of each grid follow one another, row by row. Where a side
    is not a multiple of the step, its last pixels are left out, as published.

    Args:
        height: of the displayed frame, pixels
        width: of the displayed frame, pixels
        frame_index: the frame the points are given in, from 0

    Returns:
        Queries with origin "dense": step ** 2 * (width // step) * (height // step) points

    Raises:
        OptionError: for a frame without area or a negative frame index

    Source: the dense mode of the published CoTracker3 predictor, arXiv:2410.11831
    """
    check_frame_size(width, height)
    frame_index = check_frame_index(frame_index)
    step = min(max(width // DENSE_COLUMNS, 1), height)
    columns, rows = width // step, height // step
    offset = np.arange(step)
    j, i = np.arange(rows) * step, np.arange(columns) * step
    x = np.broadcast_to(offset[None, :, None, None] + i, (step, step, rows, columns))
    y = np.broadcast_to(offset[:, None, None, None] + j[:, None], (step, step, rows, columns))
    xy = np.stack([x, y], axis=-1).reshape(-1, 2)  # (step * step * rows * columns, 2)
    return Queries(t=np.full(len(xy), frame_index, dtype=np.int64), xy=xy.astype(np.float64), origin="dense")
