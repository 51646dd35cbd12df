"""Spans of time in which something of note happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .apart import ApartMotion
from .camera import CameraMotion, runs_of
from .fates import Fates
from .trajectories import Trajectories, steps_in

CUT, FAST, LEAVES, STATIC_CAMERA = "cut", "fast motion", "something leaves", "static camera"
# diagonals per second of the faster fifth of all points
_FAST, _FAST_QUANTILE = 0.5, 80
_LEAST_FAST_S = 0.2
# points of one thing that leave about together
_LEAST_LEAVING, _TOGETHER_S = 3, 0.4


@dataclass(frozen=True)
class Event:
    """Something that happens.

    Args:
        label: what
        first, last: frame indices, both included
    """

    label: str
    first: int
    last: int


def camera_events(camera: CameraMotion, rows: np.ndarray, cuts: np.ndarray) -> list[Event]:
    """What the camera does, and cuts.

    Args:
        camera: S steps
        rows: (S + 1,) frame indices
        cuts: (K,) steps
    """
    events = [Event(CUT, int(rows[k + 1]), int(rows[k + 1])) for k in cuts]
    labels = camera.labels.copy()
    labels[cuts] = CUT
    for start, stop in runs_of(labels):
        label = labels[start]
        if label and label != CUT:
            events.append(Event(STATIC_CAMERA if label == "static" else label, int(rows[start]), int(rows[stop])))
    return events


def fast_events(fast_speed: np.ndarray, rows: np.ndarray, step_s: np.ndarray) -> list[Event]:
    """Stretches in which much of the picture is fast.

    Args:
        fast_speed: (S,) diagonals per second, as `fast_speed_of`
        rows: (S + 1,) frame indices
        step_s: (S,) seconds
    """
    fast = np.where(np.nan_to_num(fast_speed) > _FAST, FAST, "").astype(object)
    least = steps_in(_LEAST_FAST_S, step_s)
    spans = [(a, b) for a, b in runs_of(fast) if fast[a] and b - a >= least]
    return [Event(FAST, int(rows[a]), int(rows[b])) for a, b in spans]


def fast_speed_of(speed: np.ndarray) -> np.ndarray:
    """(S,) how fast the faster points are in each step of (S, N) speeds; NaN where none is seen."""
    known = np.isfinite(speed).any(axis=1)
    found = np.full(len(speed), np.nan)
    if known.any():
        found[known] = np.nanpercentile(speed[known], _FAST_QUANTILE, axis=1)
    return found


def leaving_events(trajectories: Trajectories, apart: ApartMotion, fates: Fates, cuts: Sequence[int]) -> list[Event]:
    """Times at which several points that move apart from the picture go out of the frame together.

    Args:
        trajectories: R frames, N points
        apart, fates: of the same
        cuts: steps of the same that are cuts, over which points do not leave
    """
    gone = np.flatnonzero(fates.leaves & apart.movers & ~np.isin(fates.last, np.asarray(cuts)))
    if not len(gone):
        return []
    times = np.sort(fates.last[gone])
    gap = trajectories.rows_in(_TOGETHER_S)
    parts = np.split(times, np.flatnonzero(np.diff(times) > gap) + 1)
    ends = [(part[0], min(part[-1] + 1, len(trajectories.rows) - 1)) for part in parts if len(part) >= _LEAST_LEAVING]
    return [Event(LEAVES, int(trajectories.rows[a]), int(trajectories.rows[b])) for a, b in ends]


def merged(events: Sequence[Event]) -> list[Event]:
    """Events in the order of time; of the same label, those that overlap become one."""
    result: list[Event] = []
    for event in sorted(events, key=lambda e: (e.label, e.first, e.last)):
        if result and result[-1].label == event.label != CUT and event.first <= result[-1].last:
            result[-1] = Event(event.label, result[-1].first, max(result[-1].last, event.last))
        else:
            result.append(event)
    return sorted(result, key=lambda e: (e.first, e.last, e.label))
