"""DeepLabCut: predictions of a video, or a training set with its pictures.

Predictions, `<name>.csv`: a row per frame (number from 0), x, y and likelihood of each body part; a point that is
hidden is left empty. A training set (`images`), `labeled-data/<video>/CollectedData_<scorer>.csv`: three index columns
("labeled-data", the video, the picture), x and y alone; only frames in which a point is seen. Pixels, whole numbers are
pixels. With tables installed the same lies beside it as `.h5` (key "df_with_missing"), which is written and never read:
HDF5 of pandas can hold pickles. Source: DeepLabCut's documentation, and its files as sleap-io and pandas read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..clip import TrackedClip
from ..conventions import CONVENTIONS
from ..options import ReadOptions, WriteOptions
from ..output_files import check_free, complete_file, library_path
from ..pictures import complete_folder, write_pictures
from .poses import FoundPoses, clip_of_poses, poses_of, shown_xy
from .scorer_table import header_rows, read_table, write_table

FOLDER = "labeled-data"
_PREDICTED = ("x", "y", "likelihood")
_LABELLED = ("x", "y")
# more than was measured of any .h5
_LEAST_BYTES, _BYTES_PER_VALUE = 2**20, 100


def write_clips(path: Path, clips: Iterable[TrackedClip], options: WriteOptions) -> None:
    """Writes one clip.

    Raises:
        FormatError: if names are not unique
        VideoError: if pictures are asked for and the video cannot be read
        OutputError
    """
    (clip,) = clips
    header, places, values = table_of(clip, options, "dlc")
    if not options.images:
        check_free(path, overwrite=options.overwrite)
        _write_both(path, header, places, values, options)
        return
    kept = np.isfinite(values).any(axis=1)
    values, frames = values[kept], clip.frames[kept]
    names = [f"img{number:04d}.png" for number in (frames + options.first_frame).tolist()]
    with complete_folder(path.parent, overwrite=options.overwrite) as folder:
        write_pictures(clip.path, frames, folder, names)
        _write_both(folder / path.name, header, [(FOLDER, path.parent.name, name) for name in names], values, options)


def _write_both(
    path: Path,
    header: list[tuple[str, list[str]]],
    places: Sequence[Sequence[str | int]],
    values: np.ndarray,
    options: WriteOptions,
) -> None:
    """The .h5 where that is possible, and the .csv last: where it lies all is there."""
    if find_spec("tables") is not None:
        _write_h5(path.with_suffix(".h5"), header, places, values, options)
    with complete_file(path, overwrite=options.overwrite) as file:
        write_table(file, header, places, values)


def table_of(
    clip: TrackedClip, options: WriteOptions, name: str
) -> tuple[list[tuple[str, list[str]]], Sequence[Sequence[str | int]], np.ndarray]:
    """(header rows, first columns, (T, C) values) of a clip, as predictions or, with pictures, as training labels.

    Args:
        clip: the tracks
        options: as given
        name: of the format, for its convention
    """
    poses = poses_of(clip, options.names)
    xy = CONVENTIONS[name].to_file(shown_xy(clip, poses), clip.size_px or (1, 1))
    parts = [xy]
    if not options.images:
        score = poses.values(clip.tracks.confidence, np.nan)
        parts.append(np.where(np.isfinite(xy).all(axis=-1), score, np.nan)[..., None])
    values = np.concatenate(parts, axis=-1)
    flat = values.reshape(len(values), -1)  # (T, C)
    flat = flat.astype(np.float32).astype("U32").astype(np.float64)  # the digits that the positions have
    header = header_rows(poses, options.scorer, _LABELLED if options.images else _PREDICTED)
    return header, [(int(number),) for number in clip.frames + options.first_frame], flat


def _write_h5(
    path: Path,
    header: Iterable[tuple[str, list[str]]],
    places: Sequence[Sequence[str | int]],
    values: np.ndarray,
    options: WriteOptions,
) -> None:
    import pandas as pd

    names, cells = zip(*header, strict=True)
    columns = pd.MultiIndex.from_arrays(list(cells), names=list(names))
    index: Any = pd.MultiIndex.from_tuples(places) if options.images else pd.Index([place[0] for place in places])
    frame = pd.DataFrame(values, index=index, columns=columns)
    expected_bytes = _LEAST_BYTES + _BYTES_PER_VALUE * (values.size + values.shape[1] * 10)
    with library_path(path, overwrite=options.overwrite, expected_bytes=expected_bytes) as scratch:
        frame.to_hdf(scratch, key="df_with_missing", mode="w")


def read_clips(path: Path, options: ReadOptions) -> Iterator[TrackedClip]:
    """Yields the clip of a .csv file, of predictions or of a training set.

    Raises:
        FormatError: if it is no such table; names what is missing, or the row
    """
    yield clip_of_table(path, options, "dlc")


def clip_of_table(path: Path, options: ReadOptions, name: str) -> TrackedClip:
    """The clip of a table; for the name of a format see `table_of`."""
    table = read_table(path)
    found = table.poses
    xy = CONVENTIONS[name].from_file(found.xy, (1, 1))
    return clip_of_poses(
        FoundPoses(found.individuals, found.nodes, xy, found.score),
        table.frames - options.first_frame,
        str(path),
    )
