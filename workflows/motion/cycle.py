"""Cycle consistency: whether a tracker that follows tracks back from their end comes to where they began.

A track and the way back can be wrong alike, and then agree: it finds tracks that are wrong, and proves none right. Used
for point tracks without truth since Kalal et al., "Forward-backward error", ICPR 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...tracker.coordinates import inside_frame
from ...tracker.engine.run import track_clip
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.types import Queries, Tracks
from ...tracker.video.frames import VideoFrames

# an even choice of more tracks: the middle of so many is told well enough
MOST_TRACKS = 256
# diagonals from its beginning within which a track has come back
_BACK = 0.012


@dataclass(frozen=True)
class CycleConsistency:
    """How far from their beginnings tracks come back.

    Args:
        error: median distance, share of the frame's diagonal; None where no track is seen in two frames
        returned: share of tracks that come back to within 1.2 % of the diagonal
    """

    error: float | None
    returned: float | None


NOT_FOLLOWED = CycleConsistency(None, None)


def cycle_consistency(
    video: VideoFrames,
    tracks: Tracks,
    tracker: Tracker,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> CycleConsistency:
    """Follows tracks back, each from the last frame in which it is seen to the first.

    Args:
        video: T frames
        tracks: T frames, N points; of more than `MOST_TRACKS` an even choice
        tracker: that goes back
        progress: called with the share done
        cancelled: asked again and again

    Returns:
        how far off they come back; a track that the tracker has no position for counts as farthest off

    Raises:
        VideoError: if the video does not decode
        Cancelled: if the work was cancelled
    """
    begins, ends = spans_of(tracks.visible & inside_frame(tracks.xy, video.size_px))
    long = np.flatnonzero(ends > begins)
    chosen = long[np.linspace(0, len(long) - 1, min(len(long), MOST_TRACKS)).astype(np.int64)]
    if not len(chosen):
        return NOT_FOLLOWED
    begin, end = begins[chosen], ends[chosen]
    queries = Queries(t=end, xy=tracks.xy[end, chosen].astype(np.float64), origin="points")
    back = track_clip(
        video,
        queries,
        tracker,
        backward=True,
        frame_range=(int(begin.min()), int(end.max()) + 1),
        progress=progress,
        cancelled=cancelled,
    )
    rows = np.searchsorted(back.source_indices, begin)
    arrived = back.tracks.xy[rows, np.arange(len(chosen))]
    return consistency_of(tracks.xy[begin, chosen], arrived, float(np.hypot(*video.size_px)))


def spans_of(visible: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last frame in which each point is seen.

    Args:
        visible: (T, N) bool

    Returns:
        (N,) and (N,) int; the last is before the first for points that are never seen
    """
    ever = visible.any(axis=0)
    last = len(visible) - 1 - visible[::-1].argmax(axis=0)
    return visible.argmax(axis=0), np.where(ever, last, -1)


def consistency_of(began: np.ndarray, arrived: np.ndarray, diagonal_px: float) -> CycleConsistency:
    """What distances say.

    Args:
        began, arrived: (N, 2) pixels, one or more points; NaN where the way back was lost
        diagonal_px: of the frame
    """
    off = np.linalg.norm(arrived - began, axis=1) / diagonal_px
    off = np.where(np.isfinite(off), off, 1.0)
    return CycleConsistency(float(np.median(off)), float(np.mean(off <= _BACK)))
