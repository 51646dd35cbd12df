"""What can be said of each track in figures: where it begins and ends, how much of it is seen, how fast, how sure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import ShapeError
from ..types import Tracks


@dataclass(frozen=True, eq=False)
class TrackFigures:
    """Figures of N tracks.

    Args:
        first_t: (N,) int, index of the first frame in which it is visible; -1 where there is none
        last_t: (N,) int, of the last one
        visible_share: (N,) 0 to 1, of the frames between these, both included; 0 where never visible
        speed_px: (N,) mean length of way per frame, while it is visible; NaN where it is not in two frames in a row
        confidence: (N,) mean while it is visible; NaN where it never is
    """

    first_t: np.ndarray
    last_t: np.ndarray
    visible_share: np.ndarray
    speed_px: np.ndarray
    confidence: np.ndarray

    @property
    def length(self) -> np.ndarray:
        """(N,) int, frames from the first to the last in which it is visible; 0 where never."""
        return np.where(self.first_t < 0, 0, self.last_t - self.first_t + 1)


def track_figures(tracks: Tracks, frame_indices: np.ndarray) -> TrackFigures:
    """Takes the figures of each track.

    Args:
        tracks: T frames, N points
        frame_indices: (T,) int, strictly increasing, the frame of the video that each of them is. Between frames that
            are left out the way counts as straight, and the shares are those of the given frames

    Returns:
        the figures

    Raises:
        ShapeError: if there are not as many frame indices as frames
    """
    frames = np.asarray(frame_indices, dtype=np.int64)
    if frames.shape != (tracks.num_frames,):
        raise ShapeError(f"{len(frames)} frame indices were given for {tracks.num_frames} frames")
    visible, num_frames = tracks.visible, tracks.num_frames
    ever = visible.any(axis=0)
    if not num_frames:
        nothing = np.full(tracks.num_points, -1)
        unknown = np.full(tracks.num_points, np.nan)
        return TrackFigures(nothing, nothing, np.zeros(tracks.num_points), unknown, unknown)
    first = visible.argmax(axis=0)
    last = num_frames - 1 - visible[::-1].argmax(axis=0)
    seen = visible.sum(axis=0)
    total = np.where(visible, tracks.confidence, 0).sum(axis=0)
    return TrackFigures(
        first_t=np.where(ever, frames[first], -1),
        last_t=np.where(ever, frames[last], -1),
        visible_share=np.where(ever, seen / (last - first + 1), 0.0),
        speed_px=_speeds(tracks, frames),
        confidence=np.where(ever, total / np.maximum(seen, 1), np.nan),
    )


def _speeds(tracks: Tracks, frames: np.ndarray) -> np.ndarray:
    """(N,) way per frame over all pairs of neighbouring rows in which a point is visible."""
    both = tracks.visible[1:] & tracks.visible[:-1]
    steps = np.linalg.norm(np.diff(tracks.xy.astype(np.float64), axis=0), axis=2)
    way = np.where(both, steps, 0).sum(axis=0)
    lasting = np.where(both, np.diff(frames)[:, None], 0).sum(axis=0)
    return np.where(lasting > 0, way / np.maximum(lasting, 1), np.nan)
