"""A vector of fixed length for the motion in a clip, so that like motion lies near.

Everything in it is per second and per diagonal of the frame, so neither the length, nor the size, nor the rate of a
video changes it but by noise. Speeds enter as logarithms: twice as fast is as far at any speed. Its parts, in order:

    0-3    how fast the camera pans, tilts, turns and zooms, whichever way
    4-7    the same with its direction, as the mean over the clip
    8-9    shaking of the camera; how long it is still
    10-11  share of points that move apart from the camera, and how fast they do
    12-19  where to they go: eight directions from the right on, clockwise
    20-21  how fast points go in the picture, the median and those of the fastest twentieth
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .apart import ApartMotion
from .camera import ARM, STATIC, STILL, CameraMotion

DIRECTIONS = 8
LENGTH = 12 + DIRECTIONS + 2
# what the camera does weighs more than what things do
_CAMERA, _SIGNED, _APART, _WHERE = 1.0, 1.0, 0.35, 0.35


def motion_embedding(camera: CameraMotion, aparts: Sequence[ApartMotion], step_s: np.ndarray) -> np.ndarray:
    """The vector of a clip.

    Args:
        camera: what it did, S steps
        aparts: what points did, of each piece of the clip
        step_s: (S,) seconds of each step

    Returns:
        (LENGTH,) float32, finite
    """
    known = np.isfinite(camera.rates[:, 0])
    rates = camera.rates[known] * [1, 1, ARM, ARM]
    weight = step_s[known] / max(float(step_s[known].sum()), 1e-9)
    fast = (np.abs(rates) * weight[:, None]).sum(0)
    mean = (rates * weight[:, None]).sum(0)
    still = float(np.mean(camera.labels == STATIC)) if len(camera.labels) else 0.0
    drift = np.concatenate([apart.drift[np.isfinite(apart.drift)] for apart in aparts])
    moving = np.concatenate([apart.drift[apart.apart] / apart.window_s for apart in aparts])
    speeds = np.concatenate([apart.speed[np.isfinite(apart.speed)] for apart in aparts])
    share = len(moving) / len(drift) if len(drift) else 0.0
    quantiles = np.percentile(speeds, [50, 95]) if len(speeds) else np.zeros(2)
    parts = [
        _CAMERA * _log(fast),
        _SIGNED * np.sign(mean) * _log(np.abs(mean)),
        [_CAMERA * float(_log(np.array(20 * camera.shake))), still],
        [_APART * np.sqrt(share), _APART * float(_log(np.abs(np.median(np.abs(moving)) if len(moving) else 0.0)))],
        _WHERE * np.sqrt(share) * _directions(moving),
        _APART * _log(quantiles),
    ]
    return np.concatenate([np.asarray(part, dtype=np.float64).ravel() for part in parts]).astype(
        np.float32
    )  # (LENGTH,)


def _log(speed: np.ndarray) -> np.ndarray:
    """Speeds, or what is like them, as logarithms that are 0 at rest."""
    return np.log1p(speed / STILL)


def _directions(moves: np.ndarray) -> np.ndarray:
    """(DIRECTIONS,) how much of the way goes where, each shared out between its two nearest directions; sums to 1."""
    size = np.abs(moves)
    if not size.sum():
        return np.zeros(DIRECTIONS)
    place = (np.angle(moves) / (2 * np.pi) * DIRECTIONS) % DIRECTIONS
    low, rest = np.floor(place).astype(np.int64), place % 1
    total = np.bincount(low % DIRECTIONS, size * (1 - rest), DIRECTIONS)
    total = total + np.bincount((low + 1) % DIRECTIONS, size * rest, DIRECTIONS)
    return total / size.sum()
