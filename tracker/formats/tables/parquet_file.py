"""Tidy parquet: the table of `csv_file`, zstd compressed, texts as dictionaries, a group of rows per video.

The key "point_tracking" of the file's metadata holds JSON: version, units, and per video its size and rate. Units,
origin and first frame: `rows`. Needs pyarrow. Source: our own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..extras import needed
from ..options import ReadOptions, WriteOptions
from ..output_files import complete_path
from .rows import COLUMNS, KEYS, NEEDED, NUMBERS, check_header, check_new, clip_of, columns_of

_TEXTS = ("sample_id", "filepath", "label", "node")
_WHOLE = ("frame", "track", "object")
_FLAGS = ("visible", "keyframe")
_METADATA = b"point_tracking"
_VERSION = 1


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes the tracks of clips.

    Raises:
        OutputError
        DependencyError: without pyarrow
    """
    arrow, parquet = needed("pyarrow", "parquet"), needed("pyarrow.parquet", "parquet")
    schema = _schema(arrow)
    videos: list[dict[str, Any]] = []
    with (
        complete_path(path, overwrite=options.overwrite) as part,
        parquet.ParquetWriter(part, schema, compression="zstd", use_dictionary=list(_TEXTS)) as writer,
    ):
        for clip in clips:
            videos.append(_about(clip))
            writer.write_table(_table(arrow, schema, clip, options.first_frame))
        facts = {"version": _VERSION, "units": "pixels, (0, 0) = centre of the first", "videos": videos}
        writer.add_key_value_metadata({_METADATA: json.dumps(facts).encode()})


def _schema(arrow: Any) -> Any:
    kinds = {
        **dict.fromkeys(_TEXTS, arrow.string()),
        **dict.fromkeys(_WHOLE, arrow.int32()),
        **dict.fromkeys(_FLAGS, arrow.bool_()),
        **dict.fromkeys(("x", "y", "confidence"), arrow.float32()),
        "time_s": arrow.float64(),
    }
    return arrow.schema([(name, kinds[name]) for name in COLUMNS])


def _about(clip: TrackedClip) -> dict[str, Any]:
    return {"sample_id": clip.sample_id, "filepath": clip.path, "fps": clip.fps, "size": clip.size_px}


def _table(arrow: Any, schema: Any, clip: TrackedClip, first_frame: int) -> Any:
    columns: dict[str, Any] = dict(columns_of(clip, first_frame))
    number = len(columns["frame"])
    columns |= {"sample_id": [clip.sample_id] * number, "filepath": [clip.path] * number}
    columns["object"] = [None if value < 0 else value for value in columns["object"].tolist()]
    columns["time_s"] = [None if np.isnan(value) else value for value in columns["time_s"].tolist()]
    for name in _FLAGS:
        columns[name] = columns[name].astype(bool)
    for name in ("label", "node"):
        columns[name] = columns[name].tolist()
    return arrow.table([arrow.array(columns[f.name], f.type) for f in schema], schema=schema)


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clips of a file, one after another; a file without the columns `KEYS` is one clip.

    Raises:
        FormatError: if it is no such table; names what is missing, or the row
        DependencyError: without pyarrow
    """
    sizes = _sizes(path)
    for columns in _tables(path):
        clip = clip_of(columns, options.first_frame, str(path))
        yield replace(clip, size_px=sizes.get(clip.sample_id))


def _sizes(path: Path) -> dict[str, tuple[int, int]]:
    """Sample id -> (width, height), where the file says so."""
    with _opened(path) as file:
        try:
            videos = json.loads((file.metadata.metadata or {}).get(_METADATA) or b"{}").get("videos", [])
            return {str(one["sample_id"]): (int(one["size"][0]), int(one["size"][1])) for one in videos if one["size"]}
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return {}  # of another program


def read_keys(path: Path) -> list[tuple[str, str]]:
    """(sample id, path of the video) of each clip in a file, empty where it does not say.

    Raises:
        FormatError: if it is no such table
    """
    found: dict[tuple[str, str], None] = {}
    for batch, names in _batches(path, KEYS):
        for key in _keys_of(batch, names):
            found.setdefault(key)
    return list(found)


def _tables(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of each video, as columns."""
    seen: set[tuple[str, str]] = set()
    current: tuple[str, str] | None = None
    parts: list[dict[str, Any]] = []
    header: list[str] = []
    for batch, names in _batches(path, COLUMNS):
        header = names
        columns = {name: _plain(batch.column(name), name, path) for name in names}
        start = 0
        for key, rows in groupby(_keys_of(batch, names)):
            end = start + len(list(rows))
            if key != current:
                if current is not None:
                    yield _joined(parts)
                check_new(seen, key, str(path))
                current, parts = key, []
            parts.append({name: values[start:end] for name, values in columns.items()})
            start = end
    # a table without rows is of a video without tracks
    yield _joined(parts) if current is not None else {name: np.empty(0) for name in header or NEEDED}


def _joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _keys_of(batch: Any, names: list[str]) -> list[tuple[str, str]]:
    columns = [
        [str(text or "") for text in batch.column(name).to_pylist()] if name in names else [""] * batch.num_rows
        for name in KEYS
    ]
    return list(zip(*columns, strict=True))


def _batches(path: Path, wanted: Iterable[str]) -> Iterator[tuple[Any, list[str]]]:
    with _opened(path) as file:
        header = list(file.schema_arrow.names)
        check_header(header, str(path))
        names = [name for name in header if name in wanted]
        # keys alone need a column that is always there, to know how many rows there are
        for batch in file.iter_batches(columns=names or ["frame"]):
            yield batch, names


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    arrow, parquet = needed("pyarrow", "parquet"), needed("pyarrow.parquet", "parquet")
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (arrow.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{path} is no parquet file, or damaged: {error}") from error


def _plain(column: Any, name: str, path: Path) -> np.ndarray:
    """A column as numbers (NaN = nothing) or texts."""
    values = column.to_pylist()
    if name not in NUMBERS:
        return np.array(["" if value is None else str(value) for value in values], dtype=object)
    try:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    except (TypeError, ValueError):
        raise FormatError(f"{path}: the column {name!r} holds other things than numbers") from None
