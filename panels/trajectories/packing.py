"""Positions as text for the browser: 16 bits a number, in base64, a fifth of what lists of numbers take.

Shares of the frame from `LOWEST` to `HIGHEST` are spread over the numbers from 0; the largest number says that
a point is not visible. The script's side is `unpack` in `assets/trajectories/scene.js`.
"""

from __future__ import annotations

import base64

import numpy as np

from ...tracker.coordinates import normalize_xy

# what lies farther outside of the frame is drawn at this distance
LOWEST, HIGHEST = -0.5, 1.5
HIDDEN = 65535
_STEPS = HIDDEN - 1


def pack_positions(xy_px: np.ndarray, visible: np.ndarray, size_px: tuple[int, int]) -> str:
    """Packs positions.

    Args:
        xy_px: (T, N, 2) float, pixels of the displayed frame
        visible: (T, N) bool
        size_px: (width, height) of the displayed frame

    Returns:
        2 T N little-endian numbers of 16 bits, x before y, point by point, frame by frame, in base64
    """
    share = (normalize_xy(np.asarray(xy_px, dtype=np.float64), size_px) - LOWEST) / (HIGHEST - LOWEST)
    steps = np.clip(np.nan_to_num(share) * _STEPS, 0, _STEPS).round()
    packed = np.where(np.asarray(visible)[..., None], steps, HIDDEN).astype("<u2")
    return base64.b64encode(packed.tobytes()).decode("ascii")
