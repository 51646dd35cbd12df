"""What the camera did, told from how the picture moved: its kind of motion, how much of each, and when.

A picture that goes left is a camera that pans right. A camera that walks sideways moves the picture as one that
pans, and one that walks ahead as one that zooms: tracks of points tell no depth, so they are called the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .background import PictureMotion
from .trajectories import steps_in

STATIC, HANDHELD, UNKNOWN = "static", "handheld", "unknown"
PAN, TILT, ROLL, ZOOM = "pan", "tilt", "roll", "zoom"
MOVES = (PAN, TILT, ROLL, ZOOM)
CAMERAS = (STATIC, *MOVES, HANDHELD, UNKNOWN)
# of a motion to (negative, positive) values, as a viewer calls it
DIRECTIONS = {
    PAN: ("pan left", "pan right"),
    TILT: ("tilt up", "tilt down"),
    ROLL: ("roll counterclockwise", "roll clockwise"),
    ZOOM: ("zoom out", "zoom in"),
}

# root mean square distance of a frame's points from its middle, in diagonals: what a turn or growth moves them by
ARM = 1 / np.sqrt(12)
# a hand shakes faster than this, and a pan is slower
_SMOOTH_S = 0.8
_SPAN_SMOOTH_S = 0.4
_LEAST_SPAN_S = 0.4
# diagonals per second
STILL, MOVING = 0.01, 0.02
# diagonals, root mean square
SHAKING = 0.0008
# share of steps whose motion must be known
_LEAST_KNOWN = 0.3


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """What the camera did.

    Args:
        kind: one of `CAMERAS`
        pan, tilt: how fast, diagonals of the frame per second; there and back counts twice, not zero
        roll: degrees per second
        zoom: growth per second as a factor, minus 1: 0.1 is 10 % per second, in or out
        shake: fast motion besides, root mean square, diagonals
        labels: (R - 1,) of str, what it did in each step: one of `DIRECTIONS`, "static", "handheld", ""
        rates: (R - 1, 4) slow motion: x and y in diagonals per second, radians per second, log growth per second,
            as the camera has it; NaN where not known
    """

    kind: str
    pan: float
    tilt: float
    roll: float
    zoom: float
    shake: float
    labels: np.ndarray
    rates: np.ndarray


def camera_motion(motion: PictureMotion, step_s: np.ndarray, diagonal_px: float, cuts: np.ndarray) -> CameraMotion:
    """Tells what the camera did.

    Args:
        motion: of the picture, S steps
        step_s: (S,) seconds of each
        diagonal_px: of the frame
        cuts: (K,) steps that are cuts
    """
    steps = _camera_steps(motion, diagonal_px)
    steps[cuts] = np.nan
    total = len(steps)
    labels = np.full(total, "", dtype=object)
    rates = np.full((total, 4), np.nan)
    travel, fast, seconds, shakes = np.zeros(4), 0.0, 0.0, []
    for shot in shots_of(total, cuts):
        part = steps[shot]
        if np.count_nonzero(np.isfinite(part[:, 0])) < max(_LEAST_KNOWN * len(part), 1):
            continue
        moved = _Moved.of(_filled(part), step_s[shot])
        travel += moved.travel
        fast += moved.fast_travel
        seconds += float(step_s[shot].sum())
        shakes.append((moved.shake, len(part)))
        rates[shot] = moved.rates
        labels[shot] = _labels(moved, step_s[shot])
    if not seconds:
        return CameraMotion(UNKNOWN, 0.0, 0.0, 0.0, 0.0, 0.0, labels, rates)
    slow = travel / seconds
    shake = float(np.sqrt(sum(s**2 * n for s, n in shakes) / sum(n for _, n in shakes)))
    kind = _kind(slow * [1, 1, ARM, ARM], fast / seconds, shake)
    pan, tilt, roll, zoom = (float(value) for value in slow)
    return CameraMotion(kind, pan, tilt, float(np.degrees(roll)), float(np.expm1(zoom)), shake, labels, rates)


def shots_of(steps: int, cuts: np.ndarray) -> list[slice]:
    """The stretches of steps between cuts."""
    bounds = [-1, *cuts.tolist(), steps]
    return [slice(a + 1, b) for a, b in pairwise(bounds) if b > a + 1]


def _camera_steps(motion: PictureMotion, diagonal_px: float) -> np.ndarray:
    """(R - 1, 4) of each step: x, y in diagonals, turn, log growth, of the camera and not of the picture."""
    with np.errstate(invalid="ignore", divide="ignore"):
        turn, growth = np.angle(motion.linear), np.log(np.abs(motion.linear))
    shift = motion.shift_px / diagonal_px
    return np.stack([-shift.real, -shift.imag, -turn, growth], -1)


def _filled(steps: np.ndarray) -> np.ndarray:
    """Steps whose gaps are filled between their neighbours."""
    known = np.flatnonzero(np.isfinite(steps[:, 0]))
    places = np.arange(len(steps))
    return np.stack([np.interp(places, known, steps[known, c]) for c in range(steps.shape[1])], -1)


@dataclass(frozen=True, eq=False)
class _Moved:
    """A shot's path taken apart: what is slow, and what shakes.

    Args:
        rates: (S, 4) per second, slow
        travel: (4,) way there and back, slow
        fast_travel: diagonals, way of the rest
        shake: diagonals, root mean square of the rest
        span_rates: (S, 4) per second, smoothed less: when what happens
    """

    rates: np.ndarray
    travel: np.ndarray
    fast_travel: float
    shake: float
    span_rates: np.ndarray

    @classmethod
    def of(cls, steps: np.ndarray, step_s: np.ndarray) -> _Moved:
        path = np.concatenate([np.zeros((1, 4)), np.cumsum(steps, axis=0)])
        slow = smoothed(path, steps_in(_SMOOTH_S, step_s))
        rest = (path - slow) * [1, 1, ARM, ARM]
        # a step's own noise is no shaking
        rest_way = np.diff(smoothed(rest, 2), axis=0)
        spans = np.diff(smoothed(path, steps_in(_SPAN_SMOOTH_S, step_s)), axis=0)
        moves = np.diff(slow, axis=0)
        return cls(
            moves / step_s[:, None],
            np.abs(moves).sum(0),
            float(np.linalg.norm(rest_way, axis=1).sum()),
            float(np.sqrt((rest**2).sum(1).mean())),
            spans / step_s[:, None],
        )


def smoothed(path: np.ndarray, rows: int) -> np.ndarray:
    """A path without what changes faster than some rows; a straight line stays as it is, to its ends.

    Args:
        path: (R, D)
        rows: of the window; where the path is shorter than two of it, the window is half the path

    Returns:
        (R, D)
    """
    count = len(path)
    half = min(rows // 2, (count - 1) // 2)
    if half < 1:
        return path
    window = np.hanning(2 * half + 3)[1:-1]
    window /= window.sum()
    # turned about the ends, as a line is
    start, end = 2 * path[:1] - path[half:0:-1], 2 * path[-1:] - path[-2 : -half - 2 : -1]
    longer = np.concatenate([start, path, end])
    return np.stack([np.convolve(longer[:, d], window, mode="valid") for d in range(path.shape[1])], -1)


def _kind(slow: np.ndarray, fast: float, shake: float) -> str:
    """The kind of motion that moves points most."""
    if shake > SHAKING and fast > slow.max():
        return HANDHELD
    if slow.max() < STILL:
        return STATIC
    return MOVES[int(slow.argmax())]


def _labels(moved: _Moved, step_s: np.ndarray) -> np.ndarray:
    """(S,) of str: what the camera does in each step of a shot, without stretches too short to be seen."""
    rates = moved.span_rates * [1, 1, ARM, ARM]
    strongest = np.abs(rates).argmax(1)
    size = np.abs(rates).max(1)
    shaky = moved.shake > SHAKING and moved.fast_travel > (np.abs(moved.travel) * [1, 1, ARM, ARM]).max()
    labels = np.full(len(rates), "", dtype=object)
    for k, (move, value) in enumerate(zip(strongest, size, strict=True)):
        if shaky:
            labels[k] = HANDHELD
        elif value >= MOVING:
            labels[k] = DIRECTIONS[MOVES[move]][int(rates[k, move] > 0)]
        elif value < STILL:
            labels[k] = STATIC
    least = min(steps_in(_LEAST_SPAN_S, step_s), len(labels))
    for start, stop in runs_of(labels):
        if stop - start < least:
            labels[start:stop] = ""
    return labels


def runs_of(labels: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) of stretches of equal labels."""
    if not len(labels):
        return []
    changes = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    bounds = [0, *changes.tolist(), len(labels)]
    return list(pairwise(bounds))
