"""Tracking for the stretches of several objects: what is tracked together, and each one's share of the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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

# shorter ones are joined: each begins by decoding from the key frame before it
_SHORTEST_PASS = 64
# that are tracked at a time, at 13 bytes each
MAX_POINTS_X_FRAMES = 20_000_000


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


@dataclass
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
    """Groups jobs, so that frames are not decoded for each of them, nor points tracked far beyond their own frames.

    Args:
        jobs: in any order

    Returns:
        passes in order of time, with each job in one of them; none is longer than four times the span of any of its
        jobs, unless that is short
    """
    passes: list[Pass] = []
    for length, group in sorted(_by_length(jobs).items()):
        open_pass: Pass | None = None
        for job in sorted(group, key=lambda job: job.span):
            first, last = job.span
            if open_pass is not None and max(last, open_pass.last) - open_pass.first <= 2 * length:
                open_pass.jobs.append(job)
                open_pass.last = max(last, open_pass.last)
            else:
                open_pass = Pass(first, last, [job])
                passes.append(open_pass)
    return sorted(passes, key=lambda one: (one.first, one.last))


def _by_length(jobs: Sequence[Job]) -> dict[int, list[Job]]:
    """The jobs by the least power of two that their spans fit into."""
    groups: dict[int, list[Job]] = {}
    for job in jobs:
        first, last = job.span
        groups.setdefault(max(1 << (last - first).bit_length(), _SHORTEST_PASS), []).append(job)
    return groups


def run_pass(
    one: Pass,
    video: VideoFrames,
    tracker: Tracker,
    options: PropagationOptions,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: CancelCheck | None = None,
) -> Iterator[tuple[Job, list[FilledFrame]]]:
    """Tracks what a pass needs, and fills its stretches; more points than memory holds are tracked one part at a time.

    Args:
        one: the pass
        video: of the sample
        tracker: that follows the points
        options: how shapes are carried
        progress: called with the share done, from 0 to 1
        cancelled: asked between chunks; True ends the run

    Yields:
        each job with its frames that could be filled, in frames of the video

    Raises:
        LimitError: if one label has too many points
        VideoError: if the video does not decode
        Cancelled: if the run was cancelled
    """
    seeds = [_seeds(job, video, options) for job in one.jobs]
    parts = _parts(seeds, one.last - one.first + 1)
    for done, numbers in enumerate(parts):

        def told(share: float, done: int = done) -> None:
            if progress is not None:
                progress((done + share) / len(parts))

        tracks = _tracks([seeds[number] for number in numbers], one, video, tracker, told, cancelled)
        for place, number in enumerate(numbers):
            yield one.jobs[number], _filled(one.jobs[number], one, tracks[place], video, options)


def _parts(seeds: Sequence[Mapping[int, np.ndarray]], num_frames: int) -> list[list[int]]:
    """Numbers of the jobs that are tracked at a time."""
    most = MAX_POINTS_X_FRAMES // num_frames
    parts: list[list[int]] = []
    count = 0
    for number, own in enumerate(seeds):
        points = sum(map(len, own.values()))
        if points > most:
            raise LimitError(
                f"{points:,} points of one object through {num_frames:,} frames are more than {MAX_POINTS_X_FRAMES:,}. "
                f"Choose fewer points_per_object, draw a keyframe every {MAX_POINTS_X_FRAMES // points:,} frames, or "
                "fill a part of the video (frames)"
            )
        if not parts or count + points > most:
            parts.append([])
            count = 0
        parts[-1].append(number)
        count += points
    return parts


def _tracks(
    seeds: Sequence[Mapping[int, np.ndarray]],
    one: Pass,
    video: VideoFrames,
    tracker: Tracker,
    progress: Callable[[float], None],
    cancelled: CancelCheck | None,
) -> list[dict[int, Tracks]]:
    """Tracks of several jobs' points through the frames of the pass: by frame index of the keyframe, for each job."""
    flat = [(t, xy) for own in seeds for t, xy in own.items()]
    if not flat:
        return [{} for _ in seeds]
    frames = np.concatenate([np.full(len(xy), t) for t, xy in flat])
    queries = Queries(t=frames, xy=np.concatenate([xy for _, xy in flat]))
    clip = prepare_clip(video, queries, frame_range=(one.first, one.last + 1))
    backward = bool((queries.t > one.first).any())
    tracked = track_prepared(clip, tracker, backward=backward, progress=progress, cancelled=cancelled).tracks
    found, start = [], 0
    for own in seeds:
        by_frame = {}
        for t, xy in own.items():
            columns = slice(start, start := start + len(xy))
            by_frame[t] = Tracks(
                tracked.xy[:, columns], tracked.visible[:, columns], tracked.confidence[:, columns], tracked.info
            )
        found.append(by_frame)
    return found


def _seeds(job: Job, video: VideoFrames, options: PropagationOptions) -> dict[int, np.ndarray]:
    """The points of the job's keyframes; a shape beside the frame has none, and is interpolated from."""
    found = {}
    for t, shape in job.shapes.items():
        try:
            found[t] = seed_points(shape, video.size_px, options).xy
        except QueryError:
            continue
    return found


def _filled(
    job: Job,
    one: Pass,
    tracks: Mapping[int, Tracks],
    video: VideoFrames,
    options: PropagationOptions,
) -> list[FilledFrame]:
    """One job's frames; `fill_stretch` counts from the first frame of the pass."""
    first, last = max(job.stretch.first, one.first), min(job.stretch.last, one.last)
    stretch = replace(job.stretch, first=first, last=last).shifted(-one.first)
    keyframes = [Keyframe(t - one.first, shape) for t, shape in job.shapes.items()]
    own = {t - one.first: found for t, found in tracks.items()}
    frames = fill_stretch(stretch, keyframes, own, one.last - one.first + 1, video.size_px, options)
    return [
        replace(frame, t=frame.t + one.first, sources=tuple(t + one.first for t in frame.sources)) for frame in frames
    ]
