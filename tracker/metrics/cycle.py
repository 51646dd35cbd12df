"""Cycle consistency: how well tracks come back to where they started, where no truth is known.

Points are tracked forward, then backward from where they ended. A point that
does not return was lost on one of the ways; one that returns was probably not.
A tracker that leaves every point where it is returns perfectly, so this figure
compares runs of one tracker, or finds bad clips; it does not rank trackers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..coordinates import inside_frame
from ..errors import ShapeError
from ..types import Queries, Tracks
from .counting import ratio
from .truth import THRESHOLDS_PX, evaluation_scale


@dataclass(frozen=True, eq=False)
class CycleEnds:
    """Where tracks start and where they end.

    Args:
        columns: (K,) int, the points that are seen again after their start
        start_t: (K,) int, frame index of each start
        start_xy: (K, 2) float, pixels
        ends: where each is seen last: what is to be tracked backward
        num_points: N, all points of the tracks
    """

    columns: np.ndarray
    start_t: np.ndarray
    start_xy: np.ndarray
    ends: Queries
    num_points: int


@dataclass(frozen=True)
class CycleScores:
    """How points return; shares from 0 to 1.

    Args:
        within: per threshold, the share of the points sent back that come that close to their start
        median_px: the median distance to the start, in pixels of the 256 x 256 frame, of points
            that are not given up on the way back
        share_cycled: the share of all points that could be sent back: seen again after their start
        mean_length: mean share of the clip after the start in which points were followed
    """

    within: tuple[float, ...]
    median_px: float
    share_cycled: float
    mean_length: float

    @property
    def within_avg(self) -> float:
        return float(np.mean(self.within))


def cycle_ends(tracks: Tracks, size_px: tuple[int, int], query_t: np.ndarray | None = None) -> CycleEnds:
    """Chooses what to track backward.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        query_t: (N,) int, frames that points start in; None = where each is seen first

    Returns:
        start and end of every point that is seen in its start and in a later frame

    Raises:
        ShapeError: if query_t has another number of points
    """
    seen = tracks.visible & inside_frame(tracks.xy, size_px)
    num_frames, num_points = seen.shape
    start_t = seen.argmax(axis=0) if query_t is None else np.asarray(query_t, dtype=int)
    if start_t.shape != (num_points,):
        raise ShapeError(f"Invalid query_t of shape {start_t.shape}. Expected ({num_points},), one per point")
    if not num_frames:
        columns = end_t = np.empty(0, dtype=int)
    else:
        end_t = num_frames - 1 - seen[::-1].argmax(axis=0)
        columns = np.flatnonzero(seen[start_t, np.arange(num_points)] & (end_t > start_t))
    end_t = end_t[columns]
    return CycleEnds(
        columns=columns,
        start_t=start_t[columns],
        start_xy=tracks.xy[start_t[columns], columns].astype(np.float64),
        ends=Queries(end_t, tracks.xy[end_t, columns]),
        num_points=num_points,
    )


def cycle_scores(
    ends: CycleEnds,
    returned: Tracks,
    size_px: tuple[int, int],
    *,
    thresholds_px: Sequence[float] = THRESHOLDS_PX,
) -> CycleScores:
    """Scores tracks by their way back.

    Args:
        ends: from `cycle_ends`
        returned: tracks of `ends.ends`, tracked backward: all T frames, K points
        size_px: (width, height) of the displayed frame
        thresholds_px: distances in pixels of the 256 x 256 frame

    Returns:
        the scores; NaN where no point could be sent back

    Raises:
        ShapeError: if `returned` holds other points
    """
    num_cycled = len(ends.columns)
    if returned.num_points != num_cycled:
        raise ShapeError(f"{returned.num_points} points came back, but {num_cycled} were sent")
    found = returned.xy[ends.start_t, np.arange(num_cycled)].astype(np.float64)
    distance = np.linalg.norm((found - ends.start_xy) * evaluation_scale(size_px), axis=1)
    known = np.isfinite(distance)
    longest = returned.num_frames - 1 - ends.start_t
    return CycleScores(
        within=tuple(ratio(np.count_nonzero(distance[known] < threshold), num_cycled) for threshold in thresholds_px),
        median_px=float(np.median(distance[known])) if known.any() else float("nan"),
        share_cycled=ratio(num_cycled, ends.num_points),
        mean_length=float(np.mean((ends.ends.t - ends.start_t) / longest)) if num_cycled else float("nan"),
    )
