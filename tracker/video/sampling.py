"""Which frames of a video to use: all, every n-th, a target rate, or a maximum number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

import numpy as np

from ..errors import OptionError
from ..types import FrameMap


@dataclass(frozen=True)
class Sampling:
    """One rule for choosing frames; at most one of the three is set.

    Args:
        every_nth: frame indices 0, n, 2n, ...
        fps: the frames nearest to an even grid of this rate, by time stamps; where the
            grid is finer than the frames every frame is kept, none is invented
        max_frames: at most this many, evenly spread in time

    Raises:
        OptionError: for a value out of range, or more than one rule
    """

    every_nth: int | None = None
    fps: float | None = None
    max_frames: int | None = None

    def __post_init__(self) -> None:
        rules = [name for name, value in asdict(self).items() if value is not None]
        if len(rules) > 1:
            raise OptionError(f"Invalid sampling: {' and '.join(rules)} are both set. Choose one rule")
        for name in ("every_nth", "max_frames"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and value == int(value) and value >= 1):
                raise OptionError(f"Invalid {name} ({value!r}). Expected a whole number of at least 1")
        if self.fps is not None and not (_is_number(self.fps) and self.fps > 0):
            raise OptionError(f"Invalid fps ({self.fps!r}). Expected a rate above 0")

    @property
    def keeps_all(self) -> bool:
        return self.every_nth in (None, 1) and self.fps is None and self.max_frames is None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def as_sampling(value: Sampling | Mapping[str, Any] | None) -> Sampling:
    """Reads a sampling rule as users write it.

    Args:
        value: None (every frame), a Sampling, or a dict such as {"every_nth": 3},
            {"fps": 5} or {"max_frames": 100}

    Raises:
        OptionError: for anything else
    """
    if value is None:
        return Sampling()
    if isinstance(value, Sampling):
        return value
    if not isinstance(value, Mapping):
        raise OptionError(f"Invalid sampling ({value!r}). Expected None or a dict such as {{'fps': 5}}")
    unknown = sorted(set(value) - {"every_nth", "fps", "max_frames"})
    if unknown:
        raise OptionError(f"Invalid sampling rule ({unknown[0]!r}). Supported values are every_nth, fps, max_frames")
    return Sampling(**value)


def sample_frames(timestamps_s: np.ndarray, sampling: Sampling) -> FrameMap:
    """Chooses frames by a rule, by time stamps where the rule speaks of time.

    Args:
        timestamps_s: (T,) strictly increasing seconds of every source frame
        sampling: the rule

    Returns:
        FrameMap onto the source frames; the first frame is always kept
    """
    times = np.asarray(timestamps_s, dtype=np.float64)
    total = len(times)
    if sampling.every_nth is not None:
        chosen = np.arange(0, total, int(sampling.every_nth))
    elif sampling.fps is not None and total:
        chosen = _frames_at_rate(times - times[0], float(sampling.fps))
    elif sampling.max_frames is not None and total > sampling.max_frames:
        chosen = nearest_frames(times, np.linspace(times[0], times[-1], int(sampling.max_frames)))
    else:
        chosen = np.arange(total)
    return FrameMap(chosen, total)


def nearest_frames(times: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """The frame nearest to each target time, each frame at most once.

    Args:
        times: (T,) strictly increasing seconds
        targets: (K,) seconds

    Returns:
        (K',) strictly increasing frame indices, K' <= K; ties go to the earlier frame
    """
    right = np.clip(np.searchsorted(times, targets), 1, max(len(times) - 1, 1))
    right = np.minimum(right, len(times) - 1)
    left = np.maximum(right - 1, 0)
    nearer_left = targets - times[left] <= times[right] - targets
    return np.unique(np.where(nearer_left, left, right))


def resample(times: np.ndarray, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """The frames nearest to an even grid of points k / fps, and the grid points they stand for.

    Never builds the grid, which may be far finer than the frames.

    Args:
        times: (T,) strictly increasing seconds, from 0
        fps: grid points per second

    Returns:
        (S,) strictly increasing frame indices, and (S,) strictly increasing k; a frame
        that is nearest to several grid points takes the one nearest to itself
    """
    last_nearest = _last_nearest_grid_point(times, fps)
    before = np.concatenate([[-1], last_nearest[:-1]])
    chosen = np.flatnonzero(last_nearest > before)
    slots = np.clip(np.rint(times[chosen] * fps), before[chosen] + 1, last_nearest[chosen])
    return chosen, slots.astype(np.int64)


def _frames_at_rate(times: np.ndarray, fps: float) -> np.ndarray:
    return np.flatnonzero(np.diff(_last_nearest_grid_point(times, fps), prepend=-1) > 0)


def _last_nearest_grid_point(times: np.ndarray, fps: float) -> np.ndarray:
    """The last k such that k / fps is nearest to frame i, or to a frame before it."""
    # frame i is nearest to the grid points after the middle towards the frame before, up to the middle
    # towards the next; the last frame stands for its display time as well
    steps = np.diff(times, append=times[-1] + (times[-1] - times[-2] if len(times) > 1 else 0))
    # the slack keeps a grid point that falls on a middle with the earlier frame
    return np.floor((times + steps / 2) * fps + 1e-6)
