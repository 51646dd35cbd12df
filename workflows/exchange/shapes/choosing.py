"""Which labels of a sample are exported: the options that `clips.choosing` heeds for arrays, for tracks of shapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ....store.tracks.source_links import SourceLink
from ....store.tracks.videos import VideoShape
from ....tracker.coordinates import edge_aligned, frame_index_of
from ....tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from ..options import ExportOptions
from ..report import BELOW_CONFIDENCE, BEYOND_TOP, NOT_TRACKED, TOO_SHORT
from .notes import TRACKS, made_track, with_ends


def chosen_tracks(
    tracks: Sequence[ShapeTrack],
    video: VideoShape,
    link: SourceLink | None,
    options: ExportOptions,
    left_out: Counter[str],
) -> tuple[list[ShapeTrack], VideoShape]:
    """What of a sample's labels is exported, and the video that it is of then.

    Frames that are left out say that the object is not there, so that no program draws lines through them.

    Args:
        tracks: not numbered yet
        video: that they are of
        link: to the source, whose frames and pixels are wanted; None for the video's own
        options: of the export
        left_out: counts what is not exported, and why
    """
    if link is not None:
        tracks, video = _on_source(tracks, video, link, left_out, options.every), _source_shape(link)
    kept = list(tracks)
    if link is not None or options.every > 1 or options.least_confidence > 0:
        # a track that was nowhere stays, one that has lost all that it had goes
        kept = [
            replace(track, shapes=shapes)
            for track in tracks
            if (shapes := _kept_shapes(track, video.num_frames, options, left_out))
        ]
    if options.min_length > 1:
        before = len(kept)
        kept = [track for track in kept if len(_seen(track)) >= options.min_length]
        left_out[TOO_SHORT] += before - len(kept)
    if options.top is not None and len(kept) > options.top:
        # long and confident: the sum is the length times the mean confidence
        worth = np.array([sum(map(_confidence, _seen(track))) for track in kept])
        left_out[BEYOND_TOP] += len(kept) - options.top
        kept = [kept[k] for k in sorted(np.argsort(-worth, kind="stable")[: options.top].tolist())]
    left_out += Counter()  # without what was counted zero times
    return kept, video


def _kept_shapes(
    track: ShapeTrack, num_frames: int, options: ExportOptions, left_out: Counter[str]
) -> tuple[TrackedShape, ...]:
    """The shapes of a track that stay, with marks where it is not there; nothing where none stays of some."""
    there = [shape for shape in track.shapes if not shape.outside]
    sure = [shape for shape in there if _confidence(shape) >= options.least_confidence]
    left_out[BELOW_CONFIDENCE] += len(there) - len(sure)
    kept = [shape for shape in sure if shape.frame_index % options.every == 0]
    if not there or not kept:
        return track.shapes if not there else ()
    plain = [replace(s, notes={name: note for name, note in s.notes.items() if name != "track"}) for s in kept]
    return made_track(track.label, with_ends(plain, num_frames), track.notes).shapes


def _seen(track: ShapeTrack) -> list[TrackedShape]:
    return [shape for shape in track.shapes if not shape.outside and not shape.occluded]


def _confidence(shape: TrackedShape) -> float:
    """As it is noted; labels without one are sure."""
    noted = shape.notes.get("confidence")
    return float(noted) if isinstance(noted, int | float) else 1.0


def _source_shape(link: SourceLink) -> VideoShape:
    return VideoShape(link.size_px, link.num_frames)


def _on_source(
    tracks: Sequence[ShapeTrack], video: VideoShape, link: SourceLink, left_out: Counter[str], every: int
) -> list[ShapeTrack]:
    """Tracks in frames and pixels of the video that their own was made from."""
    frames = frame_index_of(link.frame_numbers)
    left_out[NOT_TRACKED] += len(np.setdiff1d(np.arange(0, link.num_frames, every), frames))
    scale = np.array(link.size_px) / np.array(video.size_px)
    moved = []
    for track in tracks:
        # points are centres of pixels; sides and corners keep their share of the frame, as FiftyOne stores them
        is_point = track.notes.get("kind") == TRACKS
        shapes = tuple(
            replace(
                shape,
                frame_index=int(frames[shape.frame_index]),
                xy=edge_aligned(shape.xy, video.size_px, link.size_px) if is_point else shape.xy * scale,
            )
            for shape in track.shapes
            if shape.frame_index < len(frames)
        )
        if shapes:
            moved.append(replace(track, shapes=shapes))
    return moved
