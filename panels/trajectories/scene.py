"""What the browser is sent of an open video: its tracks as packed positions, figures, and what to say of them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import fiftyone as fo
import numpy as np

from ...store.corrections.corrections import check_layout_of, read_corrections
from ...store.database.frame_documents import FrameStore
from ...store.tracks.reader import read_tracks_at
from ...store.tracks.track_names import DEFAULT_LABEL
from ...store.tracks.videos import dataset_of, frame_size_of
from ...tracker.coordinates import column_of, frame_index_of, frame_number_of, track_index_of
from ...tracker.errors import FieldError, PointTrackingError
from ...tracker.metrics.suspicion import find_signs
from ...tracker.metrics.track_figures import track_figures
from ...tracker.types import Tracks
from ...workflows.lifecycle.app_words import in_app_words
from .packing import pack_positions
from .thinning import MAX_TRACKS, even_choice, even_part, frames_at_most, parts_of
from .video_file import told_of_file

# positions around the playhead that are sent exactly where frames were left out
_WINDOW_POSITIONS = 30_000
_FEWEST_FRAMES, _MOST_FRAMES = 40, 300
_WINDOW_BEFORE = 0.4  # share of the window that lies before the playhead


# the App asks twice when a panel opens with a video: what was read that short ago is not read again
_FRESH_S = 5.0
_reading = threading.Lock()
_latest: dict[tuple[Any, ...], tuple[float, dict[str, Any]]] = {}


@dataclass(frozen=True)
class Choice:
    """Which tracks a person wants to see.

    Args:
        field: with the tracks, without "frames."
        label: what they are called; None = any
        object: the index of their object; None = any
        part: which of them where there are too many, from 1
        track: the index of one that is to be among them, where label and object allow; None = as `part` says
    """

    field: str
    label: str | None = None
    object: int | None = None
    part: int = 1
    track: int | None = None


def stamp_of(mark: Mapping[str, Any] | None) -> str:
    """What changes whenever a sample's tracks are written or corrected."""
    mark = mark or {}
    return f"{mark.get('written_at')} {mark.get('correction')}"


def build_scene(sample: fo.Sample, choice: Choice) -> dict[str, Any]:
    """Reads what the panel shows.

    Args:
        sample: a video of a dataset, from `opened_video`
        choice: which of its tracks

    Returns:
        what `assets/trajectories/scene.js` reads: numbers, texts and packed positions. Frames are FiftyOne's frame
        numbers, from 1; tracks are called by their index, from 1

    Raises:
        FieldError: if the field holds no tracks of this video
        VideoError: if the size of the video cannot be found out
    """
    dataset, sample_id = dataset_of(sample)
    store = FrameStore(dataset, choice.field)
    mark = store.mark(sample_id) if store.is_declared() else None
    found = store.find(sample_id) if mark is not None else None
    if mark is None or found is None:
        raise FieldError(f"This video has no tracks in {choice.field!r}. Track it with 'Track points'")
    size_px = frame_size_of(sample)
    held = frame_index_of(np.array(found.holding, dtype=np.int64))
    held = held[held < mark["num_frames"]]
    frames = held[even_choice(len(held), frames_at_most(len(held), int(mark["num_points"])))]
    tracks = read_tracks_at(sample, choice.field, frames)
    chosen = _chosen(tracks, choice)
    num_parts = parts_of(len(chosen), MAX_TRACKS)
    part = _part(chosen, num_parts, choice)
    shown = chosen[even_part(len(chosen), num_parts, part - 1)]
    seen = _only(tracks, shown)
    corrections = read_corrections(store, sample_id, size_px)
    return {
        "sample": sample_id,
        "field": choice.field,
        "stamp": stamp_of(mark),
        "size": list(size_px),
        "num_frames": int(mark["num_frames"]),
        "frames": frame_number_of(frames).tolist(),
        "thinned": len(frames) < len(held),
        "xy": pack_positions(seen.xy, seen.visible, size_px),
        "tracks": _rows(seen, shown, frames, size_px, is_whole=len(frames) == len(held)),
        "corrected": [[one.index, int(frame_number_of(one.t))] for one in corrections],
        "labels": sorted({label for label in _labels(tracks) if label}),
        "objects": _objects_of(tracks),
        "label": choice.label,
        "object": choice.object,
        "part": part,
        "parts": num_parts,
        "num_chosen": len(chosen),
        "told": [*told_of_file(sample, int(mark["num_frames"])), *_emptiness(tracks, len(chosen))],
        "left_out": _left_out(len(chosen), len(shown), len(frames), len(held)),
        "locked": why_locked(dataset, choice.field, mark),
    }


def opened_scene(sample: fo.Sample, choice: Choice) -> dict[str, Any]:
    """As `build_scene`, for a panel that opens: asked twice at once, it reads once."""
    dataset, sample_id = dataset_of(sample)
    with _reading:
        key = (sample_id, choice, stamp_of(FrameStore(dataset, choice.field).mark(sample_id)))
        at, scene = _latest.get(key, (0.0, {}))
        if time.monotonic() - at > _FRESH_S or not at:
            scene = build_scene(sample, choice)
            _latest.clear()
            _latest[key] = (time.monotonic(), scene)
        return scene


def build_window(sample: fo.Sample, field: str, indices: Sequence[int], frame_number: int) -> dict[str, Any]:
    """The exact positions of some tracks around a frame.

    Args:
        sample: a video of a dataset, with tracks in the field
        field: the name, without "frames."
        indices: of the tracks, from 1
        frame_number: where the player is, from 1

    Returns:
        first and last frame number that it is about, the frames in between that hold anything, and their positions
        as in `build_scene`

    Raises:
        FieldError, VideoError: as of `build_scene`
    """
    num_frames = min(max(_WINDOW_POSITIONS // max(len(indices), 1), _FEWEST_FRAMES), _MOST_FRAMES)
    first = max(frame_index_of(frame_number) - int(_WINDOW_BEFORE * num_frames), 0)
    frames = np.arange(first, first + num_frames)
    tracks = _only(read_tracks_at(sample, field, frames), column_of(np.array(indices, dtype=np.int64)))
    held = tracks.visible.any(axis=1)
    return {
        "first": int(frame_number_of(first)),
        "last": int(frame_number_of(first)) + num_frames - 1,
        "frames": frame_number_of(frames[held]).tolist(),
        "xy": pack_positions(tracks.xy[held], tracks.visible[held], frame_size_of(sample)),
    }


def _labels(tracks: Tracks) -> list[str | None]:
    return [DEFAULT_LABEL] * tracks.num_points if tracks.labels is None else tracks.labels.tolist()


def _objects_of(tracks: Tracks) -> list[int]:
    return [] if tracks.objects is None else sorted({int(one) for one in tracks.objects if one is not None})


def _chosen(tracks: Tracks, choice: Choice) -> np.ndarray:
    """(K,) columns of the tracks that a person wants to see."""
    wanted = np.ones(tracks.num_points, dtype=bool)
    if choice.label is not None:
        wanted &= np.array([label == choice.label for label in _labels(tracks)], dtype=bool)
    if choice.object is not None:
        objects = [None] * tracks.num_points if tracks.objects is None else tracks.objects
        wanted &= np.array([one == choice.object for one in objects], dtype=bool)
    return np.flatnonzero(wanted)


def _part(chosen: np.ndarray, num_parts: int, choice: Choice) -> int:
    """Which part of (K,) columns is shown, from 1."""
    if choice.track is not None:
        places = np.flatnonzero(chosen == column_of(choice.track))
        if len(places):
            return int(places[0]) % num_parts + 1
    return min(choice.part, num_parts)


def _only(tracks: Tracks, columns: np.ndarray) -> Tracks:
    return Tracks(
        tracks.xy[:, columns],
        tracks.visible[:, columns],
        tracks.confidence[:, columns],
        labels=None if tracks.labels is None else tracks.labels[columns],
        objects=None if tracks.objects is None else tracks.objects[columns],
    )


def _rows(
    tracks: Tracks, columns: np.ndarray, frames: np.ndarray, size_px: tuple[int, int], *, is_whole: bool
) -> list[dict[str, Any]]:
    """One row of the table per track."""
    figures = track_figures(tracks, frames)
    suspicion = find_signs(tracks, size_px).suspicion if is_whole else np.full(tracks.num_points, np.nan)
    suspicion = np.where(figures.length > 0, suspicion, np.nan)
    objects = [None] * tracks.num_points if tracks.objects is None else tracks.objects.tolist()
    return [
        {
            "index": int(track_index_of(column)),
            "label": label or DEFAULT_LABEL,
            "object": None if one is None else int(one),
            "first": None if figures.first_t[k] < 0 else int(frame_number_of(figures.first_t[k])),
            "length": int(figures.length[k]),
            "visible": _rounded(figures.visible_share[k], 3),
            "speed": _rounded(figures.speed_px[k], 2),
            "confidence": _rounded(figures.confidence[k], 3),
            "suspicion": _rounded(suspicion[k], 3),
        }
        for k, (column, label, one) in enumerate(zip(columns.tolist(), _labels(tracks), objects, strict=True))
    ]


def _rounded(value: float, digits: int) -> float | None:
    """None where not known: JSON has no NaN."""
    return round(float(value), digits) if math.isfinite(value) else None


def _left_out(num_chosen: int, num_shown: int, num_frames: int, num_held: int) -> list[str]:
    """What a person has to know of what is not shown."""
    told = []
    if num_shown < num_chosen:
        told.append(
            f"{num_shown} of {num_chosen} tracks are shown, here and in the table, evenly chosen. 'Part' above shows "
            "the others; a click on a point of the video shows its track"
        )
    if num_frames < num_held:
        told.append(
            f"A long video: {num_frames} of {num_held} frames were read for the lines and figures. Near the playhead "
            "all frames are exact. Suspicion needs all frames: use 'Suggest points to check'"
        )
    return told


def _emptiness(tracks: Tracks, num_chosen: int) -> list[str]:
    """Why there is nothing to see, where that is so."""
    if not num_chosen:
        return ["This video has no such tracks" if tracks.num_points else "This video was tracked without points"]
    return [] if tracks.visible.any() else ["No point is visible in any frame of this video"]


def why_locked(dataset: fo.Dataset, field: str, mark: Mapping[str, Any]) -> str | None:
    """Why tracks of a video cannot be corrected, in words of the App; None where they can.

    Args:
        dataset: with the video
        field: with the tracks, without "frames."
        mark: of the video
    """
    try:
        check_layout_of(str(mark["layout"]), field)
    except PointTrackingError as error:
        return in_app_words(str(error))
    declared = (dataset.get_frame_field_schema(flat=False) or {}).get(field)
    if declared is not None and declared.read_only:
        return f"The field {field!r} is read-only: its tracks are shown, but cannot be changed"
    return None
