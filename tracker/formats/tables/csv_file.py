"""Tidy CSV: one row per point and frame, of one video or of many, in UTF-8.

Columns: `rows.COLUMNS`. Units, origin and first frame: `rows`. pandas reads it in one call; `df.pivot(index="frame",
columns="track", values="x")` gives a matrix. Source: our own.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FormatError
from ..clip import TrackedClip
from ..options import ReadOptions, WriteOptions
from ..output_files import complete_file
from .rows import COLUMNS, KEYS, NUMBERS, check_header, check_new, clip_of, columns_of

_WHOLE = ("frame", "track", "visible", "object", "keyframe")


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes the tracks of clips.

    Raises:
        OutputError
    """
    with complete_file(path, overwrite=options.overwrite) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for clip in clips:
            columns = _texts(columns_of(clip, options.first_frame))
            keys = [[clip.sample_id] * len(columns["frame"]), [clip.path] * len(columns["frame"])]
            writer.writerows(zip(*keys, *(columns[name] for name in COLUMNS[len(KEYS) :]), strict=True))


def _texts(columns: Mapping[str, np.ndarray]) -> dict[str, Sequence[Any]]:
    """Columns as they stand in the file: positions with the fewest digits that read as the same float32."""
    texts: dict[str, Sequence[Any]] = {name: values.tolist() for name, values in columns.items()}
    for name in ("x", "y", "confidence"):
        texts[name] = columns[name].astype(np.float32).astype("U32").tolist()
    texts["time_s"] = ["" if math.isnan(value) else f"{value:.6f}" for value in columns["time_s"].tolist()]
    texts["object"] = ["" if number < 0 else number for number in columns["object"].tolist()]
    return texts


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clips of a file, one after another; a file without the columns `KEYS` is one clip.

    Raises:
        FormatError: if it is no such table; names what is missing, or the row
    """
    for columns in _read_tables(path):
        yield clip_of(columns, options.first_frame, str(path))


def read_keys(path: Path) -> list[tuple[str, str]]:
    """(sample id, path of the video) of each clip in a file, empty where it does not say.

    Raises:
        FormatError: if it is no such table
    """
    keys: dict[tuple[str, str], None] = {}
    for _, key, cells in _read_rows(path):
        if cells is not None:
            keys.setdefault(key)
    return list(keys)


def _read_tables(path: Path) -> Iterator[dict[str, list[Any]]]:
    """The rows of each video, as columns."""
    seen: set[tuple[str, str]] = set()
    current: tuple[str, str] | None = None
    columns: dict[str, list[Any]] = {}
    for header, key, cells in _read_rows(path):
        if cells is None:
            yield {name: [] for name in header if name in COLUMNS}
            return
        if key != current:
            if current is not None:
                yield columns
            check_new(seen, key, str(path))
            current, columns = key, {name: [] for name in header if name in COLUMNS}
        for name, value in cells.items():
            columns[name].append(value)
    if current is not None:
        yield columns


def _read_rows(path: Path) -> Iterator[tuple[list[str], tuple[str, str], dict[str, Any] | None]]:
    """Yields (header, video, values) of each row; of a table without rows its header alone."""
    number = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            check_header(header, str(path))
            wanted = [(place, name) for place, name in enumerate(header) if name in COLUMNS]
            for number, row in enumerate(reader, start=1):
                if len(row) != len(header):
                    raise FormatError(f"{path}, row {number}: {len(row)} values for {len(header)} columns")
                cells = {name: _value(row[place], name, path, number) for place, name in wanted}
                yield header, (str(cells.get("sample_id", "")), str(cells.get("filepath", ""))), cells
            if not number:
                yield header, ("", ""), None
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text in UTF-8: {error}") from error
    except csv.Error as error:
        raise FormatError(f"{path} is no CSV, or was cut off: {error}") from error
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}") from error


def _value(text: str, name: str, path: Path, number: int) -> Any:
    if name not in NUMBERS:
        return text
    stripped = text.strip()
    if not stripped:
        return math.nan
    if name in _WHOLE and stripped.lower() in ("true", "false"):
        return float(stripped.lower() == "true")
    try:
        return float(stripped)
    except ValueError:
        raise FormatError(f"{path}, row {number}: {name} is {text!r:.40}. Expected a number") from None
