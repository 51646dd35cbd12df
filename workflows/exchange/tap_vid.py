"""Data sets with known tracks: TAP-Vid's files and clips with a truth file, as FiftyOne data sets and back."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.collections import SampleCollection

from ...store.database.fields import FRAMES_PREFIX, check_label_name, has_label_field
from ...store.labels.known_tracks import is_sparse, query_frames_field_of, read_known_tracks, sparse_field_of
from ...store.tracks.videos import fill_metadata
from ...store.tracks.writer import write_tracks
from ...tracker.coordinates import frame_number_of, inside_frame
from ...tracker.errors import CollectionError, FieldError, OptionError, OutputError, TruthError
from ...tracker.formats.known_clips import KnownClip, known_clips, read_known_clip
from ...tracker.formats.tap_vid import (
    TapVidClip,
    encode_jpeg,
    pixels_to_raster,
    raster_to_pixels,
    read_tap_vid,
    write_tap_vid,
)
from ...tracker.metrics.truth import QueryMode, check_query_mode, choose_queries, queries_of
from ...tracker.transcoding.encode import encode_video
from ...tracker.types import Tracks
from ...tracker.video.frames import VideoFrames
from ..evaluation.options import GT_FIELD
from ..tracking.targets import check_collection

# DAVIS' rate; the files do not tell
DEFAULT_FPS = 24.0
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
    """Makes a FiftyOne data set of a TAP-Vid file.

    Each clip becomes an mp4 and a sample with the fields `clip` (its name),
    `queries` (a list of (t, x, y): each point where it is visible first, for
    `track_dataset(points="queries")`) and frames.<gt_field>; hidden points carry
    occluded=True.

    The file's pickles are read without running what they hold: anything but
    arrays and plain values is refused.

    Args:
        path: a .pkl file in either form (dict or list; arrays or JPEG files)
        name: of the new data set; None lets FiftyOne choose
        output_dir: folder for the videos; None = a folder of the data set's name
            where FiftyOne keeps data sets
        gt_field: name of the frame field for the known tracks
        fps: frames per second of the videos, which the file does not tell
        persistent: keep the data set when FiftyOne's database restarts

    Returns:
        the data set

    Raises:
        TruthError: if the file is no TAP-Vid file, or asks for code
        OptionError: if there is a data set of that name, or for a bad rate
        OutputError: if a video exists already or cannot be written
        FieldError: for a bad field name
    """
    check_label_name(gt_field)
    clips = read_tap_vid(path)
    dataset = _new_dataset(name, persistent)
    written: list[Path] = []
    try:
        folder = _folder(output_dir, dataset.name)
        for clip, target in zip(clips, _file_names(folder, clips), strict=True):
            video = encode_video(clip.frames(), target, fps=fps)
            written.append(target)
            xy, visible = _placed(clip, video.size_px)
            _add(dataset, str(target), xy, visible, gt_field, {"clip": clip.name, "source": str(path)}, sparse=False)
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
        samples: a video data set or view; a clip's name is its field `clip`, or its file's
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
    _check_gt_field(samples, gt_field)
    if not len(samples):
        raise CollectionError("There are no samples to write")
    try:
        write_tap_vid(path, _clips_of(samples, gt_field, video == "jpeg"), as_list=as_list)
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error


def load_known_clips(
    folder: str | os.PathLike[str],
    name: str | None = None,
    *,
    gt_field: str = GT_FIELD,
    mask_field: str = "object",
    persistent: bool = False,
) -> fo.Dataset:
    """Makes a FiftyOne data set of clips with a truth file each (NAME.mp4 and NAME.npz).

    The videos stay where they are. Each clip becomes a sample with the fields
    `clip`, `kind`, `queries` (a list of (t, x, y), for
    `track_dataset(points="queries")`), and frames.<gt_field> or, for clips with an
    object's masks alone, frames.<mask_field>. Where labels are sparse,
    `<gt_field>_sparse` says so, and `<gt_field>_query_frames` tells the frame of
    each point's query, which need not be where it is visible first.

    Args:
        folder: with the files
        name: of the new data set; None lets FiftyOne choose
        gt_field: name of the frame field for the known tracks
        mask_field: name of the frame field for masks
        persistent: keep the data set when FiftyOne's database restarts

    Returns:
        the data set

    Raises:
        TruthError: if there are no clips, or a truth file is wrong
        VideoError: if a video does not decode
        OptionError: if there is a data set of that name
        FieldError: for a bad field name
    """
    for field_name in (gt_field, mask_field):
        check_label_name(field_name)
    clips = [read_known_clip(path) for path in known_clips(folder)]
    dataset = _new_dataset(name, persistent)
    try:
        for clip in clips:
            _add_known_clip(dataset, clip, gt_field, mask_field)
        fill_metadata(dataset)
    except BaseException:
        dataset.delete()
        raise
    return dataset


def truth_queries(
    samples: SampleCollection,
    gt_field: str = GT_FIELD,
    *,
    query_mode: QueryMode = "first",
    sparse: bool | None = None,
) -> dict[str, list[tuple[int, float, float]]]:
    """The points that an evaluation asks for: `track_dataset(samples, points=truth_queries(samples))`.

    Args:
        samples: a video data set or view
        gt_field: frame field with known tracks
        query_mode: "first": each point where it is visible first; "strided": in
            every 5th frame in which it is visible (track these with backward=True)
        sparse: as for `evaluate_dataset`

    Returns:
        sample id -> [(frame index, x, y in pixels)], ordered by point, then by frame;
        samples without known tracks are left out

    Raises:
        CollectionError: if the collection holds no videos
        FieldError: if the field does not exist or does not form tracks
        OptionError: for an unknown query mode
    """
    check_collection(samples)
    check_query_mode(query_mode)
    _check_gt_field(samples, gt_field)
    dataset = samples._dataset
    found = {}
    for sample_id in samples.values("id"):
        try:
            known = read_known_tracks(
                dataset, sample_id, gt_field, sparse=is_sparse(dataset, sample_id, gt_field, sparse)
            )
        except TruthError:
            continue
        truth, _ = known.queried(query_mode)
        queries = queries_of(truth)
        found[sample_id] = [(int(t), float(x), float(y)) for t, (x, y) in zip(queries.t, queries.xy, strict=True)]
    return found


def _new_dataset(name: str | None, persistent: bool) -> fo.Dataset:
    if name is not None and fo.dataset_exists(name):
        raise OptionError(f"There is a data set {name!r} already. Choose another name, or delete that one")
    return fo.Dataset(name, persistent=persistent)


def _folder(output_dir: str | os.PathLike[str] | None, dataset_name: str) -> Path:
    folder = Path(output_dir) if output_dir is not None else Path(fo.config.default_dataset_dir, dataset_name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"The folder {folder} cannot be made: {error.strerror or error}") from error
    return folder


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


def _add(
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


def _add_known_clip(dataset: fo.Dataset, clip: KnownClip, gt_field: str, mask_field: str) -> None:
    num_frames = VideoFrames(clip.video_path).num_frames
    if num_frames != len(clip.source_indices):
        raise TruthError(f"{clip.video_path} has {num_frames} frames, its truth {len(clip.source_indices)}")
    queries = [[int(t), *map(float, xy)] for t, xy in zip(clip.queries.t, clip.queries.xy, strict=True)]
    fields: dict[str, Any] = {"clip": clip.name, "kind": clip.kind}
    if clip.truth is not None:
        truth = clip.truth
        fields[query_frames_field_of(gt_field)] = [int(t) for t in truth.query_t]
        _add(
            dataset,
            str(clip.video_path),
            truth.xy,
            truth.visible,
            gt_field,
            fields,
            sparse=not truth.known.all(),
            valid=truth.known,
            queries=queries,
        )
        return
    assert clip.masks is not None
    sample = fo.Sample(filepath=str(clip.video_path), queries=queries, **fields)
    for row, mask in enumerate(clip.masks):
        sample.frames[frame_number_of(row)] = fo.Frame(**{mask_field: fo.Segmentation(mask=mask.astype(np.uint8))})
    dataset.add_sample(sample)


def _check_gt_field(samples: SampleCollection, gt_field: str) -> None:
    if not has_label_field(samples._dataset, gt_field):
        raise FieldError(f"There is no frame field {gt_field!r} with known tracks. Check the name")
    found = samples._dataset.get_frame_field_schema(flat=False)[gt_field]
    if getattr(found, "document_type", None) is not fo.Keypoints:
        raise FieldError(f"The frame field {gt_field!r} does not hold Keypoints ({FRAMES_PREFIX}{gt_field})")


def _clips_of(samples: SampleCollection, gt_field: str, as_jpeg: bool) -> Iterator[TapVidClip]:
    dataset = samples._dataset
    has_names = "clip" in dataset.get_field_schema(flat=False)
    names = samples.values("clip") if has_names else [None] * len(samples)
    for sample_id, filepath, name in zip(*samples.values(["id", "filepath"]), names, strict=True):
        known = read_known_tracks(dataset, sample_id, gt_field, sparse=False)
        frames = [frame.copy() for chunk in VideoFrames(filepath).chunks() for frame in chunk]
        if len(frames) != len(known.xy):
            raise TruthError(f"{filepath} has {len(frames)} frames, its known tracks {len(known.xy)}")
        xy = np.moveaxis(known.xy, 0, 1)  # (N, T, 2)
        placed: np.ndarray = np.asarray(np.isfinite(xy).all(axis=2))
        yield TapVidClip(
            name=str(name or Path(filepath).stem),
            video=[encode_jpeg(frame) for frame in frames] if as_jpeg else np.stack(frames),
            # what is hidden somewhere is kept at the upper left, as the benchmark's own files do
            points=np.where(placed[..., None], pixels_to_raster(xy, known.size_px), 0.0),
            occluded=~(known.visible.T & placed),
        )
