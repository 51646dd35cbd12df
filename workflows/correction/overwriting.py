"""What becomes of corrections where a sample is tracked anew: they stay, and are queries of the new run.

Where the new run asks for the same points, each correction is of the same track, which is followed from its query and
from all its corrections as a rerun would. Where it asks for others, the corrected tracks are added behind them, so
that what a person said is not lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import fiftyone as fo
import numpy as np

from ...store.corrections.corrections import Correction, corrections_in
from ...store.corrections.frame_edits import Style, edited_label
from ...store.database.frame_documents import FrameStore
from ...store.runs.outcomes import count_of
from ...store.tracks.reader import read_tracks
from ...store.tracks.track_names import DEFAULT_LABEL, PromptLabel, TrackNames
from ...store.tracks.videos import frame_size_of, select_videos
from ...store.tracks.writer import Amend
from ...tracker.coordinates import column_of, frame_number_of, track_index_of
from ...tracker.correction.paths import Anchor, Path
from ...tracker.engine.run import TrackedClip
from ...tracker.errors import FieldExistsError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.types import Queries, Tracks
from ...tracker.video.frames import VideoFrames
from .retracking import KnownTrack, placed_at, track_known

# how far a point that is asked for may be from where its track was before, to be the same
_SAME_PX = 1.0


@dataclass(frozen=True)
class KeptCorrections:
    """What a person said of the tracks that a new run replaces.

    Args:
        corrections: of the tracks as they are now
        same_points: whether the new run asks for the same points, so that indices mean the same
    """

    corrections: tuple[Correction, ...]
    same_points: bool

    def warning(self) -> str:
        """What to tell of it, in words."""
        tracks = len({one.index for one in self.corrections})
        words = f"{count_of(len(self.corrections), 'correction')} of {count_of(tracks, 'track')} stayed"
        if not self.same_points:
            words += "; this run asks for other points than the last one, so corrected tracks are added behind them"
        return words


def kept_corrections(
    store: FrameStore, dataset: fo.Dataset, sample_id: str, queries: Queries, *, layout: str, from_copy: bool
) -> KeptCorrections | None:
    """Looks at what a person corrected in a sample that is to be tracked anew.

    Args:
        store: of the label field
        dataset: that is written to
        sample_id: the sample
        queries: of the new run; frames of the video
        layout: that the new tracks are stored in
        from_copy: whether a preprocessed copy of the video is tracked, of whose frames these are

    Returns:
        None where nothing was corrected

    Raises:
        FieldExistsError: if corrections cannot be kept
    """
    mark = store.mark(sample_id)
    if mark is None or not store.has_corrections(sample_id):
        return None
    if from_copy:
        raise FieldExistsError(
            "Tracks of this sample were corrected by hand, and corrections are not kept where its preprocessed video "
            "is tracked. Track the source itself, or use discard_corrections=True to replace them"
        )
    if layout == "frame":
        raise FieldExistsError(
            "Tracks of this sample were corrected by hand, and the layout 'frame' cannot hold corrections. Use "
            "layout='points', or discard_corrections=True to replace them"
        )
    sample = select_videos(dataset, sample_id).first()
    corrections = corrections_in(store.labels(sample_id), frame_size_of(sample))
    if not corrections:
        return None
    before = read_tracks(sample, store.label_field)
    return KeptCorrections(tuple(corrections), _asks_for_same(queries, before, mark, corrections))


def _asks_for_same(
    queries: Queries, before: Tracks, mark: Mapping[str, Any], corrections: Sequence[Correction]
) -> bool:
    if len(queries) != before.num_points or (len(queries) and queries.t.max() >= before.num_frames):
        return False
    stored = mark.get("query_t")
    if stored is not None and (np.asarray(stored) != queries.t).any():
        return False
    columns = np.arange(len(queries))
    comparable = before.visible[queries.t, columns].copy()
    for one in corrections:  # where the query itself was corrected, it is elsewhere now
        column = column_of(one.index)
        if column < len(queries) and queries.t[column] == one.t:
            comparable[column] = False
    apart = np.linalg.norm(before.xy[queries.t, columns] - queries.xy, axis=1)
    return bool((apart[comparable] <= _SAME_PX).all())


@dataclass(frozen=True, eq=False)
class Following:
    """How a run follows points.

    Args:
        video: of the sample
        tracker: of the run
        backward: whether points are followed towards the start
        cancelled: asked between chunks
    """

    video: VideoFrames
    tracker: Tracker
    backward: bool
    cancelled: CancelCheck | None = None


def with_corrections(
    kept: KeptCorrections,
    clip: TrackedClip,
    queries: Queries,
    names: TrackNames | None,
    style: Style,
    following: Following,
) -> tuple[TrackedClip, TrackNames | None, Amend]:
    """Follows corrected tracks from their corrections too.

    Args:
        kept: from `kept_corrections`
        clip: tracks of the new run
        queries: N points of the new run; frames of the video
        names: what its tracks are called
        style: how the run stores tracks
        following: how it follows points

    Returns:
        tracks that pass through all corrections, some of them added behind the N; what they are called; and what
        marks the corrections in what is stored of each frame

    Raises:
        VideoError: if the video does not decode
        Cancelled: if the run was cancelled
    """
    video, tracks = following.video, clip.tracks
    corrected = sorted({one.index for one in kept.corrections})
    if kept.same_points:
        column_by_index = {index: column_of(index) for index in corrected}
    else:
        column_by_index = {index: tracks.num_points + k for k, index in enumerate(corrected)}
    moved = [replace(one, index=track_index_of(column_by_index[one.index])) for one in kept.corrections]
    known = [_known(index, moved, queries, following.backward) for index in sorted({one.index for one in moved})]
    frames = np.union1d(clip.source_indices, [anchor.t for one in known for anchor in one.anchors]).astype(np.int64)
    paths = track_known(known, video, following.tracker, frames, cancelled=following.cancelled)
    joined = _joined(tracks, np.searchsorted(frames, clip.source_indices), len(frames), paths)
    by_frame: dict[int, dict[int, Any]] = {}
    for one in moved:
        by_frame.setdefault(int(frame_number_of(one.t)), {})[one.index] = placed_at(one, video.size_px)

    def amend(number: int, label: Any) -> Any:
        return edited_label(label, by_frame[number], style) if number in by_frame else label

    num_added = joined.num_points - tracks.num_points
    called = _with_added(names, tracks.num_points, num_added, style.layout)
    return TrackedClip(joined, frames), called, amend


def _known(index: int, corrections: Sequence[Correction], queries: Queries, backward: bool) -> KnownTrack:
    placed = {one.t: (one.x, one.y) for one in corrections if one.index == index}
    column = column_of(index)
    asked = column < len(queries)
    if asked:
        x, y = (float(value) for value in queries.xy[column])
        placed = {int(queries.t[column]): (x, y), **placed}
    return KnownTrack(index, tuple(Anchor(t, placed[t]) for t in sorted(placed)), from_start=backward or not asked)


def _joined(tracks: Tracks, rows: np.ndarray, num_rows: int, paths: Mapping[int, Path]) -> Tracks:
    """The tracks on more rows, with some of them replaced, or added behind."""
    num_points = max(tracks.num_points, max(paths, default=0))
    xy = np.full((num_rows, num_points, 2), np.nan, dtype=np.float32)
    visible, confidence = np.zeros((num_rows, num_points), bool), np.zeros((num_rows, num_points), np.float32)
    own = slice(0, tracks.num_points)
    xy[rows, own], visible[rows, own], confidence[rows, own] = tracks.xy, tracks.visible, tracks.confidence
    for index, path in paths.items():
        column, at = column_of(index), path.known
        xy[at, column], visible[at, column] = path.xy[at], path.visible[at]
        confidence[at, column] = path.confidence[at]
    return Tracks(xy, visible, confidence, tracks.info)


def _with_added(names: TrackNames | None, num_named: int, num_added: int, layout: str) -> TrackNames | None:
    if not num_added or (names is None and layout != "objects"):
        return names
    given = names or TrackNames((DEFAULT_LABEL,) * num_named, (None,) * num_named)
    added = tuple(PromptLabel(DEFAULT_LABEL, None, None, (num_named + k,)) for k in range(num_added))
    return TrackNames(
        given.labels + (DEFAULT_LABEL,) * num_added,
        given.objects + (None,) * num_added,
        None if given.nodes is None else given.nodes + (None,) * num_added,
        None if given.prompts is None else given.prompts + added,
    )
