"""What every import shares: a new dataset, a folder for its media, and known tracks beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np

from ...store.labels.known_tracks import sparse_field_of
from ...store.tracks.writer import write_tracks
from ...tracker.errors import OptionError, OutputError
from ...tracker.metrics.truth import choose_queries
from ...tracker.types import Tracks

# DAVIS' rate; the files do not tell
DEFAULT_FPS = 24.0


def new_dataset(name: str | None, persistent: bool) -> fo.Dataset:
    if name is not None and fo.dataset_exists(name):
        raise OptionError(f"There is a dataset {name!r} already. Choose another name, or delete that one")
    return fo.Dataset(name, persistent=persistent)


def media_folder(output_dir: str | os.PathLike[str] | None, dataset_name: str) -> Path:
    folder = Path(output_dir) if output_dir is not None else Path(fo.config.default_dataset_dir, dataset_name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror or error}") from error
    return folder


def add_known_tracks(
    dataset: fo.Dataset,
    video_path: str,
    xy: np.ndarray,
    visible: np.ndarray,
    gt_field: str,
    fields: Mapping[str, Any],
    *,
    sparse: bool,
    valid: np.ndarray | None = None,
    queries: list[list[float]] | None = None,
) -> None:
    """Adds a sample with known tracks."""
    if queries is None:
        query_t, points = choose_queries(visible, valid)
        queries = [[int(t), *map(float, xy[t, n])] for t, n in zip(query_t, points, strict=True)]
    sample = fo.Sample(filepath=video_path, queries=queries, **fields, **{sparse_field_of(gt_field): sparse})
    dataset.add_sample(sample)
    known: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
    known = known if valid is None else known & valid
    tracks = Tracks(np.where(known[..., None], xy, np.nan), visible & known, known.astype(np.float32))
    write_tracks(sample, gt_field, tracks, keep_hidden=True)
