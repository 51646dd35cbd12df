"""How likely each track is wrong, where no truth is known: one figure, to look at the worst first.

Four things are looked at, in pixels of the 256 x 256 frame so that videos of any size compare:

- the *cycle*: how far from its start a point ends that is sent back from where it was seen last (`cycle`);
- the *jump*: the largest change of a point's velocity from frame to frame, beyond what all points of that frame share;
- the *company*: how far a point strays from the way of the points that began beside it;
- the *confidence* that the tracker itself has, where it is lowest.

Each is squashed to 0 ... 1, and a weighted sum of them through the logistic function is the suspicion. The constants
were fitted on rendered clips with known tracks (`benchmarks/curation/suspicion.py --synthetic`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..coordinates import inside_frame
from ..errors import ShapeError
from ..types import Tracks
from .cycle import CycleEnds
from .truth import evaluation_scale

# of each sign, where it counts for one half
_HALF_PX = {"cycle": 2.0, "jump": 4.0, "company": 8.0}
_LOST_PX = 64.0  # what a point counts for that was lost on its way back
_WEIGHTS = {"cycle": 1.5, "jump": 1.7, "company": 3.5, "doubt": 4.8}
_BIAS = -5.4
_NEIGHBOURS = 8
_LOWEST = 0.1  # share of the frames in which the tracker is least sure


@dataclass(frozen=True, eq=False)
class Signs:
    """What speaks against each of N tracks; pixels are those of the 256 x 256 frame.

    Args:
        cycle_px: (N,) distance to the start after the way back; NaN where not known
        jump_px: (N,) largest change of velocity, per frame
        company_px: (N,) how far it strays from its neighbours' way
        doubt: (N,) 0 to 1, 1 - confidence where it is lowest
        worst_t: (N,) frame index to look at first: of the largest jump, else where confidence is lowest; -1 where
            never seen
    """

    cycle_px: np.ndarray
    jump_px: np.ndarray
    company_px: np.ndarray
    doubt: np.ndarray
    worst_t: np.ndarray

    @property
    def features(self) -> np.ndarray:
        """(N, 4) 0 to 1: cycle, jump, company, doubt; a cycle that is not known counts as half."""
        cycle = np.where(np.isnan(self.cycle_px), _HALF_PX["cycle"], self.cycle_px)
        squashed = [
            values / (values + _HALF_PX[name])
            for name, values in (("cycle", cycle), ("jump", self.jump_px), ("company", self.company_px))
        ]
        return np.stack([*squashed, self.doubt], axis=1)

    @property
    def suspicion(self) -> np.ndarray:
        """(N,) 0 to 1: how likely each track is wrong; 0 for tracks that are never seen."""
        total = self.features @ np.array(list(_WEIGHTS.values())) + _BIAS
        return np.where(self.worst_t < 0, 0.0, 1 / (1 + np.exp(-total)))


def find_signs(tracks: Tracks, size_px: tuple[int, int], cycle_px: np.ndarray | None = None) -> Signs:
    """Looks for what speaks against each track.

    Args:
        tracks: T frames, N points, in pixels of the displayed frame
        size_px: (width, height) of the displayed frame
        cycle_px: (N,) from `cycle_distances`; None = not known

    Returns:
        the signs

    Raises:
        ShapeError: if cycle_px has another number of points
    """
    num_points = tracks.num_points
    cycle = np.full(num_points, np.nan) if cycle_px is None else np.asarray(cycle_px, dtype=np.float64)
    if cycle.shape != (num_points,):
        raise ShapeError(f"Invalid cycle_px of shape {cycle.shape}. Expected ({num_points},), one per point")
    seen = tracks.visible & inside_frame(tracks.xy, size_px)
    xy = np.where(seen[..., None], tracks.xy.astype(np.float64) * evaluation_scale(size_px), np.nan)  # (T, N, 2)
    bends = _bends(xy)
    confidence = np.where(seen, tracks.confidence, np.nan)
    ever = seen.any(axis=0)
    jump = np.nan_to_num(bends, nan=0.0).max(axis=0, initial=0.0)
    worst = _first_look(bends, confidence, jump > 0) if tracks.num_frames else np.full(num_points, -1)
    doubt = np.where(ever, 1 - _lowest(confidence), 0.0)
    return Signs(cycle, jump, _strays(xy), doubt, np.where(ever, worst, -1))


def _first_look(bends: np.ndarray, confidence: np.ndarray, jumps: np.ndarray) -> np.ndarray:
    """(N,) the frame of the largest jump, else that in which confidence is lowest."""
    largest, least_sure = np.nan_to_num(bends, nan=-1.0).argmax(axis=0), np.nan_to_num(confidence, nan=2.0).argmin(0)
    return np.where(jumps, largest, least_sure)


def cycle_distances(ends: CycleEnds, returned: Tracks, size_px: tuple[int, int]) -> np.ndarray:
    """How far from its start each track ends that was sent back.

    Args:
        ends: from `cycle_ends`
        returned: tracks of `ends.ends`, tracked backward: all T frames, K points
        size_px: (width, height) of the displayed frame

    Returns:
        (N,) pixels of the 256 x 256 frame; NaN where a track was not sent back; `_LOST_PX` where it was given up on
        the way, and at most that

    Raises:
        ShapeError: if `returned` holds other points
    """
    if returned.num_points != len(ends.columns):
        raise ShapeError(f"{returned.num_points} points came back, but {len(ends.columns)} were sent")
    found = np.full(ends.num_points, np.nan)
    places = np.arange(len(ends.columns))
    at = returned.xy[ends.start_t, places].astype(np.float64)
    distance = np.linalg.norm((at - ends.start_xy) * evaluation_scale(size_px), axis=1)
    given_up = ~returned.visible[ends.start_t, places] | ~np.isfinite(distance)
    found[ends.columns] = np.minimum(np.where(given_up, _LOST_PX, distance), _LOST_PX)
    return found


def _bends(xy: np.ndarray) -> np.ndarray:
    """(T, N) changes of velocity beyond what the frame's points share; NaN where not seen in three frames in a row."""
    if len(xy) < 3:
        return np.full(xy.shape[:2], np.nan)
    change = np.full(xy.shape, np.nan)
    change[1:-1] = xy[2:] - 2 * xy[1:-1] + xy[:-2]
    known: np.ndarray = np.asarray(np.isfinite(change).all(axis=2))
    shared = np.zeros((len(xy), 1, 2))
    for t in np.flatnonzero(known.sum(axis=1) >= 3):
        shared[t, 0] = np.median(change[t, known[t]], axis=0)
    return np.where(known, np.linalg.norm(np.nan_to_num(change) - shared, axis=2), np.nan)


def _lowest(confidence: np.ndarray) -> np.ndarray:
    """(N,) mean of the lowest values of each column; 1 where there are none."""
    count = np.isfinite(confidence).sum(axis=0)
    ordered = np.sort(confidence, axis=0)  # NaN last
    taken = np.maximum(np.ceil(_LOWEST * count), 1).astype(int)
    chosen = np.arange(len(ordered))[:, None] < np.minimum(taken, np.maximum(count, 1))
    total = np.where(chosen, np.nan_to_num(ordered), 0).sum(axis=0)
    return np.where(count > 0, total / taken, 1.0)


def _strays(xy: np.ndarray) -> np.ndarray:
    """(N,) how far each point strays at most from the median way of the points that began beside it."""
    num_frames, num_points = xy.shape[:2]
    seen: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    strays = np.zeros(num_points)
    if not num_frames or num_points < 2:
        return strays
    start = seen.argmax(axis=0)
    for column in np.flatnonzero(seen.any(axis=0)):
        t = start[column]
        beside = np.flatnonzero(seen[t])
        beside = beside[beside != column]
        near = beside[np.argsort(np.linalg.norm(xy[t, beside] - xy[t, column], axis=1))[:_NEIGHBOURS]]
        if not len(near):
            continue
        ways = xy[:, near] - xy[t, near]  # (T, K, 2)
        both = seen[:, near].any(axis=1) & seen[:, column]
        apart = np.linalg.norm(xy[both, column] - xy[t, column] - np.nanmedian(ways[both], axis=1), axis=1)
        strays[column] = np.quantile(apart, 0.9) if len(apart) else 0.0
    return strays
