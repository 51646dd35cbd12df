"""The tracker that runs anywhere: OpenCV's dense optical flow, chained from frame to frame.

Per frame and in both directions of time:
1. DIS flow (Kroeger et al., arXiv:1603.03590) carries every point on. A point
   is kept while flow there and back closes (forward-backward consistency).
2. A kept point is re-matched against its query frame (pyramidal Lucas-Kanade
   from where the chain put it), which takes out the chain's drift as long as
   the point still looks as it did.
3. A lost point moves on with the flow where that is plausible and with the
   camera (an affine motion fitted to the flow) where it is not, and comes back
   once it matches its query frame again.

Points never influence each other. Memory holds a chunk of frames at the working
resolution, one grey frame per frame that holds queries, and the tracks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import cv2
import numpy as np

from ..coordinates import edge_aligned, inside_frame
from ..errors import OptionError
from ..types import Queries, Tracks
from ..video.frames import DEFAULT_CHUNK_FRAMES, FrameSource
from .base import Capabilities, RunHooks, Tracker, capped_where_hidden
from .shared.query_matching import LEFT_OUT, QueryMatcher, Search, inside_raster, reference_distance, sample

Preset = Literal["ultrafast", "fast", "medium"]
PRESETS: tuple[str, ...] = get_args(Preset)
_DIS_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}

# DIS needs a few of its 8 px patches in either direction
_MIN_SIDE_PX = 32
# the presets stop short of the full resolution, which costs a pixel at 256 x 256; fewer rounds of smoothing pay for it
_DIS_FINEST_SCALE = 0
_DIS_REFINEMENTS = 2

_CAMERA_GRID_STEP_PX = 12
_CAMERA_MIN_POINTS = 8
# a lost point is left to the flow up to this many times the consistency bound, then to the camera
_ADRIFT = 10.0
_KEPT_SEARCH = Search(window=15, levels=1, max_shift_px=2.0, max_error_px=1.0, better_only=True)
_LOST_SEARCH = Search(window=21, levels=3, max_shift_px=24.0, max_error_px=0.5, better_only=False)


@dataclass(frozen=True)
class OpticalFlowOptions:
    """How the optical-flow tracker runs; the defaults are those of form, SDK and docs.

    Args:
        resolution: short side of the working frames in pixels, at least 32; smaller videos are not enlarged
        preset: DIS preset: "ultrafast", "fast" or "medium"
        consistency_px: largest error of flow there and back, in pixels of a 256 x 256 frame
        match: least correlation with the query frame, from 0 to 1, at which a point is re-matched
        recover: whether lost points may come back
        chunk_frames: frames read at a time

    Raises:
        OptionError: if a value is outside what is supported
    """

    resolution: int = 320
    preset: Preset = "medium"
    consistency_px: float = 2.5
    match: float = 0.7
    recover: bool = True
    chunk_frames: int = DEFAULT_CHUNK_FRAMES

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise OptionError(f"Invalid preset ({self.preset!r}). Supported values are {', '.join(PRESETS)}")
        if not isinstance(self.recover, bool):
            raise OptionError(f"Invalid recover ({self.recover!r}). Supported values are True and False")
        for name, low, high, kind in (
            ("resolution", _MIN_SIDE_PX, 4096, int),
            ("chunk_frames", 1, 1024, int),
            ("consistency_px", 0.01, 64, (int, float)),
            ("match", 0, 1, (int, float)),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind) or isinstance(value, bool) or not low <= value <= high:
                whole = "whole numbers" if kind is int else "numbers"
                raise OptionError(f"Invalid {name} ({value!r}). Supported are {whole} from {low} to {high}")


class OpticalFlowTracker(Tracker):
    """Dense optical flow with re-matching; see the module's docstring.

    Args:
        options: the fields of `OpticalFlowOptions`

    Raises:
        OptionError: if a value is outside what is supported
    """

    name = "optical-flow"
    capabilities = Capabilities(joint=False, bidirectional=False, streaming=False)

    def __init__(self, **options: Any) -> None:
        self._options = OpticalFlowOptions(**options)

    @property
    def options(self) -> dict[str, Any]:
        return asdict(self._options)

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return int(queries.t.min(initial=0)), working_size(size_px, self._options.resolution)

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        if not len(queries):
            shape = (source.num_frames, 0)
            return Tracks(np.empty((*shape, 2)), np.empty(shape, bool), np.empty(shape))
        size_px = working_size(source.size_px, self._options.resolution)
        backward = backward and int(queries.t.max()) > 0
        first, last = int(queries.t.min()), int(queries.t.max())
        total = source.num_frames_hint - first + (last + 1 if backward else 0)
        progress = _Progress(hooks, total)

        clip = _Recorder(source.size_px, size_px, queries)
        run = _Pass(self._options, size_px, queries.t, clip.query_xy)
        chunks = source.chunks(start=first, chunk_frames=self._options.chunk_frames, size_px=size_px)
        for frame_index, grey in enumerate(_grey_frames(chunks, progress), start=first):
            clip.append(frame_index, run.step(frame_index, grey))
        queries.check_inside(source.size_px, first + len(clip))
        clip.prepend_unknown(first)

        if backward:
            run = _Pass(self._options, size_px, queries.t, clip.query_xy)
            chunks = source.reversed_chunks(stop=last + 1, chunk_frames=self._options.chunk_frames, size_px=size_px)
            for back, grey in enumerate(_grey_frames(chunks, progress)):
                clip.fill(last - back, run.step(last - back, grey))
        return clip.tracks()


def working_size(size_px: tuple[int, int], resolution: int) -> tuple[int, int]:
    """The size that frames are tracked in.

    Args:
        size_px: (width, height) of the displayed frame
        resolution: longest allowed short side

    Returns:
        (width, height): the same aspect, not enlarged but for sides that are too small for the flow
    """
    scale = min(1.0, resolution / min(size_px))
    return max(round(size_px[0] * scale), _MIN_SIDE_PX), max(round(size_px[1] * scale), _MIN_SIDE_PX)


class _Progress:
    """Turns frames done into the share that hooks are told."""

    def __init__(self, hooks: RunHooks, total: int) -> None:
        self._hooks, self._total, self._done = hooks, max(total, 1), 0

    def add(self, frames: int) -> None:
        self._done += frames
        self._hooks.report(self._done / self._total)


def _grey_frames(chunks: Iterable[np.ndarray], progress: _Progress) -> Iterator[np.ndarray]:
    for chunk in chunks:
        for frame in chunk:
            yield cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY)
        progress.add(len(chunk))


class _Recorder:
    """Collects the states of all frames, in pixels of the video."""

    def __init__(self, size_px: tuple[int, int], working_px: tuple[int, int], queries: Queries) -> None:
        self._size_px, self._working_px, self._queries = size_px, working_px, queries
        self.query_xy = edge_aligned(queries.xy, size_px, working_px).astype(np.float32)
        self._rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def _row(self, frame_index: int, state: _State) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        xy = edge_aligned(state.xy, self._working_px, self._size_px)
        given = self._queries.t == frame_index
        xy[given] = self._queries.xy[given]
        visible = state.kept & inside_frame(xy, self._size_px)
        confidence = capped_where_hidden(state.confidence, visible)
        return xy.astype(np.float32), visible, confidence.astype(np.float32)

    def append(self, frame_index: int, state: _State) -> None:
        self._rows.append(self._row(frame_index, state))

    def prepend_unknown(self, frames: int) -> None:
        """Adds the frames before the first query, in which nothing is known."""
        num_points = len(self._queries)
        self._rows[:0] = [
            (np.full((num_points, 2), np.nan, np.float32), np.zeros(num_points, bool), np.zeros(num_points, np.float32))
            for _ in range(frames)
        ]

    def fill(self, frame_index: int, state: _State) -> None:
        """Adds what the backward pass found for points whose query frame comes later."""
        earlier = self._queries.t > frame_index
        for known, found in zip(self._rows[frame_index], self._row(frame_index, state), strict=True):
            known[earlier] = found[earlier]

    def tracks(self) -> Tracks:
        xy, visible, confidence = (np.stack(column) for column in zip(*self._rows, strict=True))
        return Tracks(xy, visible, confidence)


@dataclass
class _State:
    """All points in one frame; those whose query frame was not reached are NaN.

    Args:
        xy: (N, 2) float32, pixels of the working frame
        kept: (N,) bool, tracked without a doubt up to here
        confidence: (N,) float32 in [0, 1]
    """

    xy: np.ndarray
    kept: np.ndarray
    confidence: np.ndarray


class _Pass:
    """One direction of time: fed frame by frame, it moves the points it was given.

    A lost point has two positions: where the flow takes it, and where it would be
    if it moved with the camera alone since it was lost. It is looked for at both.

    Args:
        options: how to track
        size_px: (width, height) of the working frames
        query_t: (N,) int, frame index of each query
        query_xy: (N, 2) float32, pixels of the working frame
    """

    def __init__(
        self, options: OpticalFlowOptions, size_px: tuple[int, int], query_t: np.ndarray, query_xy: np.ndarray
    ) -> None:
        self._options, self._size_px = options, size_px
        self._query_t, self._query_xy = query_t, query_xy
        self._flow = cv2.DISOpticalFlow.create(_DIS_PRESETS[options.preset])
        self._flow.setFinestScale(_DIS_FINEST_SCALE)
        self._flow.setVariationalRefinementIterations(_DIS_REFINEMENTS)
        self._matcher = QueryMatcher(query_t, query_xy, size_px, options.match)
        self._previous: np.ndarray | None = None
        self._xy = np.full((len(query_t), 2), np.nan, np.float32)
        self._camera_xy = self._xy.copy()
        self._kept = np.zeros(len(query_t), bool)
        self._confidence = np.zeros(len(query_t), np.float32)

    def step(self, frame_index: int, grey: np.ndarray) -> _State:
        """Moves all points on to the next frame.

        Args:
            frame_index: which frame of the clip it is
            grey: uint8 (H, W), the working frame that follows the last one in this direction

        Returns:
            the points in this frame
        """
        started = np.flatnonzero(np.isfinite(self._xy[:, 0]))
        if self._previous is not None and len(started):
            self._carry(started, self._previous, grey)
            self._settle(started[self._kept[started]], grey)
            if self._options.recover:
                for guess in (self._xy, self._camera_xy):
                    self._recover(started[~self._kept[started]], guess, grey)
            kept = started[self._kept[started]]
            self._camera_xy[kept] = self._xy[kept]
        new = np.flatnonzero(self._query_t == frame_index)
        if len(new):
            self._matcher.add(new, frame_index, grey)
            self._xy[new] = self._camera_xy[new] = self._query_xy[new]
            self._kept[new], self._confidence[new] = True, 1.0
        self._previous = grey
        return _State(self._xy.copy(), self._kept.copy(), self._confidence.copy())

    def _carry(self, points: np.ndarray, previous: np.ndarray, grey: np.ndarray) -> None:
        """Moves points with the flow and decides which are kept."""
        there = self._flow.calc(previous, grey, LEFT_OUT)
        back = self._flow.calc(grey, previous, LEFT_OUT)
        moved, error = self._follow(there, back, self._xy[points])
        inside = inside_raster(self._xy[points], self._size_px) & inside_raster(moved, self._size_px)
        kept = self._kept[points] & inside & (error < self._options.consistency_px)
        link = self._confidence_of(error)
        # lost points: a broken chain is never surer than its weakest link since
        chain = np.where(self._kept[points], 1.0, self._confidence[points])
        self._confidence[points] = np.where(kept, link, np.minimum(chain, link))
        if not kept.all():
            camera = self._camera_motion(there, back)
            lost = points[~kept]
            self._camera_xy[lost] = self._camera_xy[lost] @ camera[:, :2].T + camera[:, 2]
            adrift = ~kept & ~(inside & (error < _ADRIFT * self._options.consistency_px))
            moved[adrift] = self._xy[points[adrift]] @ camera[:, :2].T + camera[:, 2]
        self._xy[points], self._kept[points] = moved, kept

    def _settle(self, points: np.ndarray, grey: np.ndarray) -> None:
        """Takes the drift out of kept points."""
        found, _, sure = self._matcher.match(points, self._xy[points], grey, _KEPT_SEARCH)
        self._xy[points[sure]] = found[sure]

    def _recover(self, points: np.ndarray, guess: np.ndarray, grey: np.ndarray) -> None:
        """Takes lost points up again where they are surely found near a guess."""
        points = points[self._matcher.textured[points] & inside_raster(guess[points], self._size_px)]
        found, error, sure = self._matcher.match(points, guess[points], grey, _LOST_SEARCH)
        self._xy[points[sure]] = found[sure]
        self._kept[points[sure]] = True
        self._confidence[points[sure]] = self._confidence_of(error[sure])

    def _confidence_of(self, error: np.ndarray) -> np.ndarray:
        """1 for an error of 0, one half at the bound of consistency, then towards 0."""
        return 1 / (1 + (error / self._options.consistency_px) ** 2)

    def _follow(self, there: np.ndarray, back: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moves positions with the flow; the error is the distance after coming back, in reference pixels."""
        moved = xy + sample(there, xy[:, None])[:, 0]
        returned = moved + sample(back, moved[:, None])[:, 0]
        return moved, reference_distance(returned, xy, self._size_px)

    def _camera_motion(self, there: np.ndarray, back: np.ndarray) -> np.ndarray:
        """The affine motion that most of the frame agrees on: (2, 3) float32; no motion where nothing agrees."""
        width, height = self._size_px
        half = _CAMERA_GRID_STEP_PX // 2
        rows, columns = np.mgrid[half:height:_CAMERA_GRID_STEP_PX, half:width:_CAMERA_GRID_STEP_PX]
        grid = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
        moved, error = self._follow(there, back, grid)
        agreed = (error < self._options.consistency_px) & inside_raster(moved, self._size_px)
        affine = None
        if np.count_nonzero(agreed) >= _CAMERA_MIN_POINTS:
            affine, _ = cv2.estimateAffine2D(
                grid[agreed], moved[agreed], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=200, confidence=0.99
            )
        return np.eye(2, 3, dtype=np.float32) if affine is None else affine.astype(np.float32)
