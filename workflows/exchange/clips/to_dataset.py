"""A clip out of a file as the tracks of one sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
import numpy as np

from ....store.labels.skeletons import give_skeleton
from ....store.tracks.track_names import DEFAULT_LABEL, PromptLabel, TrackNames
from ....store.tracks.videos import VideoShape, select_videos, video_shape_of
from ....tracker.coordinates import column_of
from ....tracker.errors import FormatError
from ....tracker.formats.clip import TrackedClip
from ....tracker.types import Tracks
from ..shapes.to_points import PointTracks, check_points_target, renumbered, store_point_tracks

_SURE = 0.5


@dataclass
class StoredClip:
    """What was stored of a clip.

    Args:
        num_tracks: tracks
        num_labels: positions
        left_out: what the dataset does not hold, counted
        warnings: what the user should know, in words
    """

    num_tracks: int
    num_labels: int
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: list[str] = field(default_factory=list)


def store_clip(
    dataset: fo.Dataset,
    sample_id: str,
    clip: TrackedClip,
    name: str,
    layout: str,
    place: str,
    *,
    overwrite: bool,
    own_frames: bool = False,
) -> StoredClip:
    """Writes the tracks of a clip to a sample, whole or not at all.

    Args:
        dataset: the dataset
        sample_id: the sample
        clip: out of a file
        name: of the frame field, without "frames."
        layout: in which they are stored
        place: of the file, for messages
        overwrite: replace tracks that this package wrote
        own_frames: the file's rows are all frames of its video, so their number must be this video's

    Raises:
        FormatError: if the file is of another video
        FieldError: if the field's name or type does not allow it
        FieldExistsError: if it holds something, and replacing it was not asked for, or is not ours
    """
    latest = int(clip.frames.max(initial=-1))
    expected = clip.num_frames or latest + 1
    video = video_shape_of(select_videos(dataset, sample_id).first(), expected_frames=expected)
    stored = StoredClip(clip.tracks.num_points, 0)
    _check_video(clip, video, latest, place, stored.warnings, own_frames=own_frames)
    nodes = _skeleton_nodes(dataset, name, clip, place) if layout == "objects" else []
    made = _point_tracks(clip, video, layout, nodes, stored)
    check_points_target(dataset, sample_id, name, made, overwrite=overwrite)
    if layout == "objects" and nodes:
        give_skeleton(dataset, name, nodes, clip.edges)
    store_point_tracks(dataset, sample_id, name, made, video)
    stored.num_labels = made.num_labels
    stored.warnings += made.warnings
    return stored


def without_unsure(clip: TrackedClip, min_confidence: float) -> TrackedClip:
    """The clip with points of a lower confidence hidden."""
    if min_confidence <= 0:
        return clip
    sure = clip.tracks.visible & (clip.tracks.confidence >= min_confidence)
    return replace(clip, tracks=replace(clip.tracks, visible=sure))


def unsure_warning(clip: TrackedClip, min_confidence: float) -> list[str]:
    """What to say of a file whose positions are told apart by their likelihood alone."""
    unsure = int((clip.tracks.visible & (clip.tracks.confidence < _SURE)).sum())
    if min_confidence > 0 or not unsure:
        return []
    return [f"{unsure:,} positions have a likelihood below {_SURE}: min_confidence=0.6 would hide them"]


def _check_video(
    clip: TrackedClip, video: VideoShape, latest: int, place: str, warnings: list[str], *, own_frames: bool
) -> None:
    """Refuses a file of another video."""
    if clip.size_px is not None and clip.size_px != video.size_px:
        raise FormatError(
            f"{place} is of a video of {clip.size_px[0]} x {clip.size_px[1]} pixels, and this sample's is "
            f"{video.size_px[0]} x {video.size_px[1]}. Import it onto the video that it is of"
        )
    if latest >= video.num_frames:
        raise FormatError(
            f"{place} has frame {latest} (counted from 0), and the video has {video.num_frames} frames. It is of "
            "another video, or counts from another first frame: give frame_offset"
        )
    if clip.num_frames is None or clip.num_frames == video.num_frames:
        return
    if own_frames:
        raise FormatError(
            f"{place} holds a video of {clip.num_frames} frames, and this sample's has {video.num_frames}: which of "
            "them the file's are is not said. Export it again without leaving frames out, or use another format"
        )
    warnings.append(f"the file says {clip.num_frames} frames, and the video has {video.num_frames}")


def _skeleton_nodes(dataset: fo.Dataset, name: str, clip: TrackedClip, place: str) -> list[str]:
    """The points of the field's skeleton in their order; the clip's own where it has none.

    Raises:
        FormatError: if the field has a skeleton without these points
    """
    nodes = [node for node in dict.fromkeys(clip.node_list()) if node]
    existing = dataset.skeletons.get(f"frames.{name}")
    known: list[str] = list(existing.labels or []) if existing is not None else []
    if not known:
        return nodes
    strange = [node for node in nodes if node not in known]
    if strange:
        raise FormatError(
            f"{place} has the point {strange[0]!r}, and the skeleton of the field {name!r} does not "
            f"({', '.join(known)}). Use another field, or layout='points'"
        )
    return known


def _point_tracks(
    clip: TrackedClip, video: VideoShape, layout: str, skeleton: list[str], stored: StoredClip
) -> PointTracks:
    indices = np.array(renumbered(clip.indices.tolist(), stored.warnings), dtype=np.int64)
    columns = column_of(indices)
    number = int(indices.max(initial=0))
    shape = (video.num_frames, number)
    xy = np.full((*shape, 2), np.nan, dtype=np.float32)
    visible, confidence = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.float32)
    cells = np.ix_(clip.frames, columns)
    hides = layout != "points"
    shown = clip.tracks.visible if hides else clip.known
    xy[cells] = np.where(shown[..., None], clip.tracks.xy, np.nan)
    visible[cells] = clip.tracks.visible
    confidence[cells] = np.where(shown, clip.tracks.confidence, 0)
    hidden = int((clip.known & ~clip.tracks.visible).sum())
    if hides and hidden:
        stored.left_out["hidden positions"] += hidden
    labels, objects, nodes = ([None] * number for _ in range(3))
    named = zip(columns.tolist(), clip.labels(), clip.object_list(), clip.node_list(), strict=True)
    for column, label, number_of_object, node in named:
        labels[column], objects[column], nodes[column] = label, number_of_object, node  # type: ignore[call-overload]
    tracks = Tracks(xy, visible, confidence, labels=labels, objects=objects)  # type: ignore[arg-type]
    return PointTracks(
        tracks,
        _names_of(clip, labels, objects, nodes, columns, layout, skeleton),
        layout,
        keep_hidden=not hides and hidden > 0,
        extras=_extras(clip, indices),
        query_t=_queries(clip, columns, number),
    )


def _extras(clip: TrackedClip, indices: np.ndarray) -> dict[tuple[int, int], dict[str, Any]]:
    if clip.keyframes is None:
        return {}
    given = np.argwhere(clip.keyframes & clip.known)
    return {(int(clip.frames[row]), int(indices[column])): {"keyframe": True} for row, column in given}


def _queries(clip: TrackedClip, columns: np.ndarray, number: int) -> np.ndarray | None:
    if clip.query_t is None or (clip.query_t < 0).all():
        return None
    query_t = np.full(number, -1)
    query_t[columns] = clip.query_t
    return query_t


def _names_of(
    clip: TrackedClip,
    labels: list[Any],
    objects: list[Any],
    nodes: list[Any],
    columns: np.ndarray,
    layout: str,
    skeleton: list[str],
) -> TrackNames | None:
    called = tuple(label or DEFAULT_LABEL for label in labels)
    prompts = _prompts_of(clip, columns, skeleton) if layout == "objects" else None
    names = TrackNames(called, tuple(objects), tuple(nodes) if any(nodes) else None, prompts)
    says_more = prompts or names.has_objects or names.has_nodes or set(called) - {DEFAULT_LABEL}
    return names if says_more else None


def _prompts_of(clip: TrackedClip, columns: np.ndarray, nodes: list[str]) -> tuple[PromptLabel, ...]:
    """One label per individual, its points in the order of the skeleton."""
    found: dict[tuple[str, int | None], list[int | None]] = {}
    named = zip(columns.tolist(), clip.labels(), clip.object_list(), clip.node_list(), strict=True)
    for column, label, number, node in named:
        places = found.setdefault((label, number), [None] * len(nodes))
        if node and places[nodes.index(node)] is None:
            places[nodes.index(node)] = column
        else:
            places.append(column)
    return tuple(PromptLabel(label, number, None, tuple(places)) for (label, number), places in found.items())


def default_layout(clip: TrackedClip, pose: bool) -> str:
    """How a file's tracks are stored where nobody says: individuals as one keypoint each, other points alone."""
    return "objects" if pose and clip.nodes is not None else "points"
