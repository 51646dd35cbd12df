"""Datasets with known tracks: TAP-Vid's files and clips with a truth file, as FiftyOne datasets and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ...store.database.fields import check_label_name
from ...store.labels.known_tracks import (
    GT_FIELD,
    check_keypoints_field,
    read_known_tracks,
)
from ...store.tracks.videos import check_collection, fill_metadata
from ...tracker.coordinates import inside_frame
from ...tracker.errors import CollectionError, OptionError, OutputError, TruthError
from ...tracker.formats.tap_vid import (
    TapVidClip,
    encode_jpeg,
    placed_clip,
    raster_to_pixels,
    read_tap_vid,
    write_tap_vid,
)
from ...tracker.transcoding.encode import encode_video
from ...tracker.video.frames import VideoFrames
from .new_dataset import DEFAULT_FPS, add_known_tracks, media_folder, new_dataset

_VIDEO_FORMS = ("jpeg", "raw")
_NOT_IN_FILE_NAMES = re.compile(r"[^\w.-]+")


def load_tapvid(
    path: str | os.PathLike[str],
    name: str | None = None,
    *,
    output_dir: str | os.PathLike[str] | None = None,
    gt_field: str = GT_FIELD,
    fps: float = DEFAULT_FPS,
    persistent: bool = False,
) -> fo.Dataset:
    """Makes a FiftyOne dataset of a TAP-Vid file.

    Each clip becomes an mp4 and a sample with the fields `clip` (its name),
    `queries` (a list of (t, x, y): each point where it is visible first, for
    `track_dataset(points="queries")`) and frames.<gt_field>; hidden points carry
    occluded=True.

    The file's pickles are read without running what they hold: anything but
    arrays and plain values is refused.

    Args:
        path: a .pkl file in either form (dict or list; arrays or JPEG files)
        name: of the new dataset; None lets FiftyOne choose
        output_dir: folder for the videos; None = a folder of the dataset's name
            where FiftyOne keeps datasets
        gt_field: name of the frame field for the known tracks
        fps: frames per second of the videos, which the file does not tell
        persistent: keep the dataset when FiftyOne's database restarts

    Returns:
        the dataset

    Raises:
        TruthError: if the file is no TAP-Vid file, or asks for code
        OptionError: if there is a dataset of that name, or for a bad rate
        OutputError: if a video exists already or cannot be written
        FieldError: for a bad field name
    """
    check_label_name(gt_field)
    clips = read_tap_vid(path)
    dataset = new_dataset(name, persistent)
    written: list[Path] = []
    try:
        folder = media_folder(output_dir, dataset.name)
        for clip, target in zip(clips, _file_names(folder, clips), strict=True):
            video = encode_video(clip.frames(), target, fps=fps)
            written.append(target)
            xy, visible = _placed(clip, video.size_px)
            add_known_tracks(
                dataset, str(target), xy, visible, gt_field, {"clip": clip.name, "source": str(path)}, sparse=False
            )
        fill_metadata(dataset)
    except BaseException:
        dataset.delete()
        for target in written:
            target.unlink(missing_ok=True)
        raise
    return dataset


def write_tapvid(
    samples: SampleCollection,
    path: str | os.PathLike[str],
    gt_field: str = GT_FIELD,
    *,
    video: str = "jpeg",
    as_list: bool = False,
) -> None:
    """Writes known (or predicted) tracks with their videos as a TAP-Vid file.

    Args:
        samples: a video dataset or view, which chooses the tracks too; a clip's name is its field `clip`, or its
            file's
        path: of the .pkl file; replaced where it exists
        gt_field: frame field of Keypoints with an index or an instance
        video: "jpeg", compressed frames, or "raw", arrays of every frame
        as_list: a list without names instead of a dict

    Raises:
        CollectionError: if the collection holds no videos, or no samples
        TruthError: if a sample has no known tracks, or two have one name
        FieldError: if the field does not exist or does not form tracks
        OptionError: for an unknown form of video
        OutputError: if the file cannot be written
    """
    check_collection(samples)
    if video not in _VIDEO_FORMS:
        raise OptionError(f"Invalid video ({video!r}). Supported values are {', '.join(_VIDEO_FORMS)}")
    check_keypoints_field(samples._dataset, gt_field)
    if not len(samples):
        raise CollectionError("There are no samples to write")
    try:
        write_tap_vid(path, _clips_of(samples, gt_field, video == "jpeg"), as_list=as_list)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def _file_names(folder: Path, clips: list[TapVidClip]) -> Iterator[Path]:
    taken: set[str] = set()
    for number, clip in enumerate(clips):
        stem = _NOT_IN_FILE_NAMES.sub("_", clip.name).strip("._") or f"clip_{number:04d}"
        if stem.lower() in taken:
            stem = f"{stem}_{number:04d}"
        taken.add(stem.lower())
        yield folder / f"{stem}.mp4"


def _placed(clip: TapVidClip, size_px: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """(T, N, 2) pixels and (T, N) visibility; the outer half of the border's pixels belongs to their centres.

    A point further out, or without a position, is not visible, whatever the file says: nobody can be asked for it.
    """
    xy = np.moveaxis(raster_to_pixels(clip.points, size_px), 1, 0)
    visible = ~clip.occluded.T
    on_border = visible & ~inside_frame(xy, size_px) & inside_frame(xy + 0.5, (size_px[0] + 1, size_px[1] + 1))
    placed = np.where(on_border[..., None], np.clip(xy, 0, np.array(size_px) - 1), xy)
    return placed, visible & inside_frame(placed, size_px)


def _clips_of(samples: SampleCollection, gt_field: str, as_jpeg: bool) -> Iterator[TapVidClip]:
    dataset = samples._dataset
    has_names = "clip" in dataset.get_field_schema(flat=False)
    names = samples.values("clip") if has_names else [None] * len(samples)
    for sample_id, filepath, name in zip(*samples.values(["id", "filepath"]), names, strict=True):
        known = read_known_tracks(samples, sample_id, gt_field, sparse=False)
        frames = [frame.copy() for chunk in VideoFrames(filepath).chunks() for frame in chunk]
        if len(frames) != len(known.xy):
            raise TruthError(f"{filepath} has {len(frames)} frames, its known tracks {len(known.xy)}")
        video = [encode_jpeg(frame) for frame in frames] if as_jpeg else np.stack(frames)
        yield placed_clip(str(name or Path(filepath).stem), video, known.xy, known.visible, known.size_px)
