"""Batches from unlabelled videos: a teacher's tracks in place of the truth.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1 and appendix A: one teacher, drawn
at random, labels a batch; one whose points help each other gets support points of
its own; a published model's point counts as seen where its visibility is above
0.9; where hidden, only positions of teachers whose points help each other are
learnt from; nothing is learnt about visibility.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from ...coordinates import inside_frame
from ...errors import AdaptationError, VideoError
from ...models.base import Capabilities, Tracker
from ...types import Queries, Tracks
from ...video.frames import VideoFrames
from ..configs import TrainingStage
from .batches import TrainingBatch
from .clip_cuts import MIN_VIDEO_FRAMES, CutRules, FrameShape, cut_clip, feature_queries, with_support_points

RUNAWAY_FRAMES = 3.0  # positions further out than this many frame sides are no tracks
MIN_VISIBLE = 0.05  # a teacher that sees less of its points teaches nothing
TRUSTED_VISIBILITY = 0.9

UNREADABLE = "the video cannot be read"
TOO_SHORT = f"the video has fewer than {MIN_VIDEO_FRAMES} frames"
FEW_FEATURES = "too few features to follow"
NO_NUMBERS = "the teacher's positions are no numbers"
RUNAWAY = "the teacher's points run away"
NOTHING_SEEN = "the teacher loses nearly all points"
_LEFT_OUT = (UNREADABLE, TOO_SHORT)  # no clip of such a video can be used


@dataclass(frozen=True, eq=False)
class LabelledClip:
    """A clip with a teacher's tracks.

    Args:
        frames: uint8 (T, H, W, 3)
        queries: N points
        xy: (T, N, 2) float32 pixels
        visible: (T, N) bool
        known: (T, N) bool, False where the teacher says nothing
    """

    frames: np.ndarray
    queries: Queries
    xy: np.ndarray
    visible: np.ndarray
    known: np.ndarray


@dataclass
class Skips:
    """What could not be used, and why.

    Args:
        clips: (video, reason) -> clips
        details: video -> what the error said, for videos that cannot be read
    """

    clips: Counter[tuple[str, str]] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.clips.values())

    def reasons(self) -> str:
        """The reasons, the most frequent first, in words."""
        counts: Counter[str] = Counter()
        for (_, reason), count in self.clips.items():
            counts[reason] += count
        return ", ".join(f"{reason} ({count})" for reason, count in counts.most_common())


class SkippedClipError(Exception):
    """This clip cannot be used; its text is one of the reasons above."""


def label_clip(frames: np.ndarray, queries: Queries, teacher: Tracker, rng: np.random.Generator) -> LabelledClip:
    """Lets a teacher track a clip.

    Args:
        frames: uint8 (T, H, W, 3)
        queries: N points
        teacher: any tracker
        rng: draws support points

    Returns:
        the clip with its tracks from the query frames on

    Raises:
        SkippedClipError: if the tracks are no labels
    """
    size_px = (frames.shape[2], frames.shape[1])
    able = teacher.capabilities
    asked = with_support_points(queries, len(frames), size_px, joint=able.joint, whole_clip=able.bidirectional, rng=rng)
    tracks = teacher.track(frames, asked)
    seen = trusted_as_seen(tracks, size_px, able)
    count = len(queries)  # the others are support points
    labels = Tracks(tracks.xy[:, :count], seen[:, :count], tracks.confidence[:, :count])
    return checked_labels(frames, queries, labels, guesses_hidden=able.joint)


def trusted_as_seen(tracks: Tracks, size_px: tuple[int, int], able: Capabilities) -> np.ndarray:
    """Where a teacher's points are taken to be seen.

    A tracker that hides what is outside the frame has flags that hold. Else they are what a published model says:
    of a point outside too, and by a threshold that its authors chose for scores of benchmarks.

    Args:
        tracks: T frames, N points; `info["visibility"]`, where it is there, the model's visibility from 0 to 1, else
            the confidence says it
        size_px: (width, height) of the frames
        able: the teacher's capabilities

    Returns:
        (T, N) bool
    """
    if able.hides_outside:
        return tracks.visible
    visibility = tracks.info.get("visibility", tracks.confidence)
    return tracks.visible & (visibility > TRUSTED_VISIBILITY) & inside_frame(tracks.xy, size_px)


def checked_labels(frames: np.ndarray, queries: Queries, tracks: Tracks, *, guesses_hidden: bool) -> LabelledClip:
    """Makes labels of tracks, or says why they are none.

    Args:
        frames: uint8 (T, H, W, 3)
        queries: N points
        tracks: of these points
        guesses_hidden: whether positions of hidden points are the teacher's best guess;
            if not, nothing is learnt from them

    Raises:
        SkippedClipError: if the tracks are no labels
    """
    num_frames, count = tracks.visible.shape
    xy, visible = tracks.xy.copy(), tracks.visible.copy()
    columns = np.arange(count)
    xy[queries.t, columns], visible[queries.t, columns] = queries.xy, True
    after = np.arange(num_frames)[:, None] >= queries.t  # (T, N)
    finite = np.isfinite(xy).all(axis=2)
    known = after & (visible | guesses_hidden)
    if (known & ~finite).any():
        raise SkippedClipError(NO_NUMBERS)
    limit = RUNAWAY_FRAMES * max(frames.shape[1:3])
    if (np.abs(xy[known]) > limit).any():
        raise SkippedClipError(RUNAWAY)
    later = after & (np.arange(num_frames)[:, None] > queries.t)
    if visible[later].mean() < MIN_VISIBLE:
        raise SkippedClipError(NOTHING_SEEN)
    return LabelledClip(frames, queries, np.where(known[..., None], xy, 0), visible & known, known)


class PseudoLabelSource:
    """Clips of videos, labelled by teachers; a `BatchSource` of the trainer.

    Args:
        videos: paths
        teachers: one is drawn for each batch
        frame_shape: of clips, for the shape of the first video of a batch
        lengths: numbers of frames a clip may have
        rules: how clips are cut
        seed: of all draws
        max_skipped: clips in a row that may be unusable before the run ends
        on_batch: called with the share of the run that is done, before each clip
    """

    def __init__(
        self,
        videos: Sequence[str],
        teachers: Sequence[Tracker],
        *,
        frame_shape: FrameShape,
        lengths: Sequence[int],
        rules: CutRules,
        seed: int,
        max_skipped: int,
        on_batch: Callable[[float], None],
    ) -> None:
        self.skips = Skips()
        self.batches_of: Counter[int] = Counter()  # by the teacher's position
        self._paths = list(videos)
        self._videos: dict[str, VideoFrames] = {}
        self._teachers = list(teachers)
        self._frame_shape = frame_shape
        self._lengths = list(lengths)
        self._rules = rules
        self._rng = np.random.default_rng(seed)
        self._max_skipped = max_skipped
        self._on_batch = on_batch

    def next(self, stage: TrainingStage, progress: float) -> TrainingBatch:
        """The next batch; see `BatchSource`.

        Raises:
            AdaptationError: if too many clips in a row cannot be used
        """
        chosen = int(self._rng.integers(len(self._teachers)))
        length = int(self._rng.choice(self._lengths))
        clips: list[LabelledClip] = []
        skipped_in_a_row = 0
        while len(clips) < stage.batch:
            self._on_batch(progress)
            path = self._draw_path()
            size = None if not clips else clips[0].frames.shape[1:3]
            try:
                clips.append(self._clip(path, length, size, stage.points, self._teachers[chosen]))
            except SkippedClipError as skip:
                self._skip(path, str(skip))
                skipped_in_a_row += 1
                if skipped_in_a_row >= self._max_skipped:
                    raise AdaptationError(
                        f"{skipped_in_a_row} clips in a row could not be used: {self.skips.reasons()}. "
                        "Choose other videos, other teachers, or fewer points"
                    ) from skip
            else:
                skipped_in_a_row = 0
        self.batches_of[chosen] += 1
        return _batch(clips)

    def state_dict(self) -> dict[str, Any]:
        return {"random": self._rng.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state["random"]

    def _draw_path(self) -> str:
        if not self._paths:
            raise AdaptationError(f"None of the videos can be trained on: {self.skips.reasons()}")
        return self._paths[int(self._rng.integers(len(self._paths)))]

    def _clip(
        self, path: str, length: int, size: tuple[int, int] | None, points: int, teacher: Tracker
    ) -> LabelledClip:
        try:
            video = self._open(path)
            frames = cut_clip(video, length, size or self._frame_shape(video.size_px), self._rules, self._rng)
        except VideoError as error:
            self.skips.details[path] = str(error)
            raise SkippedClipError(UNREADABLE) from error
        queries = feature_queries(frames, points, self._rng)
        if queries is None:
            raise SkippedClipError(FEW_FEATURES)
        return label_clip(frames, queries, teacher, self._rng)

    def _open(self, path: str) -> VideoFrames:
        if path not in self._videos:
            video = VideoFrames(path)
            video.scan()  # where its key frames are, so that clips start there
            self._videos[path] = video
        video = self._videos[path]
        if video.num_frames < MIN_VIDEO_FRAMES:
            raise SkippedClipError(TOO_SHORT)
        return video

    def _skip(self, path: str, reason: str) -> None:
        self.skips.clips[path, reason] += 1
        if reason in _LEFT_OUT:
            self._paths.remove(path)
            self._videos.pop(path, None)


def _batch(clips: Sequence[LabelledClip]) -> TrainingBatch:
    def stacked(name: str) -> torch.Tensor:
        return torch.from_numpy(np.stack([getattr(clip, name) for clip in clips]))

    return TrainingBatch(
        video=stacked("frames").permute(0, 1, 4, 2, 3).contiguous(),  # (B, T, 3, H, W)
        xy=stacked("xy").float(),
        visible=stacked("visible"),
        query_t=torch.from_numpy(np.stack([clip.queries.t for clip in clips])),
        known=stacked("known"),
        train_visibility=False,
    )
