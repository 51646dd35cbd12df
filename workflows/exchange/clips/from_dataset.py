"""The tracks of one sample as a clip."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from fiftyone.core.collections import SampleCollection

from ....store.database.fields import check_label_field, info_field_of, is_ours
from ....store.database.raw_values import raw_values
from ....store.labels.whole_tracks.details import read_track_details
from ....store.tracks.reader import read_tracks
from ....store.tracks.source_links import SourceLink
from ....store.tracks.videos import frame_size_of, select_videos
from ....tracker.coordinates import frame_index_of, track_index_of
from ....tracker.engine.onto_source import onto_source
from ....tracker.errors import FieldError, VideoError
from ....tracker.formats.clip import TrackedClip
from ....tracker.types import Tracks
from ....tracker.video.decoding import open_stream
from ....tracker.video.probe import probe
from ..targets import ExportTarget


def read_clip(samples: SampleCollection, target: ExportTarget, label_field: str) -> TrackedClip:
    """Reads the tracks of a sample.

    Args:
        samples: a dataset or view; labels that a view hides are not read
        target: the sample, or its source
        label_field: name of the frame field, without "frames."

    Raises:
        FieldError: if the field does not exist or holds no tracks
        VideoError: if the video's size cannot be found out
    """
    dataset = samples._dataset
    check_label_field(dataset, label_field)
    if not dataset.has_frame_field(label_field):
        raise FieldError(f"There is no frame field {label_field!r}. Track this dataset first, or check the name")
    sample = select_videos(dataset, target.sample_id).first()
    tracks = read_tracks(sample, label_field)
    details = read_track_details(samples, target.sample_id, label_field)
    if details.shown is not None:
        tracks = _shown(tracks, details.shown)
    shape = tracks.visible.shape
    keyframes = np.zeros(shape, dtype=bool)
    for row, column in details.keyframes:
        if row < shape[0] and column < shape[1]:
            keyframes[row, column] = True
    nodes = np.full(shape[1], None, dtype=object)
    for column, node in details.nodes.items():
        if column < shape[1]:
            nodes[column] = node
    size_px = frame_size_of(sample)
    clip = TrackedClip(
        tracks,
        np.arange(shape[0]),
        track_index_of(np.arange(shape[1])),
        size_px,
        num_frames=shape[0],
        nodes=nodes if details.nodes else None,
        edges=_edges(dataset, label_field),
        keyframes=keyframes if keyframes.any() else None,
        query_t=_query_frames(samples, target.sample_id, label_field, shape[1]),
        path=target.named_path,
        sample_id=target.named_id,
    )
    if details.shown is not None:
        clip = clip.chosen(np.asarray(clip.known.any(axis=0)))
    if target.link is not None:
        clip = _on_source(clip, size_px, target.link)
    return replace(clip, **_media(target.named_path, sample))


def _shown(tracks: Tracks, shown: list[tuple[int, int]]) -> Tracks:
    """Tracks without the positions that a view hides."""
    there = np.zeros((tracks.num_frames, tracks.num_points), dtype=bool)
    for row, column in shown:
        if row < tracks.num_frames and column < tracks.num_points:
            there[row, column] = True
    return replace(
        tracks,
        xy=np.where(there[..., None], tracks.xy, np.nan),
        visible=tracks.visible & there,
        confidence=np.where(there, tracks.confidence, 0),
    )


def _edges(dataset: Any, label_field: str) -> tuple[tuple[str, str], ...]:
    skeleton = dataset.skeletons.get(f"frames.{label_field}")
    if skeleton is None or not skeleton.labels:
        return ()
    return tuple((skeleton.labels[a], skeleton.labels[b]) for line in skeleton.edges for a, b in pairwise(line))


def _query_frames(samples: SampleCollection, sample_id: str, label_field: str, number: int) -> np.ndarray | None:
    """Frame index that each track was asked for in, as the run noted it."""
    if not is_ours(samples._dataset, label_field):
        return None
    view = select_videos(samples._dataset, sample_id)
    found = raw_values(view, [f"{info_field_of(label_field)}.query_t"])[0][0]
    if isinstance(found, int):
        return np.full(number, found)
    return np.array(found) if isinstance(found, list) and len(found) == number else None


def _on_source(clip: TrackedClip, size_px: tuple[int, int], link: SourceLink) -> TrackedClip:
    """The clip in frames and pixels of the video that its own was made from."""
    frames = frame_index_of(link.frame_numbers)
    number = min(len(frames), clip.tracks.num_frames)
    clip = clip.rows(np.arange(number))
    moved = onto_source(clip.tracks, link.frame_numbers[:number], size_px, link.size_px, interpolate=False)
    query_t = clip.query_t
    if query_t is not None:
        query_t = np.where((query_t >= 0) & (query_t < number), frames[np.clip(query_t, 0, number - 1)], -1)
    return replace(
        clip,
        tracks=moved.tracks,
        frames=frames[:number],
        size_px=link.size_px,
        num_frames=link.num_frames,
        query_t=query_t,
    )


def _media(path: str, sample: Any) -> dict[str, Any]:
    """Rate, rotation and shape of pixels, where the file can be read; else the rate that metadata say."""
    try:
        facts = probe(path)
        with open_stream(path) as (_, stream):
            aspect = float(stream.sample_aspect_ratio or 1)
    except VideoError:
        rate = sample.metadata.frame_rate if sample.metadata is not None else None
        return {"fps": rate or None}
    about = {"rotation": facts.rotation, "mirrored": facts.mirrored, "pixel_aspect": aspect}
    return {"fps": facts.fps or None, "media": about}
