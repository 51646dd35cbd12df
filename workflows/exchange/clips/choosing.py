"""Which tracks of a clip are exported, and what a format leaves behind of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from ....tracker.errors import FormatError
from ....tracker.formats.clip import UNNAMED, TrackedClip
from ....tracker.formats.registry import CONFIDENCE, HIDDEN, IDENTITY, KEYFRAMES, LABELS, UNSEEN, FileFormat
from ....tracker.types import Tracks
from ..options import ExportOptions
from ..report import BELOW_CONFIDENCE, BEYOND_TOP, NOT_TRACKED, TOO_SHORT


def chosen_clip(clip: TrackedClip, options: ExportOptions, left_out: Counter[str]) -> TrackedClip:
    """What of a clip is exported.

    Args:
        clip: the tracks of a sample
        options: of the export
        left_out: counts what is not exported, and why
    """
    if options.least_confidence > 0:
        unsure = clip.known & (clip.tracks.confidence < options.least_confidence)
        left_out[BELOW_CONFIDENCE] += int(unsure.sum())
        clip = _without(clip, unsure)
    if options.frames == "source" and clip.num_frames is not None:
        wanted = np.arange(0, clip.num_frames, options.every)
        left_out[NOT_TRACKED] += len(np.setdiff1d(wanted, clip.frames))
    if options.every > 1:
        clip = clip.rows(clip.frames % options.every == 0)
    if not options.file_format.every_frame:
        tracked: np.ndarray = np.asarray(clip.known.any(axis=1))
        if clip.tracks.num_points:
            left_out["frames without any position"] += int((~tracked).sum())
        clip = clip.rows(tracked)
    lengths = clip.tracks.visible.sum(axis=0)
    if options.min_length > 1:
        left_out[TOO_SHORT] += int((lengths < options.min_length).sum())
        clip = clip.chosen(lengths >= options.min_length)
    if options.top is not None and clip.tracks.num_points > options.top:
        # long and confident: the sum is the length times the mean confidence
        worth = np.where(clip.tracks.visible, clip.tracks.confidence, 0).sum(axis=0)
        left_out[BEYOND_TOP] += clip.tracks.num_points - options.top
        clip = clip.chosen(np.sort(np.argsort(-worth, kind="stable")[: options.top]))
    left_out += Counter()  # without what was counted zero times
    return clip


def _without(clip: TrackedClip, cells: np.ndarray) -> TrackedClip:
    tracks = clip.tracks
    kept = Tracks(
        np.where(cells[..., None], np.nan, tracks.xy),
        tracks.visible & ~cells,
        np.where(cells, 0, tracks.confidence),
        labels=tracks.labels,
        objects=tracks.objects,
    )
    return replace(clip, tracks=kept)


def count_losses(clip: TrackedClip, kept_by: FileFormat, left_out: Counter[str]) -> None:
    """Counts what a format cannot hold of a clip.

    Args:
        clip: that is exported
        kept_by: the format
        left_out: counts it
    """
    tracks = clip.tracks
    named = [label != UNNAMED for label in clip.labels()]
    numbers = {
        HIDDEN: int((clip.known & ~tracks.visible).sum()),
        CONFIDENCE: int((clip.known & (tracks.confidence < 1)).sum()),
        # poses are made of objects and nodes
        IDENTITY: sum(number is not None for number in clip.object_list()) + sum(map(bool, clip.node_list())),
        LABELS: sum(named),
        KEYFRAMES: 0 if clip.keyframes is None else int(clip.keyframes.sum()),
        UNSEEN: int((~clip.known.any(axis=0)).sum()),
    }
    for what in kept_by.lost:
        if numbers[what]:
            left_out[what] += numbers[what]


def check_media(clip: TrackedClip, kept_by: FileFormat) -> list[str]:
    """Refuses a video that a program would show otherwise than it is displayed here; returns what else may differ.

    Raises:
        FormatError: for a video that is turned for display
    """
    if not kept_by.upright:
        return []
    if clip.media.get("rotation") or clip.media.get("mirrored"):
        raise FormatError(
            f"{clip.path} is turned for display, and {kept_by.title} takes its pictures as they are coded, so the "
            "tracks would not fit. Make an upright copy first: preprocess_dataset, and track that"
        )
    aspect = clip.media.get("pixel_aspect", 1.0)
    if abs(aspect - 1) > 1e-3:
        return [f"the video's pixels are not square (aspect {aspect:.4g}): set that in {kept_by.title}"]
    return []
