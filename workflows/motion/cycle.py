"""Cycle consistency: whether a tracker that follows tracks back from their end comes to where they began.

A track and the way back can be wrong alike, and then agree: it finds tracks that are wrong, and proves none right. Used
for point tracks without truth since Kalal et al., "Forward-backward error", ICPR 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...tracker.engine.cycle import track_back
from ...tracker.metrics.cycle import cycle_ends
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.types import Tracks
from ...tracker.video.frame_source import FrameSource

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
    video: FrameSource,
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
        ShapeError: if the video has another number of frames than the tracks
        VideoError: if the video does not decode
        Cancelled: if the work was cancelled
    """
    long = cycle_ends(tracks, video.size_px).columns
    chosen = long[np.linspace(0, len(long) - 1, min(len(long), MOST_TRACKS)).astype(np.int64)]
    if not len(chosen):
        return NOT_FOLLOWED
    some = Tracks(tracks.xy[:, chosen], tracks.visible[:, chosen], tracks.confidence[:, chosen])
    ends, back = track_back(video, some, tracker, progress=progress, cancelled=cancelled)
    arrived = back.xy[ends.start_t, np.arange(len(chosen))]
    return consistency_of(ends.start_xy, arrived, float(np.hypot(*video.size_px)))


def consistency_of(began: np.ndarray, arrived: np.ndarray, diagonal_px: float) -> CycleConsistency:
    """What distances say.

    Args:
        began, arrived: (N, 2) pixels, one or more points; NaN where the way back was lost
        diagonal_px: of the frame
    """
    off = np.linalg.norm(arrived - began, axis=1) / diagonal_px
    off = np.where(np.isfinite(off), off, 1.0)
    return CycleConsistency(float(np.median(off)), float(np.mean(off <= _BACK)))
