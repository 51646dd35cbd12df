"""One path of a point through several known positions (anchors), from tracks that start in each of them.

Between two anchors the way from the one before and the way back from the one after are joined where they come nearest
to each other: a tracker that lost the point is right until then, and so is the way back until it was lost there. In
frames around that one in which both agree as well they are blended linearly, over the whole stretch where they agree
throughout, so that slow drift cancels out. So the path is exact at both anchors. A frame where neither sees the point
is hidden. Beyond the last anchor and before the first the point simply follows its nearest anchor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..errors import QueryError, ShapeError
from ..types import Tracks

# both ways agree where they are not farther apart than this, in diagonals of the frame, than where they come nearest
_AGREE_SHARE = 0.01


@dataclass(frozen=True)
class Anchor:
    """A position of a point that is known.

    Args:
        t: frame index, from 0
        xy: pixels of the displayed frame
    """

    t: int
    xy: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Path:
    """One point in T frames.

    Args:
        xy: (T, 2) float64 pixels; NaN where not known
        visible: (T,) bool
        confidence: (T,) float64; 1 at anchors, 0 where the position is not known
        known: (T,) bool, the frames that this path speaks of
    """

    xy: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray
    known: np.ndarray


def join_anchors(
    anchors: Sequence[Anchor], tracks: Tracks, size_px: tuple[int, int], *, from_start: bool = True
) -> Path:
    """Makes one path of what was tracked from each anchor.

    Args:
        anchors: K, in order of time, each in a frame of its own
        tracks: T frames, K points: the track that starts in each anchor, made with `backward=True`
        size_px: (width, height) of the displayed frame
        from_start: whether frames before the first anchor are filled too

    Returns:
        the path, exact at the anchors

    Raises:
        ShapeError: if these are not the tracks of the anchors
        QueryError: if two anchors are in one frame, or one is past the end
    """
    _check(anchors, tracks)
    num_frames = tracks.num_frames
    xy, visible = np.full((num_frames, 2), np.nan), np.zeros(num_frames, dtype=bool)
    confidence, known = np.zeros(num_frames), np.zeros(num_frames, dtype=bool)

    def follow(column: int, frames: slice) -> None:
        xy[frames] = tracks.xy[frames, column]
        visible[frames] = tracks.visible[frames, column]
        confidence[frames] = tracks.confidence[frames, column]
        known[frames] = True

    if from_start:
        follow(0, slice(0, anchors[0].t))
    follow(len(anchors) - 1, slice(anchors[-1].t, num_frames))
    for column, (one, following) in enumerate(pairwise(anchors)):
        frames = slice(one.t, following.t + 1)
        ways = tracks.xy[frames, column : column + 2].astype(np.float64)  # (S, 2, 2)
        seen, sure = tracks.visible[frames, column : column + 2], tracks.confidence[frames, column : column + 2]
        back = _weights_of_way_back(ways, seen, _AGREE_SHARE * float(np.hypot(*size_px)))
        xy[frames] = _mixed(ways[:, 0], ways[:, 1], back[:, None])
        visible[frames] = seen.any(axis=1)
        confidence[frames] = (1 - back) * sure[:, 0] + back * sure[:, 1]
        known[frames] = True
    for anchor in anchors:
        xy[anchor.t], visible[anchor.t], confidence[anchor.t], known[anchor.t] = anchor.xy, True, 1.0, True
    lost = ~np.isfinite(xy).all(axis=1)
    visible[lost], confidence[lost] = False, 0.0
    xy[lost] = np.nan
    return Path(xy, visible, np.clip(confidence, 0, 1), known)


def _check(anchors: Sequence[Anchor], tracks: Tracks) -> None:
    if not anchors or tracks.num_points != len(anchors):
        raise ShapeError(f"Invalid tracks of {tracks.num_points} points for {len(anchors)} anchors. Expected one each")
    for one, following in pairwise(anchors):
        if one.t >= following.t:
            raise QueryError(
                f"Anchors of one point are in the frames {one.t} and {following.t}. Expected one per frame, in order"
            )
    if anchors[-1].t >= tracks.num_frames:
        raise QueryError(
            f"An anchor is in frame {anchors[-1].t}, but there are {tracks.num_frames} frames "
            f"(allowed are 0 to {tracks.num_frames - 1})"
        )


def _mixed(one: np.ndarray, other: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Weighted mean; a way that is not known has no say where its weight is 0."""
    return np.where(weight == 0, one, np.where(weight == 1, other, one + (other - one) * weight))


def _weights_of_way_back(ways: np.ndarray, seen: np.ndarray, agree_px: float) -> np.ndarray:
    """(S,) 0 to 1: how much of each frame's position comes from the later anchor.

    Args:
        ways: (S, 2, 2): position from the anchor before, and from the one after
        seen: (S, 2) bool
        agree_px: see the module
    """
    count = len(ways)
    places = np.arange(count)
    both = seen.all(axis=1)
    apart = np.where(both, np.linalg.norm(ways[:, 1] - ways[:, 0], axis=1), np.inf)
    if both.any():
        # of several frames that are as near, the one in the middle
        near = np.flatnonzero(apart <= apart.min() + agree_px)
        meeting = int(near[np.abs(near - (count - 1) / 2).argmin()])
        first = last = meeting
        while first > 0 and apart[first - 1] <= apart.min() + agree_px:
            first -= 1
        while last < count - 1 and apart[last + 1] <= apart.min() + agree_px:
            last += 1
        back = np.clip((places - first) / max(last - first, 1), 0, 1) if last > first else (places > meeting) * 1.0
    else:
        back = (places > (count - 1) / 2) * 1.0
    # where only one of them sees the point, that one tells
    back = np.where(seen[:, 0] & ~seen[:, 1], 0.0, np.where(seen[:, 1] & ~seen[:, 0], 1.0, back))
    back[0], back[-1] = 0.0, 1.0
    return back
