"""Nuke: a Tracker4 node as text (.nk), to be opened or pasted.

Pixels from the bottom-left corner of the frame, y up; frames as in the project, from 1 unless `frame_offset` says
otherwise. Nuke draws lines between keys: in gaps the track's `enable` is 0. Source: Tracker4 nodes that Nuke saved;
not opened in the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from ..clip import TrackedClip
from ..options import WriteOptions
from ..output_files import complete_file
from .track_texts import TrackPath, number, track_paths

_SIDES = ("x", "y", "r", "t")
_COLUMNS: tuple[tuple[str, str, str], ...] = (
    *(("5 1 20", "enable", "e"), ("3 1 75", "name", "name")),
    *(("2 1 58", name, name) for name in ("track_x", "track_y")),
    *(("2 1 63", name, name) for name in ("offset_x", "offset_y")),
    *(("4 1 27", name, name) for name in ("T", "R", "S")),
    ("2 0 45", "error", "error"),
    *(("1 1 0", name, name) for name in ("error_min", "error_max")),
    *(("1 1 0", f"{box}_{side}", f"{box}_{side}") for box in ("pattern", "search") for side in _SIDES),
    ("2 1 0", "key_track", "key_track"),
    *(("2 1 0", f"{box}_{side}", f"{box}_{side}") for box in ("key_search", "key_track") for side in _SIDES),
    *(("2 1 0", f"key_centre_offset_{side}", f"key_centre_offset_{side}") for side in ("x", "y")),
)
_FIXED = "{curve K x%d 0} {curve K x%d 0} 1 0 0 {curve x%d 0} 1 0 -32 -32 32 32 -22 -22 22 22 " + "{} " * 11


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip as a node.

    Raises:
        OutputError
    """
    (clip,) = clips
    tracks = list(track_paths(clip, "nuke", options.first_frame))
    last = int(clip.frames.max(initial=0)) + options.first_frame
    with complete_file(path, overwrite=options.overwrite) as file:
        file.write(f"Tracker4 {{\n inputs 0\n tracks {{ {{ 1 {len(_COLUMNS)} {len(tracks)} }}\n{{\n")
        for kind, name, short in _COLUMNS:
            file.write(f" {{ {kind} {name} {short} 1 }}\n")
        file.write("}\n{\n")
        for track in tracks:
            file.write(f" {_row(track, options.first_frame, last)}\n")
        file.write("} }\n name Tracker1\n}\n")


def _row(track: TrackPath, first: int, last: int) -> str:
    x, y = (_curve(track, track.xy[:, axis]) for axis in (0, 1))
    fixed = (_FIXED % (first, first, first)).strip()
    return f'{{ {_enabled(track, first, last)} "{track.name}" {x} {y} {fixed} }}'


def _enabled(track: TrackPath, first: int, last: int) -> str:
    """When the track counts: a curve of steps."""
    keys: list[tuple[int, int]] = []
    starts = [(int(track.frames[run.start]), int(track.frames[run.stop - 1])) for run in track.runs]
    if starts[0][0] > first:
        keys.append((first, 0))
    for begin, end in starts:
        keys.append((begin, 1))
        if end < last:
            keys.append((end + 1, 0))
    return "{curve K " + " ".join(f"x{frame} {value}" for frame, value in keys) + "}"


def _curve(track: TrackPath, values: np.ndarray) -> str:
    parts: list[str] = []
    for run in track.runs:
        parts.append(f"x{int(track.frames[run.start])}")
        parts += _numbers(values[run].tolist())
    return "{curve " + " ".join(parts) + "}"


def _numbers(values: Sequence[float]) -> list[str]:
    return [number(value) for value in values]
