"""The baseline that everyone has: OpenCV's pyramidal Lucas-Kanade from frame to frame.

A point is lost, for good, where following it back misses its place by a pixel
(of a 256 x 256 frame) or more; a lost point stays where it was last seen.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from point_tracking import Queries, Tracks
from point_tracking.tracker.coordinates import edge_aligned, inside_frame
from point_tracking.tracker.models.base import RunHooks, Tracker
from point_tracking.tracker.models.optical_flow import working_size
from point_tracking.tracker.models.shared.query_matching import reference_distance
from point_tracking.tracker.video.frame_source import FrameSource

NAME = "lucas-kanade"
RESOLUTION_PX = 480
WINDOW_PX = 21
LEVELS = 3
CONSISTENCY_PX = 1.0


class LucasKanadeTracker(Tracker):
    """Lucas-Kanade, forward only; see the module's docstring."""

    name = NAME

    @property
    def options(self) -> dict[str, Any]:
        return {"resolution": RESOLUTION_PX, "window": WINDOW_PX, "levels": LEVELS, "consistency_px": CONSISTENCY_PX}

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        size_px = working_size(source.size_px, RESOLUTION_PX)
        start = edge_aligned(queries.xy, source.size_px, size_px).astype(np.float32)
        xy = np.full_like(start, np.nan)
        kept = np.zeros(len(start), dtype=bool)
        previous = None
        rows = []
        for chunk in source.chunks(size_px=size_px):
            for frame in chunk:
                grey = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
                if previous is not None and kept.any():
                    _follow(previous, grey, xy, kept, size_px)
                new = queries.t == len(rows)
                xy[new], kept[new] = start[new], True
                rows.append((edge_aligned(xy, size_px, source.size_px), kept.copy()))
                previous = grey
            hooks.report(len(rows) / max(source.num_frames_hint, len(rows)))
        positions = np.stack([row for row, _ in rows])
        visible = np.stack([row for _, row in rows]) & inside_frame(positions, source.size_px)
        return Tracks(positions, visible, visible.astype(np.float32))


def _follow(previous: np.ndarray, grey: np.ndarray, xy: np.ndarray, kept: np.ndarray, size_px: tuple[int, int]) -> None:
    """Moves the kept points on, in place, and gives up those that do not come back."""
    options: dict[str, Any] = {"winSize": (WINDOW_PX, WINDOW_PX), "maxLevel": LEVELS}
    no_guess: Any = None
    points = np.flatnonzero(kept)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(previous, grey, xy[points], no_guess, **options)
    returned, refound, _ = cv2.calcOpticalFlowPyrLK(grey, previous, moved, no_guess, **options)
    sure = (found[:, 0] > 0) & (refound[:, 0] > 0)
    sure &= reference_distance(returned, xy[points], size_px) < CONSISTENCY_PX
    xy[points[sure]] = moved[sure]
    kept[points[~sure]] = False
