"""Which frames a preprocessed copy keeps, and when it shows them.

The real duration is kept, the rate is never raised and no frame is invented:
of the candidates, those nearest to an even grid of times are kept and shown at
the grid's times, so that copies of regular videos are regular too. Where the
grid would drop nothing, frames keep their own times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import OptionError
from ..types import FrameMap
from ..video.sampling import Sampling, resample
from .timeline import Timeline

POLICIES = {
    "auto": "Automatic: longer videos from every third frame at 7 per second, short ones at 10 per second",
    "fps": "A target rate (frames per second)",
    "every_nth": "Every n-th frame",
    "max_frames": "A maximum number of frames",
}
DEFAULT_POLICY = "auto"

AUTO_LONG_ABOVE_S = 10.0
AUTO_LONG_EVERY_NTH = 3
AUTO_LONG_FPS = 7.0
AUTO_SHORT_FPS = 10.0

# a container's clock may round a duration by this much
_CLOCK_SLACK_S = 1e-3
# steps that differ by less than this share, or as a clock rounds those of some ticks, are a regular rate
_REGULAR_SHARE = 0.1
_ROUNDED_FROM_TICKS = 3
_MAX_DENOMINATOR = 1001
# the clock of copies whose end does not fall on their own, where that one is coarse
_CLOCK_S = Fraction(1, 90_000)
_COARSEST_CLOCK_S = Fraction(1, 1000)


@dataclass(frozen=True)
class FramePolicy:
    """One rule for what to keep.

    Args:
        name: one of `POLICIES`; None is the policy whose value is given, or "auto"
        fps: target rate, for the policy "fps"
        every_nth: for the policy "every_nth": frames 0, n, 2n, ...
        max_frames: for the policy "max_frames"

    Raises:
        OptionError: for an unknown policy, a value out of range, or values that
            do not go with the policy
    """

    name: str | None = None
    fps: float | None = None
    every_nth: int | None = None
    max_frames: int | None = None
    sampling: Sampling = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = {"fps": self.fps, "every_nth": self.every_nth, "max_frames": self.max_frames}
        object.__setattr__(self, "sampling", Sampling(**values))
        given = [name for name, value in values.items() if value is not None]
        name = self.name if self.name is not None else (given[0] if given else DEFAULT_POLICY)
        if name not in POLICIES:
            raise OptionError(f"Invalid policy ({name!r}). Supported values are {', '.join(POLICIES)}")
        if name == "auto" and given:
            raise OptionError(f"The policy 'auto' takes no {given[0]}. Leave it out, or use policy={given[0]!r}")
        if name != "auto" and given != [name]:
            found = f"found {given[0]}" if given else "it is missing"
            raise OptionError(f"The policy {name!r} needs a value for {name}; {found}. Give {name}=...")
        object.__setattr__(self, "name", name)

    def to_record(self) -> dict[str, Any]:
        """The rule as JSON-serialisable values."""
        value = next((v for v in (self.fps, self.every_nth, self.max_frames) if v is not None), None)
        return {"policy": self.name, "value": None if value is None else float(value)}


@dataclass(frozen=True, eq=False)
class Selection:
    """The frames to keep and when to show them.

    Args:
        frame_map: the kept frames among the source's
        ticks: (S,) int64, when each is shown, strictly increasing from 0
        end_tick: when the last one ends
        tick_s: seconds per tick
        fps: frames per second where they are regular, whatever the last one's length; else the average
        regular: whether the times between frames are equal
    """

    frame_map: FrameMap
    ticks: np.ndarray
    end_tick: int
    tick_s: Fraction
    fps: Fraction
    regular: bool

    @property
    def durations(self) -> np.ndarray:
        """(S,) int64 ticks for which each frame is shown."""
        return np.diff(self.ticks, append=self.end_tick)


def select_frames(timeline: Timeline, policy: FramePolicy) -> Selection:
    """Applies a policy to a video.

    Args:
        timeline: when the source's frames are shown
        policy: what to keep

    Returns:
        at least one frame; the first shown at 0
    """
    candidates = np.arange(len(timeline))
    duration_s = timeline.duration_s
    fps: float | None = None
    if policy.name == "auto":
        is_long = duration_s > AUTO_LONG_ABOVE_S + _CLOCK_SLACK_S
        candidates = candidates[:: AUTO_LONG_EVERY_NTH if is_long else 1]
        fps = AUTO_LONG_FPS if is_long else AUTO_SHORT_FPS
    elif policy.every_nth is not None:
        candidates = candidates[:: int(policy.every_nth)]
    elif policy.fps is not None:
        fps = float(policy.fps)
    elif policy.max_frames is not None and policy.max_frames < len(candidates):
        fps = int(policy.max_frames) / duration_s
    if fps is None:
        return _at_own_times(timeline, candidates)
    kept, slots = resample(timeline.times_s[candidates], fps)
    if policy.max_frames is not None:
        kept, slots = kept[: int(policy.max_frames)], slots[: int(policy.max_frames)]
    if len(kept) == len(candidates):
        return _at_own_times(timeline, candidates)
    if len(kept) == 1:
        return _at_own_times(timeline, candidates[kept])
    return _selection(timeline, candidates[kept], slots, 1 / _rate(fps))


def _at_own_times(timeline: Timeline, indices: np.ndarray) -> Selection:
    return _selection(timeline, indices, timeline.ticks[indices], timeline.tick_s)


def _selection(timeline: Timeline, indices: np.ndarray, ticks: np.ndarray, tick_s: Fraction) -> Selection:
    """Ends a regular copy regularly, unless that passes the end of the source by more than a frame of it."""
    duration_s, frame_map = timeline.duration_s, FrameMap(indices, len(timeline))
    fps, regular = None, _is_regular(ticks)
    if regular:
        step = round(ticks[-1] / (len(ticks) - 1))
        # by this rate players find frames, so a last frame of another length must not change it
        fps = (len(ticks) - 1) / (ticks[-1] * float(tick_s))
        end = int(ticks[-1]) + step
        if end * float(tick_s) <= duration_s + duration_s / len(timeline):
            return Selection(frame_map, ticks, end, tick_s, _rate(fps), regular)
    if tick_s > _COARSEST_CLOCK_S:
        ticks, tick_s = np.rint(ticks * float(tick_s / _CLOCK_S)).astype(np.int64), _CLOCK_S
    if len(ticks) > 1 and ticks[-1] * float(tick_s) >= duration_s:  # the frame's place on the grid is behind the end
        ticks[-1] = max(round(float(timeline.times_s[indices[-1]]) / float(tick_s)), ticks[-2] + 1)
    end = max(round(duration_s / float(tick_s)), int(ticks[-1]) + 1)
    return Selection(frame_map, ticks, end, tick_s, _rate(fps or len(ticks) / (end * float(tick_s))), regular)


def _is_regular(ticks: np.ndarray) -> bool:
    steps = np.diff(ticks)
    if not len(steps):
        return False
    mean = steps.mean()
    return steps.max() - steps.min() <= max(_REGULAR_SHARE * mean, 1 if mean >= _ROUNDED_FROM_TICKS else 0)


def _rate(fps: float) -> Fraction:
    """A simple fraction near a rate; below 1 near the time between frames, whose relative error is the smaller."""
    if fps >= 1:
        return Fraction(fps).limit_denominator(_MAX_DENOMINATOR)
    return 1 / Fraction(1 / fps).limit_denominator(_MAX_DENOMINATOR)
