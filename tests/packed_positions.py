"""Positions that were packed for the browser, unpacked as the script of the panel does it."""

from __future__ import annotations

import base64

import numpy as np

from point_tracking.panels.trajectories.packing import HIDDEN, HIGHEST, LOWEST


def unpack(text: str, num_tracks: int, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(T, N, 2) pixels and (T, N) visible, as `unpack` of the script does it."""
    packed = np.frombuffer(base64.b64decode(text), "<u2").reshape(-1, num_tracks, 2)  # (T, N, 2)
    share = packed / (HIDDEN - 1) * (HIGHEST - LOWEST) + LOWEST
    return share * np.array(size_px), packed[..., 0] != HIDDEN
