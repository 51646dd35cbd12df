"""Trackers whose answers a test knows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from point_tracking import Queries, Tracks
from point_tracking.tracker.models.base import RunHooks, Tracker
from point_tracking.tracker.video.frames import FrameSource


def random_tracks(
    rng: np.random.Generator, num_frames: int, num_points: int, size_px: tuple[int, int], *, share_visible: float = 0.7
) -> Tracks:
    """Random positions inside and outside of the frame, some of them unknown."""
    xy = rng.uniform(-0.1, 1.1, (num_frames, num_points, 2)) * np.array(size_px)
    visible = rng.random((num_frames, num_points)) < share_visible
    unknown = ~visible & (rng.random((num_frames, num_points)) < 0.3)
    xy[unknown] = np.nan
    confidence = np.where(unknown, 0, rng.random((num_frames, num_points)))
    return Tracks(xy=xy, visible=visible, confidence=confidence)


class DriftTracker(Tracker):
    """Moves every point one pixel to the right per frame, from its query frame on.

    Args:
        on_frame: called with each frame's index; may raise
        visible: whether points are ever visible
    """

    name = "drift"

    def __init__(self, on_frame: Callable[[int], None] | None = None, visible: bool = True) -> None:
        self._on_frame = on_frame
        self._visible = visible
        self.clips = 0

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        self.clips += 1
        count = 0
        for chunk in source.chunks(chunk_frames=4):
            for _ in range(len(chunk)):
                if self._on_frame is not None:
                    self._on_frame(count)
                count += 1
            hooks.report(count / max(source.num_frames_hint, count))
        steps = np.arange(count)[:, None] - queries.t[None]  # (T, N)
        xy = queries.xy[None] + np.stack([steps, np.zeros_like(steps)], axis=-1)
        known = np.ones_like(steps, dtype=bool) if backward else steps >= 0
        xy[~known] = np.nan
        return Tracks(
            xy=xy, visible=known & self._visible, confidence=np.where(known, 0.5, 0), info={"chunk_frames": 4}
        )
