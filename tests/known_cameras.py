"""Synthetic clips whose camera is known, and what their true tracks tell of it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from point_tracking.tracker.motion.description import MotionDescription, describe
from point_tracking.tracker.motion.trajectories import trajectories_of
from point_tracking.tracker.queries import grid_queries
from point_tracking.tracker.synthetic_video.camera_moves import CameraMove, known_grid, moved_clips
from point_tracking.tracker.synthetic_video.clip_builder import ClipBuilder
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, SyntheticConfig
from point_tracking.tracker.types import Tracks

FPS, SIZE = 25.0, (192, 144)


def camera_clips(moves: list[CameraMove], *, seed: int = 0, num_frames: int = 40, layers: int = 3) -> ClipBuilder:
    """Clips before they are rendered."""
    config = SyntheticConfig(
        height=SIZE[1],
        width=SIZE[0],
        num_frames=num_frames,
        num_points=16,
        max_layers=layers,
        low_texture=0.0,
        non_rigid=0.0,
        texture_count=8,
    )
    return moved_clips(ClipRenderer(config, seed=seed), moves, fps=FPS)


def true_tracks(builder: ClipBuilder, clip: int, grid_size: int = 12, frame_index: int = 0) -> Tracks:
    """Where the points of a grid in one frame really go."""
    width, height = builder.size_px
    queries = grid_queries(grid_size, height=height, width=width, frame_index=frame_index)
    xy, visible = known_grid(builder, clip, queries.xy, queries.t)
    return Tracks(xy, visible, visible.astype(np.float32))


def described(tracks: Tracks, size_px: tuple[int, int] = SIZE, fps: float = FPS) -> MotionDescription:
    return describe([trajectories_of(tracks, size_px, fps)])


def drifting_ground(by_px: tuple[float, float]) -> Callable[[int, tuple[int, int]], np.ndarray]:
    """Draws what `drifting_tracks` go along with, for `media.video`."""
    noise = np.random.default_rng(1).normal(size=(2 * SIZE[1], 2 * SIZE[0])).astype(np.float32)
    ground = cv2.GaussianBlur(noise, (0, 0), 2)
    ground = np.clip(120 + 40 * ground / ground.std(), 0, 255)

    def draw(index: int, size_px: tuple[int, int]) -> np.ndarray:
        start = np.array(size_px) / 2
        shift = np.array([[1, 0, by_px[0] * index - start[0]], [0, 1, by_px[1] * index - start[1]]])
        return np.repeat(cv2.warpAffine(ground, shift, size_px).astype(np.uint8)[..., None], 3, axis=2)

    return draw


def drifting_tracks(
    by_px: tuple[float, float], *, frames: int = 40, object_by: tuple[float, float] | None = None
) -> Tracks:
    """A grid that goes along with the picture, and in its middle a thing of its own."""
    grid = grid_queries(12, height=SIZE[1], width=SIZE[0]).xy
    t = np.arange(frames, dtype=float)[:, None, None]
    xy = grid[None] + t * np.array(by_px)
    if object_by is not None:
        near = np.abs(grid - [96, 72]).max(axis=1) < 26
        xy[:, near] += t * np.array(object_by)
    visible = ((xy >= 0) & (xy <= [SIZE[0] - 1, SIZE[1] - 1])).all(axis=2)
    return Tracks(xy.astype(np.float32), visible, visible.astype(np.float32))
