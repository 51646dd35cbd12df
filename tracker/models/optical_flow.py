"""The embedded default tracker: OpenCV's dense optical flow, chained from frame to frame.

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
from .base import Capabilities, RunHooks, Tracker

Preset = Literal["ultrafast", "fast", "medium"]
PRESETS: tuple[str, ...] = get_args(Preset)
_DIS_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}

# distances are judged as in the field's benchmarks: in pixels of the frame scaled to 256 x 256
_REFERENCE_SIDE_PX = 256
# DIS needs a few of its 8 px patches in either direction
_MIN_SIDE_PX = 32
_PATCH_RADIUS_PX = 4
_CAMERA_GRID_STEP_PX = 12
_CAMERA_MIN_POINTS = 8
# below this spread of grey values a patch looks like any other
_MIN_TEXTURE = 2.0


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
    consistency_px: float = 2.0
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
        # a point that cannot be seen is never as sure as one that can
        confidence = np.where(visible, state.confidence, np.minimum(state.confidence, _LOST_CONFIDENCE))
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
        self._unit = (_REFERENCE_SIDE_PX / np.array(size_px)).astype(np.float32)
        self._flow = cv2.DISOpticalFlow.create(_DIS_PRESETS[options.preset])
        self._flow.setFinestScale(0)
        self._previous: np.ndarray | None = None
        self._query_frames: dict[int, np.ndarray] = {}
        self._templates = np.zeros((len(query_t), _PATCH_AREA), np.float32)
        self._textured = np.zeros(len(query_t), bool)
        self._xy = np.full((len(query_t), 2), np.nan, np.float32)
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
            self._advance(started, grey)
        self._start(np.flatnonzero(self._query_t == frame_index), frame_index, grey)
        self._previous = grey
        return _State(self._xy.copy(), self._kept.copy(), self._confidence.copy())

    def _start(self, points: np.ndarray, frame_index: int, grey: np.ndarray) -> None:
        if not len(points):
            return
        self._query_frames[frame_index] = grey
        self._xy[points] = self._query_xy[points]
        self._kept[points], self._confidence[points] = True, 1.0
        self._templates[points], spread = _patches(grey, self._xy[points])
        self._textured[points] = spread > _MIN_TEXTURE

    def _advance(self, points: np.ndarray, grey: np.ndarray) -> None:
        assert self._previous is not None
        there = self._flow.calc(self._previous, grey, _LEFT_OUT)
        back = self._flow.calc(grey, self._previous, _LEFT_OUT)
        moved, error = self._follow(there, back, self._xy[points])
        consistency = 1 / (1 + (error / self._options.consistency_px) ** 2)
        plausible = inside_frame(self._xy[points], self._size_px) & inside_frame(moved, self._size_px)
        kept = self._kept[points] & plausible & (error < self._options.consistency_px)
        # lost points: their broken chain is never surer than its weakest link
        self._confidence[points] = np.where(
            kept, consistency, np.minimum(np.where(self._kept[points], 1, self._confidence[points]), consistency)
        )
        adrift = ~kept & ~(plausible & (error < _ADRIFT * self._options.consistency_px))
        if adrift.any():
            moved[adrift] = self._with_camera(there, back, self._xy[points[adrift]])
        self._xy[points], self._kept[points] = moved, kept
        self._rematch(points[kept], grey, _KEPT_SEARCH)
        if self._options.recover:
            lost = points[~kept & inside_frame(moved, self._size_px) & self._textured[points]]
            self._rematch(lost, grey, _LOST_SEARCH)

    def _follow(self, there: np.ndarray, back: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moves positions with the flow; the error is the distance after coming back, in reference pixels."""
        moved = xy + _sample(there, xy[:, None])[:, 0]
        returned = moved + _sample(back, moved[:, None])[:, 0]
        return moved, np.linalg.norm((returned - xy) * self._unit, axis=1)

    def _with_camera(self, there: np.ndarray, back: np.ndarray, xy: np.ndarray) -> np.ndarray:
        """Moves positions with the affine motion that most of the frame agrees on."""
        width, height = self._size_px
        half = _CAMERA_GRID_STEP_PX // 2
        rows, columns = np.mgrid[half:height:_CAMERA_GRID_STEP_PX, half:width:_CAMERA_GRID_STEP_PX]
        grid = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
        moved, error = self._follow(there, back, grid)
        agreed = (error < self._options.consistency_px) & inside_frame(moved, self._size_px)
        if np.count_nonzero(agreed) < _CAMERA_MIN_POINTS:
            return xy
        affine, _ = cv2.estimateAffine2D(
            grid[agreed], moved[agreed], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=200, confidence=0.99
        )
        if affine is None:
            return xy
        affine = affine.astype(np.float32)
        return xy @ affine[:, :2].T + affine[:, 2]

    def _rematch(self, points: np.ndarray, grey: np.ndarray, search: _Search) -> None:
        """Moves points to where their query frame's surroundings are found again, where they surely are."""
        for frame_index in np.unique(self._query_t[points]):
            group = points[self._query_t[points] == frame_index]
            query_frame, origin, expected = self._query_frames[int(frame_index)], self._query_xy[group], self._xy[group]
            found, tracked = _lucas_kanade(query_frame, grey, origin, expected, search)
            returned, tracked_back = _lucas_kanade(grey, query_frame, found, origin, search)
            likeness = (self._templates[group] * _patches(grey, found)[0]).sum(axis=1)
            error = np.linalg.norm((returned - origin) * self._unit, axis=1)
            shift = np.linalg.norm((found - expected) * self._unit, axis=1)
            sure = tracked & tracked_back & inside_frame(found, self._size_px)
            sure &= (likeness > self._options.match) & (error < search.max_error_px) & (shift < search.max_shift_px)
            if not search.lost:
                sure &= likeness > (self._templates[group] * _patches(grey, expected)[0]).sum(axis=1)
            self._xy[group[sure]] = found[sure]
            if search.lost:
                self._kept[group[sure]] = True
                self._confidence[group[sure]] = 1 / (1 + (error[sure] / self._options.consistency_px) ** 2)


@dataclass(frozen=True)
class _Search:
    """How points are matched with their query frame; lengths with `_px` are reference pixels.

    Args:
        lost: whether the points searched for are lost
        window: side of the Lucas-Kanade window in working pixels
        levels: pyramid levels above the first
        max_shift_px: farthest from where the point is expected
        max_error_px: largest error of matching there and back
    """

    lost: bool
    window: int
    levels: int
    max_shift_px: float
    max_error_px: float


_KEPT_SEARCH = _Search(lost=False, window=15, levels=1, max_shift_px=2.0, max_error_px=1.0)
_LOST_SEARCH = _Search(lost=True, window=21, levels=3, max_shift_px=24.0, max_error_px=0.5)
_LUCAS_KANADE_STOP = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.01)
# a lost point is left to the flow up to this many times the consistency bound, then to the camera
_ADRIFT = 10.0
_LOST_CONFIDENCE = 0.49
# OpenCV's type stubs do not know which of its arguments may be None
_LEFT_OUT: Any = None
_REMAP_ROWS = 30_000
_PATCH_AREA = (2 * _PATCH_RADIUS_PX + 1) ** 2


def _lucas_kanade(
    first: np.ndarray, second: np.ndarray, origin: np.ndarray, expected: np.ndarray, search: _Search
) -> tuple[np.ndarray, np.ndarray]:
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        origin.reshape(-1, 1, 2),
        expected.reshape(-1, 1, 2).copy(),
        winSize=(search.window, search.window),
        maxLevel=search.levels,
        criteria=_LUCAS_KANADE_STOP,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return found[:, 0], status[:, 0].astype(bool)


def _sample(image: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Reads an image between its pixels, and beyond its border as on it.

    Args:
        image: (H, W) or (H, W, C)
        xy: (N, K, 2) float32 pixels

    Returns:
        (N, K) or (N, K, C), the image's type
    """
    # OpenCV takes no image of more than 32767 rows, and the positions are one
    blocks = [
        cv2.remap(image, block, _LEFT_OUT, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for block in np.split(xy, range(_REMAP_ROWS, len(xy), _REMAP_ROWS))
    ]
    return np.concatenate(blocks).reshape(*xy.shape[:2], *image.shape[2:])


def _patches(grey: np.ndarray, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cuts out what surrounds each point.

    Args:
        grey: uint8 (H, W)
        xy: (N, 2) float32 pixels

    Returns:
        (N, _PATCH_AREA) float32 with mean 0 and length 1, so that their product is the
        correlation; (N,) float32 standard deviation of the grey values
    """
    side = np.arange(-_PATCH_RADIUS_PX, _PATCH_RADIUS_PX + 1, dtype=np.float32)
    offsets = np.stack(np.meshgrid(side, side), axis=-1).reshape(_PATCH_AREA, 2)
    patches = _sample(grey, xy[:, None] + offsets).astype(np.float32)
    patches -= patches.mean(axis=1, keepdims=True)
    length = np.linalg.norm(patches, axis=1)
    return patches / np.maximum(length, 1e-3)[:, None], length / np.sqrt(_PATCH_AREA)
