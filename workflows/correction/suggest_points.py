"""Which tracks of a sample to look at first: those that are most likely wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import fiftyone as fo
import numpy as np
from fiftyone.core.sample import SampleView

from ...store.database.fields import FRAMES_PREFIX
from ...store.database.frame_documents import FrameStore
from ...store.tracks.reader import read_tracks
from ...store.tracks.videos import select_videos
from ...tracker.coordinates import frame_index_of, track_index_of
from ...tracker.engine.cycle import track_back
from ...tracker.errors import OptionError
from ...tracker.metrics.suspicion import Signs, cycle_distances, find_signs
from ...tracker.models.base import CancelCheck, ProgressCallback, Tracker
from ...tracker.types import FrameMap, Tracks
from ...tracker.video.frames import SampledFrames, VideoFrames
from .correct_tracks import record_of_tracks, tracker_of
from .points import TrackedSample, tracked_sample
from .retracking import query_frames

DEFAULT_SHARE = 0.1


@dataclass(frozen=True)
class SuspectTrack:
    """A track that may be wrong.

    Args:
        index: of the track, from 1
        suspicion: 0 to 1, how likely it is wrong
        frame_index: to look at first, from 0
        cycle_px: how far from its start the point ends that is sent back, in pixels of a 256 x 256 frame; None where
            that was not tried, or not possible
        jump_px: its largest change of velocity, in the same pixels per frame
        doubt: 1 - confidence, where that is lowest
    """

    index: int
    suspicion: float
    frame_index: int
    cycle_px: float | None
    jump_px: float
    doubt: float


def suggest_points(
    sample: fo.Sample | SampleView,
    label_field: str,
    *,
    share: float = DEFAULT_SHARE,
    cycle: bool = True,
    tracker: str | Tracker | None = None,
    tracker_options: Mapping[str, Any] | None = None,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> list[SuspectTrack]:
    """Orders the tracks of a video by how likely they are wrong, the most suspicious first.

    Tracks that do not come back to their start when they are sent back, that jump, that leave the way of the points
    around them, or of which the tracker itself is not sure, come first; what that finds is measured in
    docs/corrections.md. Nothing is written.

    Args:
        sample: a video sample of a dataset or view, tracked in the layout "points" or "objects"
        label_field: with the tracks; "frames." may be left out
        share: of the tracks that are seen at all to return, above 0 and at most 1; at least one is
        cycle: also send every point back to its start, which takes as long as tracking; without it less is found
        tracker: that sends points back; None = the one that made the tracks, as it was set up then
        tracker_options: what `load_tracker` takes for that name
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks of tracking; True ends it

    Returns:
        the tracks to look at

    Raises:
        CollectionError: if it is no video sample of a dataset
        FieldError: if the field holds no tracks of this sample, or in the layout "frame"
        OptionError: for an option outside what is supported
        VideoError: if the video does not decode
        Cancelled: if it was cancelled
    """
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
        raise OptionError(f"Invalid share ({share!r}). Expected a number above 0 and at most 1, such as 0.1")
    found = tracked_sample(sample, label_field)
    chosen = tracker_of(found, tracker, tracker_options) if cycle else None
    signs, frames = signs_of_sample(sample, found, chosen, progress=progress, cancelled=cancelled)
    seen = np.flatnonzero(signs.worst_t >= 0)
    suspicion = signs.suspicion
    ordered = seen[np.argsort(-suspicion[seen], kind="stable")][: ceil(share * len(seen))]
    return [
        SuspectTrack(
            index=int(track_index_of(column)),
            suspicion=float(suspicion[column]),
            frame_index=int(frames[signs.worst_t[column]]),
            cycle_px=None if np.isnan(signs.cycle_px[column]) else float(signs.cycle_px[column]),
            jump_px=float(signs.jump_px[column]),
            doubt=float(signs.doubt[column]),
        )
        for column in ordered.tolist()
    ]


def signs_of_sample(
    sample: fo.Sample | SampleView,
    found: TrackedSample,
    tracker: Tracker | None,
    *,
    progress: ProgressCallback | None = None,
    cancelled: CancelCheck | None = None,
) -> tuple[Signs, np.ndarray]:
    """What speaks against each track of a sample.

    Args:
        sample: the sample
        found: the same, from `tracked_sample`
        tracker: that sends points back; None = none are
        progress, cancelled: as of `suggest_points`

    Returns:
        the signs, and the frame index of each of their rows: only frames that were tracked are looked at
    """
    whole = read_tracks(sample, found.label_field)
    labels = FrameStore(found.dataset, found.label_field).labels(found.sample_id)
    frames = np.array([frame_index_of(number) for number in sorted(labels)], dtype=np.int64)
    tracks = Tracks(whole.xy[frames], whole.visible[frames], whole.confidence[frames])
    if tracker is None or not len(frames):
        return find_signs(tracks, found.size_px), frames
    asked = query_frames(found.mark, record_of_tracks(found), whole)
    first_seen = tracks.visible.argmax(axis=0) if tracks.num_frames else np.zeros(tracks.num_points, dtype=int)
    query_t = np.where(np.isin(asked, frames), np.searchsorted(frames, asked), first_seen)
    video = SampledFrames(VideoFrames(found.filepath), FrameMap(frames, int(frames[-1]) + 1))
    ends, returned = track_back(video, tracks, tracker, query_t=query_t, progress=progress, cancelled=cancelled)
    return find_signs(tracks, found.size_px, cycle_distances(ends, returned, found.size_px)), frames


def view_of_tracks(sample: fo.Sample | SampleView, label_field: str, indices: Sequence[int]) -> fo.DatasetView:
    """A view of one video in which only some tracks are shown.

    Args:
        sample: a video sample of a dataset or view
        label_field: with the tracks; "frames." may be left out
        indices: of the tracks

    Returns:
        the view; in the layout "objects", keypoints with any of them
    """
    found = tracked_sample(sample, label_field)
    chosen = fo.ViewField("index").is_in(list(indices))
    if found.layout == "objects":
        chosen = fo.ViewField("track_numbers").intersection(list(indices)).length() > 0
    view = select_videos(found.dataset, found.sample_id)
    return view.filter_labels(f"{FRAMES_PREFIX}{found.label_field}", chosen, only_matches=False)
