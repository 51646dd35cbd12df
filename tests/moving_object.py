"""A clip of a textured thing that moves over a textured ground, and where it is in every frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import fiftyone as fo
import media
import numpy as np

SIZE = (160, 120)
NUM_FRAMES = 24
STEP_PX = (2, 1)
THING_PX = (24, 30, 74, 70)  # left, top, right, bottom in frame 0


def _texture(seed: int, width: int, height: int) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 5 + 1, width // 5 + 1, 3), dtype=np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)


def draw(t: int, size: tuple[int, int]) -> np.ndarray:
    """The frame of index t."""
    frame = _texture(1, *size).copy()
    left, top, right, bottom = (round(side) for side in thing_xyxy(t))
    frame[top:bottom, left:right] = 255 - _texture(2, right - left, bottom - top)
    return frame


def clip(path: Path, num_frames: int = NUM_FRAMES) -> Path:
    """Encodes the clip."""
    return media.video(path, num_frames, size=SIZE, draw=draw)


def moved(xy: list[list[float]], t: int) -> np.ndarray:
    """Where points of frame 0, in pixels, are in frame t: (n, 2)."""
    return np.array(xy, dtype=float) + np.array(STEP_PX) * t


def thing_xyxy(t: int) -> np.ndarray:
    """The box of the thing in frame t, in pixels: (4,)."""
    return np.array(THING_PX, dtype=float) + np.tile(STEP_PX, 2) * t


def bounding_box(t: int) -> list[float]:
    """The same as FiftyOne writes it."""
    left, top, right, bottom = (thing_xyxy(t) / np.tile(SIZE, 2)).tolist()
    return [left, top, right - left, bottom - top]


def box(t: int, **values: object) -> fo.Detection:
    """The thing's label in frame t."""
    return fo.Detection(**{"label": "thing", "bounding_box": bounding_box(t), "index": 1, "keyframe": True, **values})


def iou(one: list[float], other: list[float]) -> float:
    """Of two bounding boxes."""
    (x, y, w, h), (u, v, a, b) = one, other
    shared = max(min(x + w, u + a) - max(x, u), 0) * max(min(y + h, v + b) - max(y, v), 0)
    return shared / (w * h + a * b - shared)
