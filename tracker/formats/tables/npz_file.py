"""Our own npz: the arrays of one clip, nothing lost. `np.load(path, allow_pickle=False)` reads it.

`xy` (T, N, 2) float32 pixels, (0, 0) the centre of the first, NaN where not known; `visible` (T, N) bool;
`confidence` (T, N) float32; `frames` (T,) frame of each row, from 0; `index` (N,) number of each track, from 1;
`labels` (N,) texts, "" where a track has none; `query_t` (N,), -1 where not known, and `query_xy` (N, 2); `fps`, 0
where not known; `size` (width, height), 0 where not known; where they are known `objects` (N,), -1 for none, `nodes`
(N,) texts, and `keyframes` (T, N) bool; `meta`, a JSON text: version, sample_id, filepath, num_frames, first_frame.
Source: our own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError, ShapeError
from ...types import Tracks
from ..clip import TrackedClip
from ..conventions import CONVENTIONS
from ..npz_arrays import read_arrays
from ..options import ReadOptions, WriteOptions
from ..output_files import complete_path

_VERSION = 1
_NEEDED = ("xy", "visible", "confidence")
_OTHERS = ("frames", "index", "labels", "query_t", "query_xy", "fps", "size", "objects", "nodes", "keyframes", "meta")
_MOST_BYTES = 8 * 2**30


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes the tracks of one clip.

    Raises:
        OutputError
    """
    (clip,) = clips
    size = clip.size_px or (0, 0)
    tracks = clip.tracks
    query_t = np.full(tracks.num_points, -1) if clip.query_t is None else clip.query_t
    about = {
        "version": _VERSION,
        "sample_id": clip.sample_id,
        "filepath": clip.path,
        "num_frames": clip.num_frames,
        "first_frame": options.first_frame,
        "edges": clip.edges,
    }
    arrays: dict[str, Any] = {
        "xy": CONVENTIONS["npz"].to_file(tracks.xy, size if all(size) else (1, 1)).astype(np.float32),
        "visible": tracks.visible,
        "confidence": tracks.confidence,
        "frames": clip.frames + options.first_frame,
        "index": clip.indices,
        "labels": _texts([] if tracks.labels is None else tracks.labels, tracks.num_points),
        "query_t": query_t,
        "query_xy": _query_xy(clip, query_t),
        "fps": np.float64(clip.fps or 0),
        "size": np.array(size, dtype=np.int64),
        "meta": json.dumps(about),
    }
    if tracks.objects is not None:
        arrays["objects"] = np.array([-1 if o is None else o for o in tracks.objects], dtype=np.int64)
    if clip.nodes is not None:
        arrays["nodes"] = _texts(clip.nodes, tracks.num_points)
    if clip.keyframes is not None:
        arrays["keyframes"] = clip.keyframes
    with complete_path(path, overwrite=options.overwrite) as part, part.open("wb") as file:
        np.savez_compressed(file, **arrays)


def _texts(values: Any, number: int) -> np.ndarray:
    named = [value or "" for value in values] if len(values) else [""] * number
    return np.array(named, dtype=np.str_) if named else np.empty(0, dtype="U1")


def _query_xy(clip: TrackedClip, query_t: np.ndarray) -> np.ndarray:
    xy = np.full((len(query_t), 2), np.nan, dtype=np.float32)
    row = {int(t): k for k, t in enumerate(clip.frames)}
    for n, t in enumerate(query_t.tolist()):
        if t in row:
            xy[n] = clip.tracks.xy[row[t], n]
    return xy


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clip of a file.

    Raises:
        FormatError: if it is no such file, lacks arrays, or they do not fit together
    """
    arrays = _read_arrays(path)
    try:
        yield _clip_of(arrays, options)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise FormatError(f"The arrays in {path} do not fit together: {error}") from error


def read_keys(path: Path) -> list[tuple[str, str]]:
    """(sample id, path of the video) of the clip in a file, empty where it does not say."""
    about = _about(_read_arrays(path).get("meta"))
    return [(str(about.get("sample_id") or ""), str(about.get("filepath") or ""))]


def _read_arrays(path: Path) -> dict[str, Any]:
    arrays = read_arrays(path, (*_NEEDED, *_OTHERS), FormatError, "an .npz of tracks", _MOST_BYTES)
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise FormatError(f"{path} lacks the arrays {', '.join(missing)}. Needed are {', '.join(_NEEDED)}")
    return arrays


def _about(meta: np.ndarray | None) -> dict[str, Any]:
    try:
        about = {} if meta is None else json.loads(str(meta))
    except (ValueError, RecursionError):
        return {}
    return about if isinstance(about, dict) else {}


def _clip_of(arrays: dict[str, Any], options: ReadOptions) -> TrackedClip:
    xy = arrays["xy"].astype(np.float32)
    if xy.ndim != 3 or xy.shape[2] != 2:
        raise ShapeError(f"xy has the shape {xy.shape}. Expected (T, N, 2)")
    num_frames, num_points = xy.shape[:2]
    about = _about(arrays.get("meta"))
    size = [int(side) for side in arrays.get("size", np.zeros(2)).ravel()]
    size_px = (size[0], size[1]) if len(size) == 2 and all(side > 0 for side in size) else None
    objects, fps = arrays.get("objects"), float(arrays.get("fps", np.zeros(())))
    tracks = Tracks(
        CONVENTIONS["npz"].from_file(xy, size_px or (1, 1)),
        arrays["visible"],
        arrays["confidence"],
        labels=_names(arrays.get("labels")),
        objects=None if objects is None else [None if o < 0 else int(o) for o in objects.tolist()],  # type: ignore[arg-type]
    )
    frames = arrays.get("frames", np.arange(num_frames)).astype(np.int64)
    noted, edges = about.get("num_frames"), about.get("edges")
    return TrackedClip(
        tracks,
        frames - (options.first_frame if "frames" in arrays else 0),
        arrays.get("index", np.arange(1, num_points + 1)),
        size_px,
        num_frames=noted if isinstance(noted, int) else None,
        fps=fps if fps > 0 else None,
        name=Path(str(about.get("filepath") or "")).name,
        path=str(about.get("filepath") or ""),
        sample_id=str(about.get("sample_id") or ""),
        nodes=_names(arrays.get("nodes")),
        edges=tuple((str(a), str(b)) for a, b in edges) if isinstance(edges, list) else (),
        keyframes=arrays["keyframes"].astype(bool) if "keyframes" in arrays else None,
        query_t=arrays["query_t"].astype(np.int64) if "query_t" in arrays else None,
    )


def _names(array: np.ndarray | None) -> np.ndarray | None:
    if array is None or not array.size:
        return None
    named = np.full(len(array), None, dtype=object)
    named[:] = [str(text) or None for text in array.tolist()]
    return named if any(text is not None for text in named) else None
