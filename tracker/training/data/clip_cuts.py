"""Training clips cut from real videos, and the points in them that are worth following."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import DependencyError
from ...queries.grid import grid_queries
from ...types import Queries
from ...video.frame_source import FrameSource

MIN_VIDEO_FRAMES = 4
QUERY_SHARE = 0.25  # queries lie in this first part of a clip
_QUERY_FRAMES = 8  # at most, per clip
_DETECTED_PER_WANTED = 2  # several features may share a place
_SUPPORT_SIDE = 5
_SUPPORT_POINTS = 100


@dataclass(frozen=True)
class CutRules:
    """How clips are cut from videos.

    Args:
        frame_step: (lowest, highest) step between the frames of a clip
        zoom: how much nearer than the whole frame a clip may look, at most
    """

    frame_step: tuple[int, int] = (1, 3)
    zoom: float = 1.5


def clip_indices(num_frames: int, length: int, step: int, start: int) -> np.ndarray:
    """The frames of a clip; a video that is too short is played back and forth.

    Args:
        num_frames: frames that decode
        length: frames of the clip
        step: between them
        start: the clip's first frame

    Returns:
        (length,) frame indices
    """
    positions = start + step * np.arange(length)
    period = max(2 * (num_frames - 1), 1)
    phase = positions % period
    return np.minimum(phase, period - phase)


def cut_clip(
    video: FrameSource, length: int, size: tuple[int, int], rules: CutRules, rng: np.random.Generator
) -> np.ndarray:
    """Cuts a random clip: where it starts, its step, how near it looks and what it shows.

    Args:
        video: with at least `MIN_VIDEO_FRAMES` frames
        length: frames of the clip
        size: (height, width) of the clip
        rules: the ranges to draw from
        rng: draws

    Returns:
        uint8 (length, height, width, 3)
    """
    lowest, highest = rules.frame_step
    fitting = max((video.num_frames - 1) // max(length - 1, 1), lowest)  # a lower step goes before playing backward
    step = int(rng.integers(lowest, min(highest, fitting) + 1))
    start = int(rng.integers(max(video.num_frames - (length - 1) * step, 1)))
    height, width = size
    scale = max(width / video.size_px[0], height / video.size_px[1]) * rng.uniform(1.0, rules.zoom)
    scaled = (max(round(video.size_px[0] * scale), width), max(round(video.size_px[1] * scale), height))
    x, y = (int(rng.integers(whole - part + 1)) for whole, part in zip(scaled, (width, height), strict=True))
    frames = video.read(clip_indices(video.num_frames, length, step, start), size_px=scaled)
    return np.ascontiguousarray(frames[:, y : y + height, x : x + width])


def num_query_frames(num_frames: int) -> int:
    """Frames at the start of a clip that queries may lie in."""
    return max(int(num_frames * QUERY_SHARE), 1)


def feature_queries(frames: np.ndarray, count: int, rng: np.random.Generator) -> Queries | None:
    """SIFT features of some frames in the first quarter of a clip.

    Args:
        frames: uint8 (T, H, W, 3)
        count: points wanted
        rng: draws the frames, uniformly

    Returns:
        that many points, in the order of their frames; None where the clip has too few features

    Raises:
        DependencyError: if OpenCV is not installed
    """
    first = num_query_frames(len(frames))
    chosen = np.sort(rng.choice(first, size=min(_QUERY_FRAMES, first, count), replace=False))
    share = -(-count // len(chosen))
    found = [find_features(frames[t], share) for t in chosen]
    t = np.repeat(chosen, [len(xy) for xy in found])
    if len(t) < count:
        return None
    kept = np.sort(rng.choice(len(t), size=count, replace=False))
    return Queries(t[kept], np.concatenate(found)[kept], origin="grid")  # a grid gets no other support


def find_features(frame: np.ndarray, count: int) -> np.ndarray:
    """The strongest SIFT features of a frame, each place once.

    Args:
        frame: uint8 (H, W, 3) RGB
        count: points at most

    Returns:
        (K, 2) float64 pixels, strongest first

    Raises:
        DependencyError: if OpenCV is not installed
    """
    cv2 = _opencv()
    detector = cv2.SIFT_create(nfeatures=_DETECTED_PER_WANTED * count)
    grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
    features = sorted(detector.detect(grey, None), key=lambda feature: -feature.response)
    places = dict.fromkeys((round(feature.pt[0], 1), round(feature.pt[1], 1)) for feature in features)
    xy = np.array(list(places)[:count], dtype=np.float64).reshape(-1, 2)
    return np.clip(xy, 0, np.array(frame.shape[1::-1]) - 1.0)


def with_support_points(
    queries: Queries, num_frames: int, size_px: tuple[int, int], *, joint: bool, whole_clip: bool, rng: Any
) -> Queries:
    """Queries with points behind them that help a teacher and are dropped again.

    Source: CoTracker3, arXiv:2410.11831, appendix A.

    Args:
        queries: N points
        num_frames: frames of the clip, in any of which added points may lie
        size_px: (width, height) of the clip
        joint: whether points influence each other in this teacher; if not, none are added
        whole_clip: whether it sees the whole clip at once: 100 random points in space
            and time instead of a grid of 5 x 5 in frame 0
        rng: draws

    Returns:
        the N points, then the others
    """
    if not joint:
        return queries
    width, height = size_px
    if whole_clip:
        t = rng.integers(num_frames, size=_SUPPORT_POINTS)
        xy = rng.uniform(0, 1, size=(_SUPPORT_POINTS, 2)) * (np.array(size_px) - 1)
    else:
        grid = grid_queries(_SUPPORT_SIDE, height=height, width=width)
        t, xy = grid.t, grid.xy
    return Queries(np.concatenate([queries.t, t]), np.concatenate([queries.xy, xy]), origin=queries.origin)


FrameShape = Callable[[tuple[int, int]], tuple[int, int]]
"""(height, width) of training clips for videos of a (width, height)."""


def _opencv() -> Any:
    try:
        import cv2
    except ImportError as error:
        raise DependencyError(
            "Adapting a tracker needs OpenCV to choose points. Install it with `pip install opencv-python-headless`"
        ) from error
    return cv2
