"""Clips with known tracks, as this project's own `.npz` files, as datasets."""

from __future__ import annotations

import os
from typing import Any

import fiftyone as fo
import numpy as np

from ...store.database.fields import check_label_name
from ...store.labels.known_tracks import GT_FIELD, query_frames_field_of
from ...store.tracks.videos import fill_metadata
from ...tracker.coordinates import frame_number_of
from ...tracker.errors import TruthError
from ...tracker.formats.known_clips import KnownClip, known_clips, read_known_clip
from ...tracker.video.frames import VideoFrames
from .new_dataset import add_known_tracks, new_dataset


def load_known_clips(
    folder: str | os.PathLike[str],
    name: str | None = None,
    *,
    gt_field: str = GT_FIELD,
    mask_field: str = "object",
    persistent: bool = False,
) -> fo.Dataset:
    """Makes a FiftyOne dataset of clips with a truth file each (NAME.mp4 and NAME.npz).

    The videos stay where they are. Each clip becomes a sample with the fields
    `clip`, `kind`, `queries` (a list of (t, x, y), for
    `track_dataset(points="queries")`), and frames.<gt_field> or, for clips with an
    object's masks alone, frames.<mask_field>. Where labels are sparse,
    `<gt_field>_sparse` says so, and `<gt_field>_query_frames` tells the frame of
    each point's query, which need not be where it is visible first.

    Args:
        folder: with the files
        name: of the new dataset; None lets FiftyOne choose
        gt_field: name of the frame field for the known tracks
        mask_field: name of the frame field for masks
        persistent: keep the dataset when FiftyOne's database restarts

    Returns:
        the dataset

    Raises:
        TruthError: if there are no clips, or a truth file is wrong
        VideoError: if a video does not decode
        OptionError: if there is a dataset of that name
        FieldError: for a bad field name
    """
    for field_name in (gt_field, mask_field):
        check_label_name(field_name)
    clips = [read_known_clip(path) for path in known_clips(folder)]
    dataset = new_dataset(name, persistent)
    try:
        for clip in clips:
            _add_known_clip(dataset, clip, gt_field, mask_field)
        fill_metadata(dataset)
    except BaseException:
        dataset.delete()
        raise
    return dataset


def _add_known_clip(dataset: fo.Dataset, clip: KnownClip, gt_field: str, mask_field: str) -> None:
    num_frames = VideoFrames(clip.video_path).num_frames
    if num_frames != len(clip.source_indices):
        raise TruthError(f"{clip.video_path} has {num_frames} frames, its truth {len(clip.source_indices)}")
    queries = [[int(t), *map(float, xy)] for t, xy in zip(clip.queries.t, clip.queries.xy, strict=True)]
    fields: dict[str, Any] = {"clip": clip.name, "kind": clip.kind}
    if clip.truth is not None:
        truth = clip.truth
        fields[query_frames_field_of(gt_field)] = [int(t) for t in truth.query_t]
        add_known_tracks(
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
