"""The tracks of one sample as a picture or video."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import numpy as np

from ...store.database.fields import FRAMES_PREFIX
from ...store.tracks.reader import read_tracks_in_video
from ...store.tracks.videos import dataset_of
from ...tracker.errors import FieldError
from ...tracker.models.base import CancelCheck
from ...tracker.rendering.options import TRAIL_DEFAULTS, TrailOptions
from ...tracker.rendering.output import Rendered, check_sound, check_target, render
from ...tracker.types import Tracks
from ...tracker.video.probe import probe
from .options import check_fields_differ


def render_trails(
    sample: fo.Sample,
    label_field: str,
    path: str | os.PathLike[str],
    *,
    tail: int = TRAIL_DEFAULTS.tail,
    color_by: str = TRAIL_DEFAULTS.color_by,
    show_hidden: bool = TRAIL_DEFAULTS.show_hidden,
    background: str = TRAIL_DEFAULTS.background,
    longest_side: int | None = TRAIL_DEFAULTS.longest_side,
    keep_audio: bool = TRAIL_DEFAULTS.keep_audio,
    compare_field: str | None = None,
    frame_index: int | None = None,
    overwrite: bool = False,
    progress: Callable[[float], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> Rendered:
    """Draws the tracks of a sample on its video: a disc where a point is, a line where it came from.

    Hidden points whose position is stored (`keep_hidden=True`) are rings. Frames are shown
    when the video itself shows them. The file appears under its name only when it is complete;
    the sample and its video are only read.

    Args:
        sample: a video sample of a dataset
        label_field: name of the frame field that holds the tracks, without "frames."
        path: the file to write, in an existing folder: .mp4 for a video, .png for a picture of one frame, .gif or
            .webp for an animated picture that repeats, at most 12.5 frames per second
        tail: frames that a trail goes back, from 0 (points alone) to 1000
        color_by: "track", "label", "object" or "speed"; a label and a track number have the same colour in every video
        show_hidden: draw hidden points whose position is known
        background: "video", or "grey" so that colours stand out
        longest_side: pixels of the file's longer side, smaller or larger than the video; None = as the video, and
            at most 480 in an animated picture. The sides of a video are even, so a pixel less than those of an odd one
        keep_audio: keep the sound; of an .mp4 alone
        compare_field: another frame field with tracks, known ones for example, to be shown beside the first
        frame_index: of the frame that a picture shows, from 0; None = the middle of the video
        overwrite: replace a file of that name
        progress: called with the share done, from 0 to 1
        cancelled: asked between frames; True ends the work

    Returns:
        the file: `path`, `size_px`, `num_frames`, `warnings`

    Raises:
        OptionError: for an option outside what is supported, or another ending
        CollectionError: if it is no video sample of a dataset
        FieldError: if the field does not exist, holds no tracks in this sample, or does not say what
            tracks are to be coloured by
        VideoError: if the video cannot be read
        OutputExistsError: if there is a file of that name and overwrite is False
        OutputError: if the file cannot be written; nothing is left behind
        DependencyError: if this build of PyAV has no encoder for it
        Cancelled: if the work was cancelled; nothing is left behind
    """
    options = TrailOptions(tail, color_by, show_hidden, background, longest_side, keep_audio)
    fields = [field.removeprefix(FRAMES_PREFIX) for field in (label_field, compare_field) if field is not None]
    check_fields_differ(fields)
    return render_sample(
        sample,
        fields,
        path,
        options,
        frame_index=frame_index,
        overwrite=overwrite,
        progress=progress,
        cancelled=cancelled,
    )


def render_sample(
    sample: fo.Sample,
    fields: list[str],
    path: str | os.PathLike[str],
    options: TrailOptions,
    *,
    frame_index: int | None = None,
    overwrite: bool = False,
    progress: Callable[[float], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> Rendered:
    """Does what `render_trails` says, for options that are checked already.

    Args:
        sample: a video sample of a dataset
        fields: names of frame fields, side by side
        path: the file to write
        options: what trails look like and what the file holds
        frame_index, overwrite, progress, cancelled: as for `render_trails`

    Raises:
        the same errors as `render_trails`
    """
    check_target(path, frame_index=frame_index, overwrite=overwrite)
    check_sound(Path(path).suffix, options)
    dataset_of(sample)  # refuses what is no video sample
    tracks, warnings = tracks_of(sample, fields)
    hooks = {"progress": progress, "cancelled": cancelled}
    rendered = render(sample.filepath, path, tracks, options, frame_index=frame_index, overwrite=overwrite, **hooks)
    return rendered.with_warnings(*warnings)


def tracks_of(sample: fo.Sample, fields: list[str]) -> tuple[list[tuple[str, Tracks]], list[str]]:
    """Reads the tracks that are to be drawn.

    Args:
        sample: a video sample of a dataset
        fields: names of frame fields

    Returns:
        name and tracks of each field, and what the user should know, in words

    Raises:
        FieldError: if a field does not exist, or holds no tracks in this sample
        VideoError: if the video cannot be read
    """
    probe(sample.filepath)  # it is drawn on, so what the sample's metadata say of it is not enough
    tracks, warnings = [], []
    for field in fields:
        found, num_late = read_tracks_in_video(sample, field)
        if not np.isfinite(found.xy).all(axis=2).any():
            raise FieldError(
                f"The field {field!r} holds no tracks in this sample ({sample.filepath}). "
                "Track it first, or choose another field"
            )
        tracks.append((field, found))
        if num_late:
            warnings.append(f"{num_late} frames of {field!r} lie past the end of the video, and are not shown")
    return tracks, warnings
