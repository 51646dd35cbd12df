"""Where a picture gives a tracker something to hold on to, and where it does not: sky, water, walls.

The score of a place is the square root of the smaller eigenvalue of the structure tensor around it (Shi and Tomasi,
"Good features to track", CVPR 1994), of the smoothed grey picture at the size it is tracked in: how much brightness
changes per pixel, root mean square, in the direction in which it changes least. A plain wall has none, and neither
has a straight edge, along which a point may slide. What noise alone adds is taken off; how noisy a picture is, is
told from its second differences (Immerkaer, CVIU 1996).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..coordinates import edge_aligned, inside_frame
from ..types import Queries

# grey levels per pixel; below it, points are lost and slide far more often (`benchmarks/motion.py`)
FEATURELESS = 0.15
# pictures are looked at with at most this short side, where a tracker does not say its own
USUAL_SHORT_SIDE_PX = 320
_SMOOTH_PX = 1.5
_BLOCK_PX = 15
# how far a point may be moved to a corner, as a share of the distance between points of a grid or of the short side
_SNAP_SHARE = 0.05


def usual_size(size_px: tuple[int, int]) -> tuple[int, int]:
    """(width, height) that texture is looked at where nothing is known of the tracker."""
    scale = min(1.0, USUAL_SHORT_SIDE_PX / min(size_px))
    return max(round(size_px[0] * scale), 1), max(round(size_px[1] * scale), 1)


def texture_map(frame: np.ndarray, *, block_px: int = _BLOCK_PX, smooth_px: float = _SMOOTH_PX) -> np.ndarray:
    """The score of every pixel.

    Args:
        frame: uint8 (H, W, 3) RGB or (H, W) grey, of the size it is tracked in
        block_px: side of the surroundings that count
        smooth_px: standard deviation of the Gaussian that smooths the picture

    Returns:
        (H, W) float32, grey levels per pixel
    """
    import cv2

    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
    picture = np.ascontiguousarray(grey, dtype=np.float32)
    smooth = cv2.GaussianBlur(picture, (0, 0), smooth_px)
    # OpenCV's derivative is twice the change per pixel
    least = cv2.cornerMinEigenVal(smooth, block_px, ksize=3) / 4
    # of white noise after smoothing with a Gaussian: the integral of the squared derivative of its kernel
    from_noise = noise_of(picture) ** 2 / (8 * np.pi * smooth_px**4)
    return np.sqrt(np.maximum(least - from_noise, 0)).astype(np.float32)


def noise_of(picture: np.ndarray) -> float:
    """How noisy a picture is: grey levels, as a standard deviation.

    Args:
        picture: (H, W) float32
    """
    import cv2

    kernel = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)  # its squares add up to 36
    return float(np.median(np.abs(cv2.filter2D(picture, -1, kernel)))) / 0.6745 / 6


def texture_scores(frame: np.ndarray, xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """The scores of some places.

    Args:
        frame: as for `texture_map`
        xy, size_px: as for `scores_at`

    Returns:
        (N,) float32; NaN where a place is outside the frame
    """
    return scores_at(texture_map(frame), xy, size_px)


def scores_at(scores: np.ndarray, xy: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Reads a map of scores at some places.

    Args:
        scores: (H, W), as `texture_map` gives
        xy: (N, 2) pixels of the displayed frame
        size_px: (width, height) of the displayed frame

    Returns:
        (N,) float32; NaN where a place is outside the frame
    """
    height, width = scores.shape
    inside = inside_frame(xy, size_px)
    here = edge_aligned(np.nan_to_num(np.asarray(xy, dtype=np.float64)), size_px, (width, height))
    column = np.clip(np.rint(here[:, 0]), 0, width - 1).astype(np.int64)
    row = np.clip(np.rint(here[:, 1]), 0, height - 1).astype(np.int64)
    return np.where(inside, scores[row, column], np.nan).astype(np.float32)


def snapped_queries(queries: Queries, frame: np.ndarray, size_px: tuple[int, int]) -> tuple[Queries, int]:
    """Moves points on featureless ground to the strongest corner near them, where there is one.

    Args:
        queries: N points, all in the frame that is given
        frame: as for `texture_map`
        size_px: (width, height) of the displayed frame

    Returns:
        the queries, and how many points were moved; those with no corner near them stay
    """
    import cv2

    height, width = frame.shape[:2]
    scores = texture_map(frame)
    weak = np.flatnonzero(texture_scores(frame, queries.xy, size_px) < FEATURELESS)
    reach = max(round(_SNAP_SHARE * min(width, height)), 1)
    best = cv2.dilate(scores, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    xy, moved = queries.xy.copy(), 0
    here = edge_aligned(queries.xy, size_px, (width, height))
    for n in weak:
        column, row = (
            int(np.clip(round(value), 0, side - 1)) for value, side in zip(here[n], (width, height), strict=True)
        )
        if best[row, column] < FEATURELESS:
            continue
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = scores[top : row + reach + 1, left : column + reach + 1]
        y, x = np.unravel_index(int(window.argmax()), window.shape)
        place = edge_aligned(np.array([[left + x, top + y]], dtype=np.float64), (width, height), size_px)[0]
        xy[n] = np.clip(place, 0, [size_px[0] - 1, size_px[1] - 1])
        moved += 1
    return replace(queries, xy=xy), moved
