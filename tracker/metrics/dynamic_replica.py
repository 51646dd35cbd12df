"""Dynamic Replica's figures: accuracy where points are visible and where they are hidden, and survival.

Source: Dynamic Replica, arXiv:2305.02296, as used for point tracking in
CoTracker, arXiv:2307.07635, sec. 4. Errors are in pixels of the 256 x 256 frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Tracks
from .counting import share
from .truth import THRESHOLDS_PX, QueryMode, TrackTruth, counted_frames, distances_px

FAILURE_PX = 50.0


@dataclass(frozen=True)
class DynamicReplicaScores:
    """The figures of one clip, or their means over clips; all shares from 0 to 1.

    Args:
        delta_visible: per threshold, the share of truly visible positions predicted within it
        delta_occluded: per threshold, the share of truly hidden positions predicted within it
        survival: the share of counted positions before the point's first visible error above 50 px
    """

    delta_visible: tuple[float, ...]
    delta_occluded: tuple[float, ...]
    survival: float

    @property
    def delta_visible_avg(self) -> float:
        return float(np.mean(self.delta_visible))

    @property
    def delta_occluded_avg(self) -> float:
        return float(np.mean(self.delta_occluded))


def dynamic_replica_scores(
    predicted: Tracks,
    truth: TrackTruth,
    *,
    mode: QueryMode = "first",
    thresholds_px: Sequence[float] = THRESHOLDS_PX,
    failure_px: float = FAILURE_PX,
) -> DynamicReplicaScores:
    """Scores one clip by Dynamic Replica's protocol.

    An unknown position counts as too far, and in a frame in which the point is
    truly visible as the end of its survival. In a strided protocol a point is
    followed from its query in both directions, and is lost in each on its own.

    Args:
        predicted: T frames and N points, in pixels of the displayed frame
        truth: of the same frames and points; hidden points need true positions too
        mode: which frames count, see `counted_frames`
        thresholds_px: distances in pixels of the 256 x 256 frame
        failure_px: an error above this ends a point's survival

    Returns:
        the clip's scores

    Raises:
        ShapeError: if prediction and truth have different shapes
        OptionError: for an unknown mode
    """
    distance = distances_px(predicted, truth)
    counted = counted_frames(truth.query_t, len(truth.xy), mode) & truth.known
    placed = np.isfinite(truth.xy).all(axis=2)
    seen, hidden = counted & truth.visible, counted & ~truth.visible & placed
    failed = seen & (distance > failure_px)
    return DynamicReplicaScores(
        delta_visible=tuple(share(seen & (distance < threshold), seen) for threshold in thresholds_px),
        delta_occluded=tuple(share(hidden & (distance < threshold), hidden) for threshold in thresholds_px),
        survival=share(counted & alive(failed, truth.query_t), counted),
    )


def alive(failed: np.ndarray, query_t: np.ndarray) -> np.ndarray:
    """Which frames lie between a point's query and its first failure, in either direction.

    Args:
        failed: (T, N) bool
        query_t: (N,) int, frame index of each query; a point fails at or after it
            for the frames behind it, at or before it for those in front of it

    Returns:
        (T, N) bool; the failing frame is not alive, and none beyond it
    """
    behind = np.arange(len(failed))[:, None] >= query_t
    lost_behind = np.logical_or.accumulate(failed & behind, axis=0)
    lost_in_front = np.logical_or.accumulate((failed & ~behind)[::-1], axis=0)[::-1]
    return ~np.where(behind, lost_behind, lost_in_front)
