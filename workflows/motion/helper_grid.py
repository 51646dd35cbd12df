"""A grid of points tracked for the motion of a video alone: piece by piece, so that memory stays the same."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...tracker.engine.run import track_clip
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.motion.trajectories import USUAL_FPS, Trajectories, trajectories_of
from ...tracker.queries import grid_queries
from ...tracker.types import Queries, Tracks
from ...tracker.video.frames import VideoFrames

PIECE_S = 1.0
_LEAST_FRAMES = 8


def helper_pieces(
    video: VideoFrames,
    tracker: Tracker,
    grid_size: int,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[Trajectories]:
    """Tracks a grid through each second of a video.

    Points start in the first, the middle and the last frame of a piece and go both ways, so that both sides of a
    cut are seen.

    Args:
        video: the clip
        tracker: that follows the points
        grid_size: points per side
        progress: called with the share done
        cancelled: asked again and again

    Returns:
        the pieces, each from the frame in which the one before ends

    Raises:
        VideoError: if the video does not decode
        Cancelled: if the work was cancelled
    """
    return list(_pieces(video, tracker, grid_size, progress, cancelled))


def _pieces(
    video: VideoFrames,
    tracker: Tracker,
    grid_size: int,
    progress: ProgressCallback | None,
    cancelled: CancelCheck | None,
) -> Iterator[Trajectories]:
    bounds = piece_bounds(video.num_frames, video.fps or USUAL_FPS)
    for k, (first, last) in enumerate(bounds):
        queries = grid_of_piece(video.size_px, grid_size, first, last)
        tracked = track_clip(
            video,
            queries,
            tracker,
            backward=True,
            frame_range=(first, last + 1),
            progress=None if progress is None else _part_of(progress, k, len(bounds)),
            cancelled=cancelled,
        )
        piece = trajectories_of(_plain(tracked.tracks), video.size_px, video.fps)
        yield Trajectories(piece.xy, piece.seen, tracked.source_indices[piece.rows], piece.size_px, piece.fps)


def piece_bounds(num_frames: int, fps: float) -> list[tuple[int, int]]:
    """First and last frame index of each piece; a short rest goes with the last one."""
    length = max(round(PIECE_S * fps), _LEAST_FRAMES)
    starts = list(range(0, max(num_frames - 1, 1), length))
    if len(starts) > 1 and num_frames - 1 - starts[-1] < length // 2:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_frames - 1], strict=True))


def grid_of_piece(size_px: tuple[int, int], grid_size: int, first: int, last: int) -> Queries:
    """Points in the first, the middle and the last frame of a piece.

    Args:
        size_px: (width, height) of the displayed frame
        grid_size: points per side
        first, last: frame indices
    """
    width, height = size_px
    grids = [
        grid_queries(grid_size, height=height, width=width, frame_index=t)
        for t in sorted({first, (first + last) // 2, last})
    ]
    return Queries(
        t=np.concatenate([grid.t for grid in grids]),
        xy=np.concatenate([grid.xy for grid in grids]),  # (N, 2)
        origin="grid",
    )


def _plain(tracks: Tracks) -> Tracks:
    return Tracks(tracks.xy, tracks.visible, tracks.confidence)


def _part_of(progress: ProgressCallback, part: int, parts: int) -> ProgressCallback:
    return lambda share: progress((part + share) / parts)
