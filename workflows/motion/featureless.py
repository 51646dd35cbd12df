"""Which tracks lie on featureless ground at some time: their least texture along the way."""

from __future__ import annotations

import numpy as np

from ...tracker.models.base import CancelCheck
from ...tracker.queries.ground import Ground
from ...tracker.queries.texture import FEATURELESS, texture_scores, usual_size
from ...tracker.types import Tracks
from ...tracker.video.frame_source import FrameSource
from .pictures import pictures_at

# of longer videos, as many frames from the first to the last
_MOST_FRAMES = 24


def least_texture(video: FrameSource, tracks: Tracks, cancelled: CancelCheck | None = None) -> np.ndarray:
    """The least texture that each point has where it is seen.

    Args:
        video: T frames; read once, up to the last one that is looked at
        tracks: T frames, N points
        cancelled: asked between frames

    Returns:
        (N,) float; NaN for points that are not seen in a frame that was looked at

    Raises:
        VideoError: if the video has fewer frames than the tracks
        Cancelled: if the work was cancelled
    """
    seen = np.flatnonzero(tracks.visible.any(axis=1))
    least = np.full(tracks.num_points, np.nan, dtype=np.float32)
    if not len(seen):
        return least
    even = np.unique(seen[np.linspace(0, len(seen) - 1, min(len(seen), _MOST_FRAMES)).astype(np.int64)])
    size_px = usual_size(video.size_px)
    for index, picture in zip(even, pictures_at(video, even, size_px, cancelled), strict=True):
        columns = np.flatnonzero(tracks.visible[index])
        scores = texture_scores(picture, tracks.xy[index, columns], video.size_px)
        least[columns] = np.fmin(least[columns], scores)
    return least


def is_featureless(least: np.ndarray) -> np.ndarray:
    """(N,) bool; points of which nothing is known are not."""
    return np.nan_to_num(least, nan=np.inf) < FEATURELESS


def featureless_warning(ground: Ground) -> str:
    """What a user is told: "23 of 400 points lie on featureless ground"."""
    return f"{ground}, such as sky, water or a plain wall, where tracks are wrong far more often"
