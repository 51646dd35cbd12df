"""Builds the demo's datasets and compares what was tracked with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import fiftyone as fo
import numpy as np

from ..store.tracks.reader import read_tracks
from ..store.tracks.writer import write_tracks
from ..tracker.models.registry import DEFAULT_TRACKER
from ..tracker.types import Tracks
from ..workflows.tracking.report import TrackReport
from ..workflows.tracking.track_dataset import track_dataset
from .layers import DemoClip

TRACKER = DEFAULT_TRACKER
PREDICTION_FIELD = "tracks"
TRUTH_FIELD = "truth"
MASK_FIELD = "mask"

# what tells the demo's own datasets from others of the same name
_MARK = "made_by_point_tracking_demo"


class DemoError(Exception):
    """The demo cannot go on; the message says what was found and what to do."""


@dataclass(frozen=True)
class Comparison:
    """How far predicted tracks are from the truth.

    Args:
        name: the clip's file name without its ending
        mean_error_px: over the positions visible in both; NaN where there are none
        found: share of the truly visible positions that were declared visible
        false: share of the positions declared visible that are truly hidden
    """

    name: str
    mean_error_px: float
    found: float
    false: float


def new_dataset(name: str) -> fo.Dataset:
    """Makes an empty dataset, in place of the one an earlier demo made.

    Args:
        name: what the dataset is called

    Returns:
        a persistent dataset whose points are coloured by track

    Raises:
        DemoError: if a dataset of that name exists that the demo did not make
    """
    if fo.dataset_exists(name):
        if _MARK not in cast("dict[str, Any]", fo.load_dataset(name).info):
            raise DemoError(
                f"There is a dataset {name!r} that the demo did not make; it was left alone. "
                "Rename it (fiftyone datasets rename) or delete it, then run the demo again"
            )
        fo.delete_dataset(name)
    dataset = fo.Dataset(name, persistent=True)
    cast("dict[str, Any]", dataset.info)[_MARK] = True
    cast("fo.DatasetAppConfig", dataset.app_config).color_scheme = fo.ColorScheme(color_by="instance")
    dataset.save()
    return dataset


def find_videos(folder: Path) -> list[Path]:
    """The video files in a folder, by their extension; not in its subfolders.

    Args:
        folder: to look in

    Returns:
        paths, sorted by name

    Raises:
        DemoError: if there is no such folder, or no video in it
    """
    if not folder.is_dir():
        raise DemoError(f"VIDEOS={folder} is not a folder. Give the folder that holds your videos")
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    videos = [path for path in files if fo.Sample(filepath=str(path)).media_type == "video"]
    if not videos:
        raise DemoError(
            f"There is no video in {folder} ({len(files)} other files). "
            "Looked for files with an extension such as .mp4, .mov, .avi, .mkv, .webm, not in subfolders"
        )
    return videos


def track_videos(name: str, videos: Sequence[Path], grid_size: int) -> tuple[fo.Dataset, TrackReport]:
    """Builds a dataset of video files and tracks a grid of points through them.

    Args:
        name: what the dataset is called
        videos: files; one that does not decode becomes a failure in the report
        grid_size: points per side in the first frame

    Returns:
        the dataset and what was done

    Raises:
        DemoError: if the name is taken
    """
    dataset = new_dataset(name)
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in videos], progress=False)
    return dataset, track_dataset(dataset, PREDICTION_FIELD, tracker=TRACKER, grid_size=grid_size)


def track_clips(name: str, clips: Sequence[DemoClip]) -> tuple[fo.Dataset, TrackReport, list[Comparison]]:
    """Builds a dataset of the demo's own clips, with the truth beside the prediction.

    Args:
        name: what the dataset is called
        clips: from `make_clips`

    Returns:
        the dataset, what was done, and one comparison per clip that was tracked

    Raises:
        DemoError: if the name is taken
    """
    dataset = new_dataset(name)
    samples = []
    for clip in clips:
        mask = fo.Segmentation(mask=clip.mask.astype(np.uint8) * 255)
        samples.append(fo.Sample(filepath=str(clip.path), **{MASK_FIELD: mask}))
    dataset.add_samples(samples, progress=False)
    # the same points in the same order, so that a track has the same index in both fields
    points = {}
    for sample, clip in zip(samples, clips, strict=True):
        rows = zip(clip.queries.t.tolist(), clip.queries.xy.tolist(), strict=True)
        points[sample.id] = [(t, x, y) for t, (x, y) in rows]
    report = track_dataset(dataset, PREDICTION_FIELD, tracker=TRACKER, points=points)
    failed = {failure.sample_id for failure in report.failures}
    comparisons = []
    for sample, clip in zip(samples, clips, strict=True):
        sample.reload()
        write_tracks(sample, TRUTH_FIELD, clip.truth)
        if sample.id not in failed:
            comparisons.append(compare(clip.path.stem, read_tracks(sample, PREDICTION_FIELD), clip.truth))
    return dataset, report, comparisons


def compare(name: str, predicted: Tracks, truth: Tracks) -> Comparison:
    """Compares tracks of the same points in the same frames.

    Args:
        name: the clip's file name without its ending
        predicted: from a tracker
        truth: of the same shape
    """
    both = predicted.visible & truth.visible
    distance = np.linalg.norm(predicted.xy[both] - truth.xy[both], axis=-1)
    return Comparison(
        name=name,
        mean_error_px=float(distance.mean()) if distance.size else float("nan"),
        found=both.sum() / max(truth.visible.sum(), 1),
        false=1 - both.sum() / max(predicted.visible.sum(), 1),
    )
