"""Runs a tracker over one clip, or over some of its frames."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..errors import ShapeError, VideoError
from ..models.base import CancelCheck, ProgressCallback, Tracker
from ..types import FrameMap, Queries, Tracks
from ..video.frames import FrameSource, SampledFrames, VideoFrames
from ..video.sampling import Sampling, sample_frames
from .pinning import pin_queries

SizeCheck = Callable[[int, int], None]
"""Called with (points, frames) before the work starts; raises where that is too much."""


@dataclass(frozen=True)
class TrackedClip:
    """Tracks of the frames of a video that were used.

    Args:
        tracks: T rows, N points, in pixels of the displayed frame
        source_indices: (T,) frame index in the video of each row
    """

    tracks: Tracks
    source_indices: np.ndarray


@dataclass(frozen=True)
class PreparedClip:
    """A clip that is ready to be tracked: opened, checked, and its frames chosen.

    Args:
        source: the frames to track through
        queries: N points; their frames are those of `source`
        source_indices: (T,) frame index in the video of each frame; None = every frame
    """

    source: FrameSource
    queries: Queries
    source_indices: np.ndarray | None


def prepare_clip(
    video: VideoFrames,
    queries: Queries,
    *,
    sampling: Sampling | None = None,
    frame_range: tuple[int, int] | None = None,
    check_size: SizeCheck | None = None,
) -> PreparedClip:
    """Does everything before the tracker is asked.

    Args:
        video: the clip
        queries: N points; their frames are those of the video, and are used
            whatever the sampling says
        sampling: which frames to use; None = every frame
        frame_range: first frame index and the one to stop before, to leave the
            rest of the video alone; None = the whole video
        check_size: asked before the work starts

    Returns:
        the clip

    Raises:
        QueryError: if a query lies outside the video
        VideoError: if the video does not decode, or not as far as the range starts
        LimitError: from `check_size`
    """
    sampling = sampling or Sampling()
    source: FrameSource = video
    source_indices: np.ndarray | None = None
    if not sampling.keeps_all or frame_range is not None:
        timestamps = video.scan().timestamps_s
        assert timestamps is not None
        frame_map = _used_frames(timestamps, sampling, frame_range)
        queries.check_inside(video.size_px, len(timestamps))
        frame_map = frame_map.including(np.unique(queries.t))
        source = SampledFrames(video, frame_map)
        source_indices = frame_map.source_indices
        queries = replace(queries, t=np.searchsorted(source_indices, queries.t))
    if check_size is not None:
        check_size(len(queries), source.num_frames_hint)
    return PreparedClip(source, queries, source_indices)


def track_prepared(
    clip: PreparedClip,
    tracker: Tracker,
    *,
    backward: bool = False,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> TrackedClip:
    """Tracks a prepared clip.

    Args:
        clip: from `prepare_clip`; its source may have been wrapped since
        tracker: ready to track
        backward: also track towards the start
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks; True ends the run

    Returns:
        the tracks, every query where it was asked for, and the frames they belong to

    Raises:
        QueryError: if a query lies outside the video
        VideoError: if the video does not decode
        ShapeError: if the tracker breaks its contract
        Cancelled: if the run was cancelled
    """
    source, queries = clip.source, clip.queries
    tracks = tracker.track(source, queries, backward, progress=progress, cancelled=cancelled)
    expected = (source.num_frames, len(queries))
    if tracks.xy.shape[:2] != expected:
        raise ShapeError(
            f"The tracker {tracker.name!r} returned {tracks.xy.shape[0]} frames x {tracks.xy.shape[1]} points "
            f"for {expected[0]} frames x {expected[1]} points"
        )
    tracks = pin_queries(tracks, queries, source.size_px, tracker.capabilities)
    indices = np.arange(source.num_frames) if clip.source_indices is None else clip.source_indices
    return TrackedClip(tracks, indices)


def track_clip(
    video: VideoFrames,
    queries: Queries,
    tracker: Tracker,
    *,
    backward: bool = False,
    sampling: Sampling | None = None,
    frame_range: tuple[int, int] | None = None,
    check_size: SizeCheck | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> TrackedClip:
    """Tracks points through a video, or through a sample of its frames.

    Args:
        video, queries, sampling, frame_range, check_size: as for `prepare_clip`
        tracker, backward, progress, cancelled: as for `track_prepared`

    Returns:
        the tracks and the frames they belong to

    Raises:
        the errors of `prepare_clip` and `track_prepared`
    """
    clip = prepare_clip(video, queries, sampling=sampling, frame_range=frame_range, check_size=check_size)
    return track_prepared(clip, tracker, backward=backward, progress=progress, cancelled=cancelled)


def _used_frames(timestamps_s: np.ndarray, sampling: Sampling, frame_range: tuple[int, int] | None) -> FrameMap:
    if frame_range is None:
        return sample_frames(timestamps_s, sampling)
    start, stop = frame_range
    num_frames = len(timestamps_s)
    if start >= num_frames:
        raise VideoError(f"The clip starts at frame {start}, but only frames 0 to {num_frames - 1} of its video decode")
    within = sample_frames(timestamps_s[start:stop], sampling)
    return FrameMap(start + within.source_indices, num_frames)
