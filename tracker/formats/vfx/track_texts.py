"""What the text files of several programs share: names that are no code, numbers, and where a track is seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..clip import UNNAMED, TrackedClip, stretches
from ..conventions import CONVENTIONS

_ALLOWED = " _-."


@dataclass(frozen=True, eq=False)
class TrackPath:
    """One track as a program draws it.

    Args:
        name: letters, digits, spaces and "_-." alone: what these programs would run stands in other characters
        frames: (K,) int, numbers of the frames in which it is seen
        xy: (K, 2) float64, in the program's units
        runs: slices of these that stand in frames that follow each other
    """

    name: str
    frames: np.ndarray
    xy: np.ndarray
    runs: tuple[slice, ...]


def track_paths(clip: TrackedClip, name: str, first_frame: int) -> Iterator[TrackPath]:
    """Yields the tracks of a clip that are ever seen.

    Args:
        clip: the tracks
        name: of the format, for its convention
        first_frame: the number that the video's first frame has
    """
    xy = CONVENTIONS[name].to_file(clip.tracks.xy, clip.size_px or (1, 1))
    numbered = zip(clip.labels(), clip.node_list(), clip.indices.tolist(), strict=True)
    for column, (label, node, index) in enumerate(numbered):
        there = clip.tracks.visible[:, column]
        rows = np.flatnonzero(there)
        if not rows.size:
            continue
        ends = np.cumsum([run.stop - run.start for run in stretches(clip.frames, there)]).tolist()
        runs = tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))
        called = f"{UNNAMED} {index}" if label == UNNAMED and not node else f"{node or label} {index}"
        yield TrackPath(safe_name(called), clip.frames[rows] + first_frame, xy[rows, column], runs)


def safe_name(text: str) -> str:
    """A name in which nothing is code of any of these programs, and nothing ends a line or a column."""
    return "".join(c if c.isalnum() or c in _ALLOWED else "_" for c in text)


def number(value: float, digits: int = 4) -> str:
    """A number with as few digits as it needs."""
    text = f"{value:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
