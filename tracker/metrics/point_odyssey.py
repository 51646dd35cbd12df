"""PointOdyssey's figures for long videos: survival and median trajectory error.

Source: PointOdyssey, arXiv:2307.15055, sec. 5. Errors are in pixels of the
256 x 256 frame. Every point counts the same, however long it is known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..types import Tracks
from .counting import mean_known
from .dynamic_replica import FAILURE_PX, alive
from .truth import QueryMode, TrackTruth, counted_frames, distances_px, evaluation_scale


@dataclass(frozen=True)
class PointOdysseyScores:
    """The figures of one clip, or their means over clips.

    Args:
        survival: the share of a trajectory's counted frames before its first error above 50 px,
            mean over trajectories; from 0 to 1
        median_error_px: the median error of a trajectory, mean over trajectories
    """

    survival: float
    median_error_px: float


def point_odyssey_scores(
    predicted: Tracks, truth: TrackTruth, *, mode: QueryMode = "first", failure_px: float = FAILURE_PX
) -> PointOdysseyScores:
    """Scores one clip by PointOdyssey's protocol.

    Hidden frames count where the truth has a position there. An unknown position
    ends a point's survival; for the median error it is where the point was last
    known, at first in its query frame.

    Args:
        predicted: T frames and N points, in pixels of the displayed frame
        truth: of the same frames and points
        mode: which frames count, see `counted_frames`
        failure_px: an error above this ends a point's survival

    Returns:
        the clip's scores

    Raises:
        ShapeError: if prediction and truth have different shapes
        OptionError: for an unknown mode
    """
    distance = distances_px(predicted, truth)
    counted = counted_frames(truth.query_t, len(truth.xy), mode) & truth.known & np.isfinite(truth.xy).all(axis=2)
    living = counted & alive(counted & (distance > failure_px), truth.query_t)
    error = _errors_held_px(predicted, truth)
    survival, medians = [], []
    for n in np.flatnonzero(counted.any(axis=0)):
        survival.append(np.count_nonzero(living[:, n]) / np.count_nonzero(counted[:, n]))
        medians.append(float(np.median(error[counted[:, n], n])))
    return PointOdysseyScores(survival=mean_known(survival), median_error_px=mean_known(medians))


def _errors_held_px(predicted: Tracks, truth: TrackTruth) -> np.ndarray:
    """(T, N) float: distances to the truth, with unknown positions held at the last known ones, seen from the query."""
    xy = predicted.xy.astype(np.float64)
    num_frames, num_points = xy.shape[:2]
    columns = np.arange(num_points)
    query_t = truth.query_t.astype(int)
    unknown_start = ~np.isfinite(xy[query_t, columns]).all(axis=1)
    xy[query_t[unknown_start], columns[unknown_start]] = truth.xy[query_t[unknown_start], columns[unknown_start]]
    known = np.isfinite(xy).all(axis=2)
    rows = np.arange(num_frames)[:, None]
    before = np.maximum.accumulate(np.where(known, rows, 0), axis=0)
    after = np.minimum.accumulate(np.where(known, rows, num_frames - 1)[::-1], axis=0)[::-1]
    held = xy[np.where(rows >= query_t, before, after), columns]
    return np.linalg.norm((held - truth.xy) * evaluation_scale(truth.size_px), axis=2)
