"""The CSV of DeepLabCut and lightning-pose: header rows scorer, (individuals,) bodyparts and coords, a row per frame.

Columns come in pairs x, y of training labels, or in threes x, y, likelihood of predictions. The first column, or the
first three in DeepLabCut's newer training sets, say which frame a row is of: its number, or the path of its picture,
whose name ends in that number.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from ...errors import FormatError
from .poses import FoundPoses, Poses

_HEADERS = ("scorer", "individuals", "bodyparts", "coords")
_COORDS = ("x", "y", "likelihood")
_DIGITS = re.compile(r"(\d+)\D*$")
_MOST_DIGITS = 9


@dataclass(frozen=True, eq=False)
class ScorerTable:
    """What such a file holds.

    Args:
        frames: (T,) int, number of each row's frame
        poses: as `FoundPoses`, in the file's own units
    """

    frames: np.ndarray
    poses: FoundPoses


def header_rows(poses: Poses, scorer: str, coords: Sequence[str]) -> list[tuple[str, list[str]]]:
    """(name, cells) of each header row; individuals only where there are several."""
    several = len(poses.individuals) > 1
    cells = [
        (scorer, individual, node, coord)
        for individual in poses.individuals
        for node in poses.nodes
        for coord in coords
    ]
    names = [name for name in _HEADERS if several or name != "individuals"]
    return [(name, [cell[_HEADERS.index(name)] for cell in cells]) for name in names]


def write_table(
    file: TextIO, header: Iterable[tuple[str, list[str]]], places: Sequence[Sequence[str | int]], values: np.ndarray
) -> None:
    """Writes a table.

    Args:
        file: to write to
        header: of `header_rows`
        places: (T, P) what the first columns say of each row
        values: (T, C) float, NaN is left empty
    """
    writer = csv.writer(file, lineterminator="\n")
    width = len(places[0]) if places else 1
    for name, cells in header:
        writer.writerow([name, *[""] * (width - 1), *cells])
    for place, row in zip(places, values.tolist(), strict=True):
        writer.writerow([*place, *("" if math.isnan(value) else repr(value) for value in row)])


def read_table(path: Path) -> ScorerTable:
    """Reads a table.

    Args:
        path: of the .csv file

    Raises:
        FormatError: if it is none; names the header row that is missing, or the row that is wrong
    """
    if path.suffix.lower() in (".h5", ".hdf5"):
        raise FormatError(f"{path} is an HDF5 file, which can hold code. Give the .csv that lies beside it")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file, strict=True) if row]
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no text in UTF-8: {error}") from error
    except csv.Error as error:
        raise FormatError(f"{path} is no CSV, or was cut off: {error}") from error
    except OSError as error:
        raise FormatError(f"{path} cannot be read: {error.strerror or error}") from error
    header = {row[0]: row for row in rows[:4] if row[0] in _HEADERS}
    missing = [name for name in ("scorer", "bodyparts", "coords") if name not in header]
    if missing:
        raise FormatError(f"{path} lacks the header rows {', '.join(missing)}: it is no table of DeepLabCut's kind")
    start = next((k for k, cell in enumerate(header["scorer"]) if k and cell), len(header["scorer"]))
    columns = _columns(header, start, path)
    individuals = list(dict.fromkeys(individual for individual, _, _ in columns))
    nodes = list(dict.fromkeys(node for _, node, _ in columns))
    body = rows[len(header) :]
    values = np.full((len(body), len(individuals), len(nodes), 3), np.nan)
    frames = np.empty(len(body), dtype=np.int64)
    for number, row in enumerate(body, start=1):
        if len(row) != len(header["coords"]):
            raise FormatError(f"{path}, row {number}: {len(row)} values for {len(header['coords'])} columns")
        frames[number - 1] = _frame_of(row[:start], path, number)
        for cell, (individual, node, coord) in zip(row[start:], columns, strict=True):
            place = individuals.index(individual), nodes.index(node), _COORDS.index(coord)
            values[(number - 1, *place)] = _number(cell, path, number, f"{node} {coord}")
    return ScorerTable(frames, FoundPoses(individuals, nodes, values[..., :2], values[..., 2]))


def _columns(header: dict[str, list[str]], start: int, path: Path) -> list[tuple[str, str, str]]:
    """(individual, node, coordinate) of each column with numbers."""
    widths = {len(row) for row in header.values()}
    if len(widths) > 1:
        raise FormatError(f"{path} has header rows of different lengths: {sorted(widths)}")
    individuals = header.get("individuals") or [""] * len(header["coords"])
    columns = list(zip(individuals[start:], header["bodyparts"][start:], header["coords"][start:], strict=True))
    wrong = [coord for _, _, coord in columns if coord not in _COORDS]
    if wrong:
        raise FormatError(f"{path} has the column {wrong[0]!r}. Expected {', '.join(_COORDS)}")
    if len(set(columns)) < len(columns):
        twice = next(column for column in columns if columns.count(column) > 1)
        raise FormatError(f"{path} has the column {' '.join(filter(None, twice))} twice")
    for individual, node, _ in columns:
        missing = [coord for coord in ("x", "y") if (individual, node, coord) not in columns]
        if missing:
            raise FormatError(f"{path} lacks the column {' '.join(filter(None, (individual, node)))} {missing[0]}")
    return columns


def _frame_of(cells: Sequence[str], path: Path, row: int) -> int:
    text = next((cell for cell in reversed(cells) if cell.strip()), "").strip()
    if text.replace(".0", "", 1).isascii() and text.replace(".0", "", 1).isdigit():
        text = text.removesuffix(".0")
        found = text
    else:
        match = _DIGITS.search(Path(text.replace("\\", "/")).stem)
        found = match.group(1) if match else ""
    if not found or not found.isascii() or len(found.lstrip("0")) > _MOST_DIGITS:
        raise FormatError(f"{path}, row {row}: {text!r:.60} does not say which frame it is of")
    return int(found)


def _number(text: str, path: Path, row: int, what: str) -> float:
    stripped = text.strip()
    if not stripped:
        return math.nan
    try:
        return float(stripped)
    except ValueError:
        raise FormatError(f"{path}, row {row}: {what} is {text!r:.40}. Expected a number") from None
