"""Pictures of a video that are looked at beside its tracks, read in one pass and held one at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...tracker.errors import Cancelled, VideoError
from ...tracker.models.base import CancelCheck
from ...tracker.motion.alignment import ALIGNED_SIDE_PX, AlignedSpans, align_pictures, span_bounds
from ...tracker.motion.background import picture_motion
from ...tracker.motion.trajectories import Trajectories, thinned
from ...tracker.types import FrameMap
from ...tracker.video.frame_source import FrameSource
from ...tracker.video.frames import SampledFrames


def pictures_at(
    source: FrameSource, frame_indices: np.ndarray, size_px: tuple[int, int], cancelled: CancelCheck | None
) -> Iterator[np.ndarray]:
    """Some frames of a video, in order.

    Args:
        source: the video
        frame_indices: (K,) int, strictly increasing
        size_px: (width, height) to read them in
        cancelled: asked before each

    Yields:
        (H, W, 3) uint8 RGB

    Raises:
        VideoError: if the video ends before the last of them, or does not decode
        Cancelled: if the work was cancelled
    """
    frame_map = FrameMap(frame_indices, int(frame_indices.max(initial=-1)) + 1)
    chunks = SampledFrames(source, frame_map).chunks(chunk_frames=1, size_px=size_px)
    for index in frame_indices:
        if cancelled is not None and cancelled():
            raise Cancelled("The run was cancelled")
        chunk = next(chunks, None)
        if chunk is None:
            raise VideoError(f"The video ends before frame {index}, in which points are seen. Track it again")
        yield chunk[0]


def align_frames(
    source: FrameSource, trajectories: Trajectories, *, first: int = 0, cancelled: CancelCheck | None = None
) -> AlignedSpans:
    """Lays frames of a video half a second apart on each other.

    Args:
        source: the video, or a piece of it
        trajectories: through it
        first: frame index in the video of the first frame of the source
        cancelled: asked between frames

    Raises:
        VideoError: if the video ends before the tracks, or does not decode
        Cancelled: if the work was cancelled
    """
    bounds = span_bounds(trajectories.step_s)
    scale = min(ALIGNED_SIDE_PX / min(source.size_px), 1.0)
    width, height = (max(round(side * scale), 1) for side in source.size_px)
    pictures = pictures_at(source, trajectories.rows[bounds] - first, (width, height), cancelled)
    return align_pictures(pictures, bounds, picture_motion(thinned(trajectories)), trajectories.size_px)
