"""Tracking for the stretches of several objects: what is tracked together, and each one's share of the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ...tracker.engine.run import prepare_clip, track_prepared
from ...tracker.errors import LimitError, QueryError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.propagation import (
    FilledFrame,
    Keyframe,
    PropagationOptions,
    Shape,
    Stretch,
    fill_stretch,
    seed_points,
)
from ...tracker.types import Queries, Tracks
from ...tracker.video.frames import VideoFrames

# short passes that touch are joined: each begins by decoding from the key frame before it
_SHORTEST_PASS = 64
MAX_POINTS_X_FRAMES = 50_000_000


@dataclass(frozen=True, eq=False)
class Job:
    """A stretch of an object that is to be filled.

    Args:
        stretch: in frames of the video
        keyframes: of the object
        wanted: first and last frame index to fill; how far a stretch that is open at one end is followed
    """

    stretch: Stretch
    keyframes: Sequence[Keyframe]
    wanted: tuple[int, int]

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame index that are tracked for it."""
        ends = (*self.stretch.sources, *(() if len(self.stretch.sources) == 2 else self.wanted))
        return min(ends), max(ends)

    @property
    def shapes(self) -> dict[int, Shape]:
        """The keyframes it is filled from, by frame index."""
        found = {one.t: one.shape for one in self.keyframes if one.t in self.stretch.sources}
        return {t: shape for t, shape in found.items() if shape is not None}


@dataclass(frozen=True)
class Pass:
    """Jobs that are tracked together.

    Args:
        first, last: frame indices, both included
        jobs: whose spans lie within
    """

    first: int
    last: int
    jobs: list[Job]


def find_passes(jobs: Sequence[Job]) -> list[Pass]:
    """Groups jobs whose frames overlap, and those that are short and touch.

    Args:
        jobs: in any order

    Returns:
        passes in order of time, with each job in one of them
    """
    passes: list[Pass] = []
    for job in sorted(jobs, key=lambda job: job.span):
        first, last = job.span
        previous = passes[-1] if passes else None
        short = previous is not None and previous.last - previous.first < _SHORTEST_PASS
        if previous is not None and (first < previous.last or (short and first <= previous.last)):
            passes[-1] = Pass(previous.first, max(previous.last, last), [*previous.jobs, job])
        else:
            passes.append(Pass(first, last, [job]))
    return passes


def run_pass(
    one: Pass,
    video: VideoFrames,
    tracker: Tracker,
    options: PropagationOptions,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> list[list[FilledFrame]]:
    """Tracks what a pass needs, and fills its stretches.

    Args:
        one: the pass
        video: of the sample
        tracker: that follows the points
        options: how shapes are carried
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks; True ends the run

    Returns:
        for each job, its frames that could be filled, in frames of the video

    Raises:
        LimitError: if these are too many points
        VideoError: if the video does not decode
        Cancelled: if the run was cancelled
    """
    seeds = {(number, t): seeds for number, job in enumerate(one.jobs) for t, seeds in _seeds(job, video, options)}
    tracks: dict[tuple[int, int], Tracks] = {}
    if seeds:
        frames = np.concatenate([np.full(len(xy), t) for (_, t), xy in seeds.items()])
        queries = Queries(t=frames, xy=np.concatenate(list(seeds.values())))
        clip = prepare_clip(video, queries, frame_range=(one.first, one.last + 1), check_size=_check_size)
        backward = bool((queries.t > one.first).any())
        tracked = track_prepared(clip, tracker, backward=backward, progress=progress, cancelled=cancelled).tracks
        start = 0
        for key, xy in seeds.items():
            columns = slice(start, start := start + len(xy))
            tracks[key] = Tracks(
                tracked.xy[:, columns], tracked.visible[:, columns], tracked.confidence[:, columns], tracked.info
            )
    return [_filled(number, job, one, tracks, video, options) for number, job in enumerate(one.jobs)]


def _seeds(job: Job, video: VideoFrames, options: PropagationOptions) -> list[tuple[int, np.ndarray]]:
    """The points of the job's keyframes; a shape beside the frame has none, and is interpolated from."""
    found = []
    for t, shape in job.shapes.items():
        try:
            found.append((t, seed_points(shape, video.size_px, options).xy))
        except QueryError:
            continue
    return found


def _filled(
    number: int,
    job: Job,
    one: Pass,
    tracks: dict[tuple[int, int], Tracks],
    video: VideoFrames,
    options: PropagationOptions,
) -> list[FilledFrame]:
    """One job's frames; `fill_stretch` counts from the first frame of the pass."""
    first, last = max(job.stretch.first, one.first), min(job.stretch.last, one.last)
    before, after = (None if t is None else t - one.first for t in (job.stretch.before, job.stretch.after))
    stretch = Stretch(first - one.first, last - one.first, before, after)
    keyframes = [Keyframe(t - one.first, shape) for t, shape in job.shapes.items()]
    own = {t - one.first: tracks[number, t] for t in job.shapes if (number, t) in tracks}
    frames = fill_stretch(stretch, keyframes, own, one.last - one.first + 1, video.size_px, options)
    return [_moved(frame, one.first) for frame in frames]


def _moved(frame: FilledFrame, offset: int) -> FilledFrame:
    return FilledFrame(
        frame.t + offset,
        frame.shape,
        frame.keyframe,
        frame.visible_share,
        frame.confidence,
        frame.occluded,
        frame.interpolated,
        tuple(t + offset for t in frame.sources),
    )


def _check_size(num_points: int, num_frames: int) -> None:
    if num_points * num_frames > MAX_POINTS_X_FRAMES:
        raise LimitError(
            f"{num_points:,} points through {num_frames:,} frames are more than {MAX_POINTS_X_FRAMES:,} in one pass. "
            "Choose fewer classes, fewer points per object, or fill the video in parts (frames)"
        )
