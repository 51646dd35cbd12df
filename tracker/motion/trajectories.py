"""Tracks as motion is told from them: the frames that were tracked, and points that are seen inside the picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..coordinates import inside_frame, mostly_outside
from ..errors import MotionError, ShapeError
from ..types import Tracks

# a rate for arrays and files that tell none
USUAL_FPS = 25.0
# positions looked at; of longer or fuller clips an even choice of the points
_MOST_POSITIONS = 12_000_000


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Points through the frames that were tracked.

    Args:
        xy: (R, N, 2) float32 pixels; anything where not seen
        seen: (R, N) bool, visible and inside the picture
        rows: (R,) int, strictly increasing frame indices
        size_px: (width, height) of the displayed frame
        fps: frames per second of the video

    Raises:
        ShapeError: if shapes disagree, or the rate is no positive number
    """

    xy: np.ndarray
    seen: np.ndarray
    rows: np.ndarray
    size_px: tuple[int, int]
    fps: float

    def __post_init__(self) -> None:
        shape = self.seen.shape
        if self.xy.shape != (*shape, 2) or self.rows.shape != shape[:1]:
            raise ShapeError(
                f"Invalid trajectories of shapes {self.xy.shape}, {shape} and {self.rows.shape}. "
                "Expected (R, N, 2), (R, N) and (R,)"
            )
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise ShapeError(f"Invalid rate ({self.fps!r}). Expected frames per second above 0")

    @property
    def diagonal_px(self) -> float:
        return float(np.hypot(*self.size_px))

    @property
    def step_s(self) -> np.ndarray:
        """(R - 1,) seconds from each tracked frame to the next."""
        return np.diff(self.rows) / self.fps

    def rows_in(self, seconds: float) -> int:
        """How many steps a span of time has, at least one."""
        return steps_in(seconds, self.step_s)


def steps_in(seconds: float, step_s: np.ndarray) -> int:
    """How many steps a span of time has, as most of them are long; at least one.

    Args:
        seconds: of the span
        step_s: (S,) seconds of each step
    """
    return max(1, round(seconds / float(np.median(step_s)))) if len(step_s) else 1


def trajectories_of(tracks: Tracks, size_px: tuple[int, int], fps: float | None) -> Trajectories:
    """Looks at the frames of some tracks that hold any of them.

    Frames that were left out by sampling are no rows. Frames in which no point is seen are, where they come
    at the step of the others.

    Args:
        tracks: T frames, N points
        size_px: (width, height) of the displayed frame
        fps: of the video; None = `USUAL_FPS`

    Raises:
        MotionError: if most points lie outside the picture, as those of another video do
    """
    inside = inside_frame(tracks.xy, size_px)
    if outside := mostly_outside(tracks.xy, tracks.visible, size_px):
        num_outside, num_visible = outside
        raise MotionError(
            f"{num_outside} of {num_visible} visible points lie outside the {size_px[0]} x {size_px[1]} frame, so "
            "these tracks are not of this video. Track it anew, or give the sample the video that was tracked"
        )
    placed: np.ndarray = np.asarray(np.isfinite(tracks.xy).all(axis=2))
    rows = tracked_rows(np.asarray(placed.any(axis=1)))
    return Trajectories(
        tracks.xy[rows], np.asarray(tracks.visible & inside)[rows], rows, size_px, fps if fps else USUAL_FPS
    )


def thinned(trajectories: Trajectories) -> Trajectories:
    """An even choice of the points, where there are too many positions to look at."""
    rows, count = trajectories.seen.shape
    step = max(1, -(-rows * count // _MOST_POSITIONS))
    if step == 1:
        return trajectories
    return replace(trajectories, xy=trajectories.xy[:, ::step], seen=trajectories.seen[:, ::step])


def tracked_rows(placed: np.ndarray) -> np.ndarray:
    """The frames that were tracked, as far as the frames with points tell.

    Args:
        placed: (T,) bool, frames in which any point has a position

    Returns:
        (R,) int; frames of the usual step are added where no point has a position
    """
    found = np.flatnonzero(placed)
    if len(found) < 2:
        return found
    steps = np.sort(np.diff(found))
    step = int(steps[(len(steps) - 1) // 2])  # the lower of two middle ones: gaps are longer
    missing = [np.arange(a + step, b, step) for a, b in zip(found, [*found[1:], len(placed)], strict=True)]
    return np.unique(np.concatenate([found, *missing]))
