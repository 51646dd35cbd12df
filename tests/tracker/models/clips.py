"""Synthetic clips whose motion is known, for tests of trackers."""

from __future__ import annotations

import cv2
import numpy as np


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smoothed noise with detail at several scales.

    Args:
        height, width: pixels
        seed: of the noise

    Returns:
        uint8 (height, width, 3)
    """
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width, 3))
    for sigma in (1.5, 3.0, 8.0):
        noise = cv2.GaussianBlur(rng.normal(size=(height, width, 3)), (0, 0), sigma)
        image += noise / noise.std()
    return np.clip(128 + 35 * image, 0, 255).astype(np.uint8)


def still_clip(num_frames: int = 6, size_px: tuple[int, int] = (160, 120)) -> np.ndarray:
    """The same frame again and again: uint8 (T, H, W, 3)."""
    return np.repeat(texture(size_px[1], size_px[0])[None], num_frames, axis=0)


def shifted_clip(
    step_px: tuple[int, int], num_frames: int = 8, size_px: tuple[int, int] = (160, 120), seed: int = 0
) -> np.ndarray:
    """A window moving over a large picture, so that its content moves by `step_px` per frame.

    Args:
        step_px: (x, y) whole pixels that the content moves from frame to frame
        num_frames: T
        size_px: (width, height)
        seed: of the texture

    Returns:
        uint8 (T, H, W, 3)
    """
    width, height = size_px
    reach_x, reach_y = abs(step_px[0]) * num_frames, abs(step_px[1]) * num_frames
    picture = texture(height + 2 * reach_y, width + 2 * reach_x, seed)
    frames = []
    for t in range(num_frames):
        x, y = reach_x - t * step_px[0], reach_y - t * step_px[1]
        frames.append(picture[y : y + height, x : x + width])
    return np.stack(frames)


def occluded_clip(num_frames: int = 16, size_px: tuple[int, int] = (160, 120)) -> tuple[np.ndarray, np.ndarray]:
    """A textured bar crosses a still background from left to right.

    Args:
        num_frames: T
        size_px: (width, height)

    Returns:
        uint8 (T, H, W, 3); (T, H, W) bool, where the bar covers the background
    """
    width, height = size_px
    frames, bar = still_clip(num_frames, size_px).copy(), texture(height, 40, seed=7)
    covered = np.zeros((num_frames, height, width), dtype=bool)
    for t in range(num_frames):
        left = -40 + round(t * (width + 40) / (num_frames - 1))
        columns = np.arange(max(left, 0), min(left + 40, width))
        frames[t][:, columns] = bar[:, columns - left]
        covered[t][:, columns] = True
    return frames, covered
