"""Clips with known tracks, and tracks that are right, wrong, or not to be judged at all."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import media
import numpy as np

import point_tracking as pt

WIDTH, HEIGHT = media.SIZE
NUM_FRAMES, NUM_POINTS = 12, 3
# pixels of the clip per pixel of the 256 x 256 frame, in x
PX = WIDTH / 256


def truth_xy(num_points: int = NUM_POINTS) -> np.ndarray:
    """Points that move one pixel to the right per frame."""
    start = np.stack([20 + 30 * np.arange(num_points), np.full(num_points, 60)], axis=1)
    return start[None] + np.arange(NUM_FRAMES)[:, None, None] * np.array([1.0, 0.0])


def tracks_of(xy: np.ndarray, visible: Any = True) -> pt.Tracks:
    visible = np.broadcast_to(np.asarray(visible, dtype=bool), xy.shape[:2])
    known = np.isfinite(xy).all(axis=2)
    return pt.Tracks(xy, visible & known, known.astype(np.float32))


def replace(sample: fo.Sample, field: str, xy: np.ndarray, visible: Any = True, **options: Any) -> None:
    pt.write_tracks(sample, field, tracks_of(xy, visible), overwrite=True, **options)


def no_truth(sample: fo.Sample) -> None:
    sample.frames.clear()
    sample.save()
    pt.write_tracks(sample, "tracks", tracks_of(truth_xy()), overwrite=True)


def all_hidden(sample: fo.Sample) -> None:
    replace(sample, "truth", truth_xy(), visible=False, keep_hidden=True)


def last_frame_only(sample: fo.Sample) -> None:
    visible = np.zeros((NUM_FRAMES, NUM_POINTS), bool)
    visible[-1] = True
    replace(sample, "truth", truth_xy(), visible)
