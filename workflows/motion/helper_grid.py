"""Points tracked for the motion of a video alone: piece by piece, so that memory stays the same.

They are the best corners of the cells of a grid, and are followed in pictures of half the size. On plain ground, and by
the noise and the blocks of a codec, which stay where they are while the picture moves, tracks tell less motion than
there is: small pictures hold less of both. For the camera, pictures half a second apart are laid on each other besides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from ...tracker.coordinates import edge_aligned
from ...tracker.engine.run import PreparedClip, prepare_clip, track_prepared
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.motion.alignment import AlignedSpans
from ...tracker.motion.trajectories import USUAL_FPS, Trajectories, trajectories_of
from ...tracker.queries import point_queries
from ...tracker.queries.corners import corner_queries
from ...tracker.types import Queries, Tracks
from ...tracker.video.frame_source import FrameSource
from ...tracker.video.frames import VideoFrames
from .pictures import align_frames

PIECE_S = 1.0
_LEAST_FRAMES = 8
# short side of the pictures that are tracked: half the video's, within these
_LEAST_SIDE_PX, _MOST_SIDE_PX = 64, 240


@dataclass(frozen=True, eq=False)
class HelperPiece:
    """What is known of a piece of a video.

    Args:
        trajectories: of its points
        spans: how its pictures lie on each other
    """

    trajectories: Trajectories
    spans: AlignedSpans


def helper_pieces(
    video: VideoFrames,
    tracker: Tracker,
    grid_size: int,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[HelperPiece]:
    """Tracks points through each second of a video.

    Args:
        video: the clip
        tracker: that follows the points
        grid_size: cells per side of the grid, each with a point
        progress: called with the share done
        cancelled: asked again and again

    Returns:
        the pieces, each from the frame in which the one before ends

    Raises:
        VideoError: if the video does not decode
        Cancelled: if the work was cancelled
    """
    pieces = []
    bounds = piece_bounds(video.num_frames, video.fps or USUAL_FPS)
    for k, (first, last) in enumerate(bounds):
        clip = prepare_clip(video, point_queries([]), frame_range=(first, last + 1))
        part = None if progress is None else _part_of(progress, k, len(bounds))
        tracks = track_piece(clip.source, tracker, grid_size, progress=part, cancelled=cancelled)
        trajectories = piece_of(tracks, first, video.size_px, video.fps)
        pieces.append(
            HelperPiece(trajectories, align_frames(clip.source, trajectories, first=first, cancelled=cancelled))
        )
    return pieces


def piece_of(tracks: Tracks, first: int, size_px: tuple[int, int], fps: float | None) -> Trajectories:
    """The tracks of a piece, to be looked at.

    Args:
        tracks: of every frame of the piece
        first: frame index in the video of its first frame
        size_px, fps: of the video
    """
    piece = trajectories_of(tracks, size_px, fps)
    return Trajectories(piece.xy, piece.seen, piece.rows + first, piece.size_px, piece.fps)


def piece_bounds(num_frames: int, fps: float) -> list[tuple[int, int]]:
    """First and last frame index of each piece; a short rest goes with the last one."""
    length = max(round(PIECE_S * fps), _LEAST_FRAMES)
    starts = list(range(0, max(num_frames - 1, 1), length))
    if len(starts) > 1 and num_frames - 1 - starts[-1] < length // 2:
        starts.pop()
    return list(zip(starts, [*starts[1:], num_frames - 1], strict=True))


def track_piece(
    source: FrameSource,
    tracker: Tracker,
    grid_size: int,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> Tracks:
    """Tracks points of the first, the middle and the last frame, both ways: so both sides of a cut are seen.

    Args:
        source: the frames of a piece
        tracker, grid_size, progress, cancelled: as for `helper_pieces`

    Returns:
        Tracks in pixels of the source
    """
    small = _Shrunk(source)
    frames = sorted({0, (source.num_frames - 1) // 2, source.num_frames - 1})
    pictures = small.read(frames)
    corners = [
        corner_queries(picture, grid_size, size_px=small.size_px, frame_index=index)
        for index, picture in zip(frames, pictures, strict=True)
    ]
    queries = Queries(
        t=np.concatenate([some.t for some in corners]),
        xy=np.concatenate([some.xy for some in corners]),  # (N, 2)
        origin="grid",
    )
    clip = PreparedClip(small, queries, None)
    tracks = track_prepared(clip, tracker, backward=True, progress=progress, cancelled=cancelled).tracks
    return Tracks(edge_aligned(tracks.xy, small.size_px, source.size_px), tracks.visible, tracks.confidence)


class _Shrunk(FrameSource):
    """Frames of another source in about half their size."""

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        short_px = min(source.size_px)
        scale = min(float(np.clip(short_px / 2, _LEAST_SIDE_PX, _MOST_SIDE_PX)) / short_px, 1.0)
        self.size_px = (round(source.size_px[0] * scale), round(source.size_px[1] * scale))
        self.fps, self.warnings = source.fps, source.warnings

    @property
    def num_frames(self) -> int:
        return self._source.num_frames

    @property
    def num_frames_hint(self) -> int:
        return self._source.num_frames_hint

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        return self._source._iterate(indices, start, size_px)


def _part_of(progress: ProgressCallback, part: int, parts: int) -> ProgressCallback:
    return lambda share: progress((part + share) / parts)
