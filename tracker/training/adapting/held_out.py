"""Is an adapted tracker better? Cycle consistency on videos it was not trained on.

Points go forward to a turning frame and back; what counts is how near their
start they end, as in `evaluation.cycle`, but with turning frames that both trackers
share. Four rules keep a tracker from winning without tracking better:

- The turning frame of a point is where the START tracker saw it last, for both
  trackers, and a point that cannot be sent back counts as not returned. A tracker
  that hides its points gains nothing.
- The share of positions it declares visible must stay comparable.
- Points that stand still return too. A tracker whose points move much less than
  both the start and the classical tracker say is refused.
- The gain must be above what the points differ by chance: two standard errors of
  the difference per point.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np

from ...coordinates import inside_frame
from ...errors import TooFewVideosError, VideoError
from ...metrics.counting import mean_known, mean_scores, ratio
from ...metrics.truth import THRESHOLDS_PX, evaluation_scale
from ...models.base import CancelCheck, Tracker
from ...queries.grid import grid_queries
from ...types import Queries, Tracks
from ...video.frames import VideoFrames
from ..data.clip_cuts import MIN_VIDEO_FRAMES, find_features

MAX_VIDEOS = 32
MIN_GAIN = 0.005
MIN_STANDARD_ERRORS = 2.0
MIN_VISIBLE_RATIO = 0.9
MIN_MOTION_RATIO = 0.5
_STILL_PX = 1.0  # of 256: less motion than this says nothing
_MAX_FRAMES = 48
_MAX_SIDE_PX = 640
_GRID_SIDE = 8
_NUM_POINTS = _GRID_SIDE**2


@dataclass(frozen=True)
class HeldOutScores:
    """How a tracker does on held-out videos: means over videos, distances in pixels of 256 x 256.

    Args:
        returned: share of the points that were sent forward and come back to their start, mean
            over distances of 1, 2, 4, 8 and 16 px; points that cannot be sent back count as lost
        median_px: median distance to the start of the points that were sent back
        visible: share of positions after the start that are declared visible
        motion_px: median way from the start to the turning frame
    """

    returned: float
    median_px: float
    visible: float
    motion_px: float

    def to_dict(self) -> dict[str, float | None]:
        """JSON values; None where there is nothing to count."""
        return {name: None if math.isnan(value) else value for name, value in asdict(self).items()}


@dataclass(frozen=True, eq=False)
class Judged:
    """How a tracker does, and each of its points.

    Args:
        scores: means over videos
        points: (P,) share of distances within which each point returned, in the same order for
            all trackers
    """

    scores: HeldOutScores
    points: np.ndarray


@dataclass(frozen=True)
class Verdict:
    """Whether an adapted tracker is to be kept.

    Args:
        kept: it is better
        reason: in words
    """

    kept: bool
    reason: str


@dataclass(frozen=True, eq=False)
class _Course:
    """One held-out clip: what is asked, and where points turn.

    Args:
        path: the video file that was tracked
        frames: (T,) indices of the clip's frames
        size_px: (width, height) they are read at
        queries: N points in its first frame
        turn_t: (N,) frames in which points turn; 0 = not sent
        classical_px: median way to the turning frame by the classical tracker, pixels of 256
    """

    path: str
    frames: np.ndarray
    size_px: tuple[int, int]
    queries: Queries
    turn_t: np.ndarray
    classical_px: float


class HeldOutVideos:
    """The videos to judge by, with the queries and turning frames that both trackers share.

    Args:
        videos: paths
        start: the tracker before adaptation
        classical: tells how far points move, independently of both
        progress: called with the share done
        cancelled: asked between chunks

    Attributes:
        before: scores of the start
        failures: path -> why it cannot be judged by

    Raises:
        TooFewVideosError: if no video can be used
        Cancelled: if the run was cancelled
    """

    def __init__(
        self,
        videos: Sequence[str],
        start: Tracker,
        classical: Tracker,
        *,
        progress: Callable[[float], None],
        cancelled: CancelCheck | None = None,
    ) -> None:
        self.failures: dict[str, str] = {}
        self._courses: list[_Course] = []
        self._cancelled = cancelled
        found: list[Judged] = []
        for i, path in enumerate(videos):
            progress(i / len(videos))
            try:
                course, clip = self._prepare(path)
            except VideoError as error:
                self.failures[path] = str(error)
                continue
            course, judged = self._turn(course, clip, start, classical)
            if judged is None:
                self.failures[path] = "the start tracker follows no point of it"
                continue
            self._courses.append(course)
            found.append(judged)
        if not found:
            raise TooFewVideosError(
                "No held-out video can be judged by: "
                + "; ".join(f"{path}: {reason}" for path, reason in list(self.failures.items())[:3])
            )
        self.before = _joined(found)

    def __len__(self) -> int:
        return len(self._courses)

    @property
    def classical_px(self) -> float:
        """How far points move by the classical tracker, mean over videos, pixels of 256."""
        return mean_known([course.classical_px for course in self._courses])

    def score(self, tracker: Tracker, progress: Callable[[float], None]) -> Judged:
        """Scores another tracker on the same points.

        Raises:
            Cancelled: if the run was cancelled
        """
        found = []
        for i, course in enumerate(self._courses):
            progress(i / len(self._courses))
            clip = _read(course)
            tracks = tracker.track(clip, course.queries, cancelled=self._cancelled)
            found.append(self._score(course, clip, tracker, tracks))
        return _joined(found)

    def judge(self, after: Judged) -> Verdict:
        """Whether a tracker is better than the start."""
        return judge(self.before, after, self.classical_px)

    def _prepare(self, path: str) -> tuple[_Course, np.ndarray]:
        video = VideoFrames(path)
        count = video.scan().num_frames
        if count < MIN_VIDEO_FRAMES:
            raise VideoError(f"the video has {count} frames; {MIN_VIDEO_FRAMES} are needed")
        length = min(count, _MAX_FRAMES)
        start = (count - length) // 2
        scale = min(_MAX_SIDE_PX / max(video.size_px), 1.0)
        width, height = (max(round(side * scale), 1) for side in video.size_px)
        indices = np.arange(start, start + length)
        clip = video.read(indices, size_px=(width, height))
        xy = find_features(clip[0], _NUM_POINTS)
        if len(xy) < _NUM_POINTS:  # plain pictures have few features
            grid = grid_queries(_GRID_SIDE, height=height, width=width).xy
            xy = np.concatenate([xy, grid[len(xy) :]])
        nowhere = np.zeros(len(xy), dtype=np.int64)
        return _Course(path, indices, (width, height), Queries(nowhere, xy, origin="grid"), nowhere, math.nan), clip

    def _turn(
        self, course: _Course, clip: np.ndarray, start: Tracker, classical: Tracker
    ) -> tuple[_Course, Judged | None]:
        tracks = start.track(clip, course.queries, cancelled=self._cancelled)
        seen = tracks.visible & inside_frame(tracks.xy, course.size_px)
        turn_t = len(clip) - 1 - seen[::-1].argmax(axis=0)
        turn_t = np.where(seen.any(axis=0), turn_t, 0)
        if not (turn_t > 0).any():
            return course, None
        reference = classical.track(clip, course.queries, cancelled=self._cancelled)
        turned = replace(course, turn_t=turn_t)
        turned = replace(turned, classical_px=_motion_px(turned, reference.xy))
        return turned, self._score(turned, clip, start, tracks)

    def _score(self, course: _Course, clip: np.ndarray, tracker: Tracker, tracks: Tracks) -> Judged:
        sent = np.flatnonzero(course.turn_t > 0)
        turn_t = course.turn_t[sent]
        there = tracks.xy[turn_t, sent].astype(np.float64)
        able = np.flatnonzero(inside_frame(there, course.size_px))  # others have nothing to be tracked from
        distance = np.full(len(sent), np.nan)
        if len(able):
            last = len(clip) - 1
            back = tracker.track(
                np.ascontiguousarray(clip[::-1]),
                Queries(last - turn_t[able], there[able], origin="grid"),
                cancelled=self._cancelled,
            )
            off = (back.xy[last] - course.queries.xy[sent[able]]) * evaluation_scale(course.size_px)
            distance[able] = np.linalg.norm(off, axis=1)
        with np.errstate(invalid="ignore"):
            returned = (distance[:, None] < np.array(THRESHOLDS_PX)).mean(axis=1)
        known = distance[np.isfinite(distance)]
        scores = HeldOutScores(
            returned=float(returned.mean()),
            median_px=float(np.median(known)) if known.size else math.nan,
            visible=ratio(int(tracks.visible[1:].sum()), tracks.visible[1:].size),
            motion_px=_motion_px(course, tracks.xy),
        )
        return Judged(scores, returned)


def judge(start: Judged, adapted: Judged, classical_px: float) -> Verdict:
    """Compares the start and the adapted tracker on the same points.

    Args:
        start: before adaptation
        adapted: after it
        classical_px: how far points move by the classical tracker, pixels of 256; NaN where not known

    Returns:
        kept only if more points return, at a comparable share of visible positions and of motion
    """
    before, after = start.scores, adapted.scores
    change = f"{100 * before.returned:.1f} % of the points returned before, {100 * after.returned:.1f} % after"
    if not after.visible >= MIN_VISIBLE_RATIO * before.visible:
        return Verdict(
            False,
            f"it hides more: {100 * after.visible:.0f} % of positions are declared visible, "
            f"{100 * before.visible:.0f} % before ({change})",
        )
    motion_px = min((way for way in (before.motion_px, classical_px) if not math.isnan(way)), default=0.0)
    if motion_px > _STILL_PX and not after.motion_px >= MIN_MOTION_RATIO * motion_px:
        return Verdict(
            False,
            f"its points move too little: {after.motion_px:.1f} px, at least {motion_px:.1f} px by the start and the "
            f"classical tracker ({change})",
        )
    gain = after.returned - before.returned
    if not gain >= MIN_GAIN:
        return Verdict(False, f"it is not better on the held-out videos: {change}")
    by_point = adapted.points - start.points
    error = float(by_point.std(ddof=1) / math.sqrt(len(by_point))) if len(by_point) > 1 else math.inf
    if gain < MIN_STANDARD_ERRORS * error:
        return Verdict(
            False, f"the gain on the held-out videos may be chance: {change}, standard error {100 * error:.1f} %"
        )
    return Verdict(True, f"better on the held-out videos: {change}")


def split_videos(videos: Sequence[str], held_out: float, seed: int) -> tuple[list[str], list[str]]:
    """Divides videos into those to train on and those to judge by; a file never is in both.

    Args:
        videos: paths; links of any kind to the same file, and repetitions, count once
        held_out: share to judge by; at least one, at most `MAX_VIDEOS`
        seed: decides which videos are held out

    Returns:
        paths to train on, paths to judge by

    Raises:
        TooFewVideosError: if there are fewer than two videos
    """
    files = {_file_of(path): path for path in reversed(videos)}
    distinct = sorted(files.values(), key=os.path.realpath)
    if len(distinct) < 2:
        raise TooFewVideosError(
            f"Adapting a tracker needs at least 2 different videos, one of them to judge by; found {len(distinct)}"
        )
    count = min(max(round(held_out * len(distinct)), 1), len(distinct) - 1, MAX_VIDEOS)
    chosen = set(np.random.default_rng(seed).permutation(len(distinct))[:count].tolist())
    return (
        [path for i, path in enumerate(distinct) if i not in chosen],
        [path for i, path in enumerate(distinct) if i in chosen],
    )


def _file_of(path: str) -> str | tuple[int, int]:
    """What a path stands for: the file itself, or its place where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino)


def _read(course: _Course) -> np.ndarray:
    video = VideoFrames(course.path)
    video.scan()
    return video.read(course.frames, size_px=course.size_px)


def _joined(found: Sequence[Judged]) -> Judged:
    return Judged(mean_scores([one.scores for one in found]), np.concatenate([one.points for one in found]))


def _motion_px(course: _Course, xy: np.ndarray) -> float:
    sent = np.flatnonzero(course.turn_t > 0)
    way = (xy[course.turn_t[sent], sent] - course.queries.xy[sent]) * evaluation_scale(course.size_px)
    distance = np.linalg.norm(way, axis=1)
    known = distance[np.isfinite(distance)]
    return float(np.median(known)) if known.size else math.nan
