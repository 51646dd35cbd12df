"""A clip as the columns of a tidy table, one row per point and frame, and back.

Positions are pixels of the displayed frame, (0, 0) the centre of the first; `frame` counts from 0, `track` from 1.
A point that is hidden stands there with `visible` 0 where its position is known; one without a position has no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...coordinates import FIRST_TRACK_INDEX
from ...errors import FormatError
from ...types import Tracks
from ..clip import UNNAMED, TrackedClip, check_cells
from ..conventions import CONVENTIONS

KEYS = ("sample_id", "filepath")
NUMBERS = ("frame", "time_s", "track", "x", "y", "visible", "confidence", "object", "keyframe")
COLUMNS = (
    *(*KEYS, "frame", "time_s", "track", "label", "x", "y", "visible", "confidence"),
    *("object", "node", "keyframe"),
)
"""In the order in which they stand."""
NEEDED = ("frame", "track", "x", "y")
_LARGEST = 10**9


def columns_of(clip: TrackedClip, first_frame: int) -> dict[str, np.ndarray]:
    """The columns of a clip's table, sorted by track, then frame.

    Args:
        clip: the tracks
        first_frame: the number that the video's first frame has

    Returns:
        name -> (R,); x and y float64, `label` and `node` objects, `object` -1 where there is none
    """
    column, row = np.nonzero(clip.known.T)
    tracks = clip.tracks
    size = clip.size_px or (1, 1)
    xy = CONVENTIONS["csv"].to_file(tracks.xy[row, column], size)
    frame = clip.frames[row]
    times = np.full(len(row), np.nan) if not clip.fps else frame / clip.fps
    objects = np.array([-1 if number is None else number for number in clip.object_list()], dtype=np.int64)
    keyframes = np.zeros(tracks.visible.shape, dtype=bool) if clip.keyframes is None else clip.keyframes
    nodes = np.array([name or "" for name in clip.node_list()], dtype=object)
    return {
        "frame": frame + first_frame,
        "time_s": times,
        "track": clip.indices[column],
        "label": np.array(clip.labels(), dtype=object)[column],
        "x": xy[:, 0],
        "y": xy[:, 1],
        "visible": tracks.visible[row, column].astype(np.int64),
        "confidence": tracks.confidence[row, column],
        "object": objects[column],
        "node": nodes[column],
        "keyframe": keyframes[row, column].astype(np.int64),
    }


def check_header(found: Sequence[str], place: str) -> None:
    """Refuses a table that lacks columns, or has one twice.

    Raises:
        FormatError: naming them
    """
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise FormatError(f"{place} lacks the columns {', '.join(missing)}. Needed are {', '.join(NEEDED)}")
    doubled = sorted({name for name in found if name in COLUMNS and list(found).count(name) > 1})
    if doubled:
        raise FormatError(f"{place} has the column {doubled[0]!r} twice")


def clip_of(columns: Mapping[str, Sequence[Any] | np.ndarray], first_frame: int, place: str) -> TrackedClip:
    """The clip of a table's columns.

    Args:
        columns: name -> (R,) values: numbers (NaN = nothing), texts for `KEYS`, `label` and `node`; those of one video
        first_frame: the number that the video's first frame has
        place: of the table, for messages

    Returns:
        the tracks in the order of their numbers; only frames with a row are rows

    Raises:
        FormatError: saying which row (from 1, without the header) is wrong, and how
    """
    number = len(columns["frame"])
    frame = _whole(columns["frame"], place, "frame", first_frame) - first_frame
    track = _whole(columns["track"], place, "track", FIRST_TRACK_INDEX)
    xy = np.stack([_floats(columns[name], place, name) for name in ("x", "y")], axis=-1)  # (R, 2)
    known: np.ndarray = np.asarray(np.isfinite(xy).all(axis=1))
    visible = _flags(columns.get("visible"), number, place, "visible", default=True)
    if (visible & ~known).any():
        bad = int(np.flatnonzero(visible & ~known)[0])
        raise FormatError(f"{place}, row {bad + 1}: the point is visible at {xy[bad].tolist()}, which is no position")
    confidence = _shares(columns.get("confidence"), number, place)
    frames, row = np.unique(frame, return_inverse=True)
    indices, column = np.unique(track, return_inverse=True)
    _check_single(row, column, place, frame + first_frame, track)
    check_cells(len(frames), len(indices), number, place)
    shape = (len(frames), len(indices))
    values = {
        "xy": np.full((*shape, 2), np.nan),
        "visible": np.zeros(shape, dtype=bool),
        "confidence": np.zeros(shape, dtype=np.float32),
        "keyframes": np.zeros(shape, dtype=bool),
    }
    values["xy"][row, column] = np.where(known[:, None], xy, np.nan)
    values["visible"][row, column] = visible
    values["confidence"][row, column] = np.where(known, confidence, 0)
    values["keyframes"][row, column] = _flags(columns.get("keyframe"), number, place, "keyframe", default=False)
    return TrackedClip(
        Tracks(
            CONVENTIONS["csv"].from_file(values["xy"], (1, 1)),
            values["visible"],
            values["confidence"],
            labels=_texts_of_tracks(columns.get("label"), column, len(indices), UNNAMED),
            objects=_objects_of_tracks(columns.get("object"), column, len(indices), place),
        ),
        frames,
        indices,
        None,
        nodes=_texts_of_tracks(columns.get("node"), column, len(indices), ""),
        keyframes=values["keyframes"] if values["keyframes"].any() else None,
        path=_first(columns.get("filepath")),
        sample_id=_first(columns.get("sample_id")),
    )


def check_new(seen: set[tuple[str, str]], key: tuple[str, str], place: str) -> None:
    """Notes a video whose rows begin; refuses one whose rows were over.

    Raises:
        FormatError: naming it
    """
    if key in seen:
        raise FormatError(
            f"{place}: the rows of {key[0] or key[1]} stand apart. Sort the table by sample_id and filepath"
        )
    seen.add(key)


def _first(values: Any) -> str:
    return "" if values is None or not len(values) or values[0] is None else str(values[0])


def _floats(values: Any, place: str, name: str) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    bad = np.flatnonzero(np.isinf(found) | (np.abs(found) > _LARGEST))
    if bad.size:
        raise FormatError(f"{place}, row {bad[0] + 1}: {name} is {found[bad[0]]:g}, which is no position in pixels")
    return found


def _whole(values: Any, place: str, name: str, least: int) -> np.ndarray:
    found = np.asarray(values, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(found) | (found != np.floor(found)) | (found < least) | (found > _LARGEST))
    if bad.size:
        raise FormatError(
            f"{place}, row {bad[0] + 1}: {name} is {found[bad[0]]:g}. Expected a whole number from {least}"
        )
    return found.astype(np.int64)


def _flags(values: Any, number: int, place: str, name: str, *, default: bool) -> np.ndarray:
    if values is None:
        return np.full(number, default)
    found = np.asarray(values, dtype=np.float64)
    found = np.where(np.isnan(found), float(default), found)
    bad = np.flatnonzero((found != 0) & (found != 1))
    if bad.size:
        raise FormatError(f"{place}, row {bad[0] + 1}: {name} is {found[bad[0]]:g}. Expected 0 or 1")
    return found == 1


def _shares(values: Any, number: int, place: str) -> np.ndarray:
    if values is None:
        return np.ones(number)
    found = np.asarray(values, dtype=np.float64)
    found = np.where(np.isnan(found), 1.0, found)
    bad = np.flatnonzero(~((found >= 0) & (found <= 1)))
    if bad.size:
        raise FormatError(f"{place}, row {bad[0] + 1}: confidence is {found[bad[0]]:g}. Expected 0 to 1")
    return found


def _check_single(row: np.ndarray, column: np.ndarray, place: str, frame: np.ndarray, track: np.ndarray) -> None:
    cell = row.astype(np.int64) * (int(column.max(initial=0)) + 1) + column
    _, first = np.unique(cell, return_index=True)
    if len(first) < len(cell):
        bad = int(np.setdiff1d(np.arange(len(cell)), first)[0])
        raise FormatError(f"{place}, row {bad + 1}: track {track[bad]} stands there twice in frame {frame[bad]}")


def _texts_of_tracks(values: Any, column: np.ndarray, number: int, unnamed: str) -> np.ndarray | None:
    """The first text that each track has; None where none has another than the default."""
    named = np.full(number, None, dtype=object)
    if values is None:
        return None
    for track, text in zip(column[::-1].tolist(), reversed(list(values)), strict=True):
        if isinstance(text, str) and text and text != unnamed:
            named[track] = text
    return named if any(text is not None for text in named) else None


def _objects_of_tracks(values: Any, column: np.ndarray, number: int, place: str) -> np.ndarray | None:
    if values is None:
        return None
    found = np.asarray(values, dtype=np.float64)
    found = np.where(np.isnan(found), -1, found)
    objects = np.full(number, None, dtype=object)
    whole = _whole(found, place, "object", -1)
    for track, value in zip(column[::-1].tolist(), whole[::-1].tolist(), strict=True):
        if value >= 0:
            objects[track] = int(value)
    return objects
