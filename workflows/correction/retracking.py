"""Tracking from corrections: which positions of a track are known, and the path through them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...store.corrections.corrections import Correction
from ...store.corrections.frame_edits import Change, Placed
from ...store.corrections.hidden_spans import Span, is_hidden
from ...tracker.coordinates import (
    clamped_to_frame,
    column_of,
    frame_number_of,
    inside_frame,
    normalize_xy,
)
from ...tracker.correction.paths import Anchor, Path, join_anchors
from ...tracker.engine.pinning import pin_queries
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.types import FrameMap, Queries, Tracks
from ...tracker.video.frames import SampledFrames, VideoFrames

# that are tracked at a time, at 13 bytes each
MAX_POINTS_X_FRAMES = 20_000_000


@dataclass(frozen=True)
class KnownTrack:
    """What is known of one track.

    Args:
        index: of the track, from 1
        anchors: in order of time
        from_start: whether it is followed to the start of the video, too
    """

    index: int
    anchors: tuple[Anchor, ...]
    from_start: bool


def query_frames(mark: Mapping[str, Any], record: Mapping[str, Any] | None, tracks: Tracks) -> np.ndarray:
    """The frames that tracks were asked for in.

    Args:
        mark: of the sample
        record: of the run that tracked it; None where there is none
        tracks: as they are stored

    Returns:
        (N,) int frame indices; -1 where that is not known
    """
    stored = mark.get("query_t")
    if isinstance(stored, int):
        return np.full(tracks.num_points, stored)
    if stored is not None and len(stored) == tracks.num_points:
        return np.array(stored, dtype=np.int64)
    if record is not None and record.get("points") is None and record.get("frame_index") is not None:
        return np.full(tracks.num_points, int(record["frame_index"]))
    if record is not None and record.get("backward"):
        return np.full(tracks.num_points, -1)
    # followed forwards only: a track begins where it was asked for
    return np.where(tracks.visible.any(axis=0), tracks.visible.argmax(axis=0), -1)


def known_tracks(
    corrections: Sequence[Correction], tracks: Tracks, query_t: np.ndarray, *, backward: bool
) -> list[KnownTrack]:
    """What is known of the tracks that were corrected: the corrections, and where each was asked for.

    Args:
        corrections: of one or more tracks
        tracks: as they are stored
        query_t: (N,) int, from `query_frames`
        backward: whether they were followed towards the start
    """
    found = []
    for index in sorted({one.index for one in corrections}):
        placed = {one.t: (one.x, one.y) for one in corrections if one.index == index}
        column = column_of(index)
        t = int(query_t[column]) if column < tracks.num_points else -1
        asked = 0 <= t < tracks.num_frames and bool(tracks.visible[t, column])
        if asked:
            x, y = (float(value) for value in tracks.xy[t, column])
            placed = {t: (x, y), **placed}
        anchors = tuple(Anchor(t, placed[t]) for t in sorted(placed))
        found.append(KnownTrack(index, anchors, from_start=backward or not asked))
    return found


def track_known(
    known: Sequence[KnownTrack],
    video: VideoFrames,
    tracker: Tracker,
    frames: np.ndarray,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> dict[int, Path]:
    """Tracks from every anchor, both ways, and joins what that gives.

    Args:
        known: what is known of each track
        video: of the sample
        tracker: that follows the points
        frames: (S,) increasing frame indices of the video to track through, those of all anchors among them
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks; True ends it

    Returns:
        index of the track -> its path, with one row for each of `frames`

    Raises:
        VideoError: if the video does not decode
        Cancelled: if it was cancelled
    """
    paths: dict[int, Path] = {}
    parts = list(_parts(known, len(frames)))
    for done, part in enumerate(parts):

        def told(share: float, done: int = done) -> None:
            if progress is not None:
                progress((done + share) / len(parts))

        t = np.concatenate([[anchor.t for anchor in one.anchors] for one in part])
        xy = np.concatenate([[anchor.xy for anchor in one.anchors] for one in part])  # (K, 2)
        # where the rounding of stored positions took them beyond the last pixel
        queries = Queries(np.searchsorted(frames, t), clamped_to_frame(xy, video.size_px))
        source = SampledFrames(video, FrameMap(frames, int(frames[-1]) + 1))
        tracks = tracker.track(source, queries, True, progress=told, cancelled=cancelled)
        tracks = pin_queries(tracks, queries, video.size_px, tracker.capabilities)
        start = 0
        for one in part:
            columns = slice(start, start := start + len(one.anchors))
            own = Tracks(tracks.xy[:, columns], tracks.visible[:, columns], tracks.confidence[:, columns])
            rows = [Anchor(int(np.searchsorted(frames, anchor.t)), anchor.xy) for anchor in one.anchors]
            paths[one.index] = join_anchors(rows, own, video.size_px, from_start=one.from_start)
    return paths


def _parts(known: Sequence[KnownTrack], num_frames: int) -> Iterator[list[KnownTrack]]:
    most = max(MAX_POINTS_X_FRAMES // max(num_frames, 1), 1)
    part: list[KnownTrack] = []
    for one in known:
        if part and sum(len(other.anchors) for other in part) + len(one.anchors) > most:
            yield part
            part = []
        part.append(one)
    if part:
        yield part


def changes_along(
    paths: Mapping[int, Path],
    frames: np.ndarray,
    corrections: Sequence[Correction],
    size_px: tuple[int, int],
    hidden: Sequence[Span] = (),
) -> dict[int, dict[int, Change]]:
    """What is to be stored of some paths.

    Args:
        paths: index of the track -> path, with one row for each of `frames`
        frames: (S,) frame indices
        corrections: that the paths pass through
        size_px: (width, height) of the displayed frame
        hidden: where a person hid tracks

    Returns:
        frame number -> index of the track -> change
    """
    placed = {one.key: one for one in corrections}
    found: dict[int, dict[int, Change]] = {}
    for index, path in paths.items():
        shown = path.visible & inside_frame(path.xy, size_px)
        at = normalize_xy(path.xy, size_px)  # (S, 2)
        for row in np.flatnonzero(path.known):
            t = int(frames[row])
            correction = placed.get((index, t))
            if correction is not None:
                change = placed_at(correction, size_px)
            else:
                xy = (float(at[row, 0]), float(at[row, 1])) if np.isfinite(at[row]).all() else None
                visible = bool(shown[row]) and not is_hidden(hidden, index, t)
                change = Placed(xy, float(path.confidence[row]), visible)
            found.setdefault(int(frame_number_of(t)), {})[index] = change
    return found


def placed_at(correction: Correction, size_px: tuple[int, int]) -> Placed:
    """A correction as it is stored."""
    x, y = normalize_xy(np.array([correction.x, correction.y]), size_px).tolist()
    return Placed((x, y), 1.0, corrected=True)
