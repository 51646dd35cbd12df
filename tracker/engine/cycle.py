"""Tracks a clip's points back to where they came from."""

from __future__ import annotations

import numpy as np

from ..errors import ShapeError
from ..metrics.cycle import CycleEnds, CycleScores, cycle_ends, cycle_scores
from ..models.base import CancelCheck, ProgressCallback, Tracker
from ..types import Queries, Tracks
from ..video.frame_source import FrameSource
from ..video.reversal import ReversedFrames


def track_cycle(
    video: FrameSource,
    tracks: Tracks,
    tracker: Tracker,
    *,
    query_t: np.ndarray | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> CycleScores:
    """Sends every point back from where it was seen last, and measures how near its start it ends.

    Args:
        video: the clip that the tracks belong to
        tracks: one row per frame of the clip
        tracker: that goes back; the one that made the tracks, for their consistency
        query_t: (N,) int, frames that points start in; None = where each is seen first
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks; True ends the run

    Returns:
        the scores

    Raises:
        ShapeError: if the clip has another number of frames than the tracks
        VideoError: if the video does not decode
        Cancelled: if the run was cancelled
    """
    ends, returned = track_back(video, tracks, tracker, query_t=query_t, progress=progress, cancelled=cancelled)
    return cycle_scores(ends, returned, video.size_px)


def track_back(
    video: FrameSource,
    tracks: Tracks,
    tracker: Tracker,
    *,
    query_t: np.ndarray | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[CycleEnds, Tracks]:
    """Sends every point back from where it was seen last.

    Args:
        video, tracks, tracker, query_t, progress, cancelled: as of `track_cycle`

    Returns:
        where points start and end, and the way back of those that could be sent: all T frames, K points

    Raises:
        the errors of `track_cycle`
    """
    ends = cycle_ends(tracks, video.size_px, query_t)
    if not len(ends.columns):
        shape = (tracks.num_frames, 0)
        return ends, Tracks(np.empty((*shape, 2)), np.empty(shape, dtype=bool), np.empty(shape))
    backward_clip = ReversedFrames(video)
    last = tracks.num_frames - 1
    if backward_clip.num_frames != tracks.num_frames:
        raise ShapeError(
            f"The video has {backward_clip.num_frames} frames, the tracks {tracks.num_frames}. "
            "Were they made from another version of the video?"
        )
    queries = Queries(last - ends.ends.t, ends.ends.xy)
    back = tracker.track(backward_clip, queries, progress=progress, cancelled=cancelled)
    return ends, Tracks(back.xy[::-1], back.visible[::-1], back.confidence[::-1])
