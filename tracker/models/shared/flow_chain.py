"""Points carried from frame to frame by dense optical flow, and re-matched with their query frames.

Per frame:
1. DIS flow (Kroeger et al., arXiv:1603.03590) carries every point on. A point
   is kept while flow there and back closes (forward-backward consistency).
2. A kept point is re-matched against its query frame (pyramidal Lucas-Kanade
   from where the chain put it), which takes out the chain's drift as long as
   the point still looks as it did.
3. A lost point moves on with the flow where that is plausible and with the
   camera (an affine motion fitted to the flow) where it is not, and comes back
   once it matches its query frame again.

Points never influence each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np

from .query_matching import LEFT_OUT, QueryMatcher, Search, inside_raster, reference_distance, sample

Preset = Literal["ultrafast", "fast", "medium"]
PRESETS: tuple[str, ...] = get_args(Preset)
_DIS_PRESETS = {
    "ultrafast": cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST,
    "fast": cv2.DISOPTICAL_FLOW_PRESET_FAST,
    "medium": cv2.DISOPTICAL_FLOW_PRESET_MEDIUM,
}

# DIS needs a few of its 8 px patches in either direction
MIN_SIDE_PX = 32
# the presets stop short of the full resolution, which costs a pixel at 256 x 256; fewer rounds of smoothing pay for it
_DIS_FINEST_SCALE = 0
_DIS_REFINEMENTS = 2

_CAMERA_GRID_STEP_PX = 12
_CAMERA_MIN_POINTS = 8
# a lost point is left to the flow up to this many times the consistency bound, then to the camera
_ADRIFT = 10.0
_KEPT_SEARCH = Search(window=15, levels=1, max_shift_px=2.0, max_error_px=1.0, better_only=True)
_LOST_SEARCH = Search(window=21, levels=3, max_shift_px=24.0, max_error_px=0.5, better_only=False)

# how a point came to where it is: never lost, taken up again by Lucas-Kanade, taken up again anywhere in the frame
NEVER_LOST, RE_MATCHED, FOUND_AGAIN = 0, 1, 2


@dataclass(frozen=True)
class ChainRules:
    """How points are carried.

    Args:
        preset: DIS preset
        consistency_px: largest error of flow there and back, in pixels of a 256 x 256 frame
        match: least correlation with the query frame, from 0 to 1, at which a point is re-matched
        recover: whether lost points may come back
        way_back: "full" or "half": the size of the frames in which flow back is computed, which only says
            whether flow there is believed
    """

    preset: str = "medium"
    consistency_px: float = 2.5
    match: float = 0.7
    recover: bool = True
    way_back: Literal["full", "half"] = "full"


@dataclass(frozen=True, eq=False)
class FlowField:
    """Motion between two frames, told at positions of the first or of the second.

    Args:
        there: (h, w, 2) float32, from the first frame into the second, pixels of the working frame
        back: (h', w', 2) float32, the other way, also in pixels of the working frame; of the same or of half the size
        size_px: (width, height) of the working frames
    """

    there: np.ndarray
    back: np.ndarray
    size_px: tuple[int, int]

    def follow(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Moves positions with the flow.

        Args:
            xy: (N, 2) float32 pixels of the first frame

        Returns:
            (N, 2) float32 positions in the second; (N,) float32 distance after coming back, in pixels of a
            256 x 256 frame
        """
        moved = xy + sample(self.there, xy[:, None])[:, 0]
        at = moved
        height, width = self.back.shape[:2]
        if (width, height) != self.size_px:
            scale = np.array([width / self.size_px[0], height / self.size_px[1]], np.float32)
            at = (moved + 0.5) * scale - 0.5
        returned = moved + sample(self.back, at[:, None])[:, 0]
        return moved, reference_distance(returned, xy, self.size_px)


FlowSource = Callable[[np.ndarray, np.ndarray], FlowField]
"""Flow from one uint8 (H, W) frame to the next."""


class FlowBetween:
    """Computes flow between frames, there and back.

    Args:
        rules: preset and size of the way back
        size_px: (width, height) of the working frames
    """

    def __init__(self, rules: ChainRules, size_px: tuple[int, int]) -> None:
        self._size_px = size_px
        self._flow = cv2.DISOpticalFlow.create(_DIS_PRESETS[rules.preset])
        self._flow.setFinestScale(_DIS_FINEST_SCALE)
        self._flow.setVariationalRefinementIterations(_DIS_REFINEMENTS)
        halved = (max(size_px[0] // 2, MIN_SIDE_PX), max(size_px[1] // 2, MIN_SIDE_PX))
        self._back_size_px = halved if rules.way_back == "half" else size_px
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # a frame, and the same in the size of the way back

    def __call__(self, first: np.ndarray, second: np.ndarray) -> FlowField:
        """Flow from one uint8 (H, W) frame to the next."""
        there = self._flow.calc(first, second, LEFT_OUT)
        small_first, small_second = self._small(first), self._small(second)
        back = self._flow.calc(small_second, small_first, LEFT_OUT)
        if self._back_size_px != self._size_px:
            back *= np.array(self._size_px, np.float32) / np.array(self._back_size_px, np.float32)
        self._last = (second, small_second)
        return FlowField(there, back, self._size_px)

    def _small(self, grey: np.ndarray) -> np.ndarray:
        if self._back_size_px == self._size_px:
            return grey
        if self._last is not None and self._last[0] is grey:
            return self._last[1]
        return cv2.resize(grey, self._back_size_px, interpolation=cv2.INTER_AREA)


@dataclass
class ChainState:
    """All points in one frame; those whose query frame was not reached are NaN.

    Args:
        xy: (N, 2) float32, pixels of the working frame
        kept: (N,) bool, tracked without a doubt up to here
        confidence: (N,) float32 in [0, 1]
        camera_xy: (N, 2) float32, where a lost point would be if it had moved with the camera since it was lost
        origin: (N,) int8, how it came here since it was last lost: NEVER_LOST, RE_MATCHED, FOUND_AGAIN
        stretch: (N,) int32, counts the times it was taken up again
        flow: from the frame before; None in the first
    """

    xy: np.ndarray
    kept: np.ndarray
    confidence: np.ndarray
    camera_xy: np.ndarray
    origin: np.ndarray
    stretch: np.ndarray
    flow: FlowField | None


class FlowChain:
    """One direction of time: fed frame by frame, it moves the points it was given.

    A lost point has two positions: where the flow takes it, and where it would be
    if it moved with the camera alone since it was lost. It is looked for at both.

    Args:
        rules: how to track
        size_px: (width, height) of the working frames
        between: flow from one grey frame to the next, where it is known already; None = computed
    """

    def __init__(self, rules: ChainRules, size_px: tuple[int, int], between: FlowSource | None = None) -> None:
        self._rules, self._size_px = rules, size_px
        self._between: FlowSource = between or FlowBetween(rules, size_px)
        self._query_t = np.zeros(0, np.int64)
        self._query_xy = np.zeros((0, 2), np.float32)
        self.matcher = QueryMatcher(self._query_t, self._query_xy, size_px, rules.match)
        self._previous: np.ndarray | None = None
        self._xy = np.zeros((0, 2), np.float32)
        self._camera_xy = self._xy
        self._kept = np.zeros(0, bool)
        self._confidence = np.zeros(0, np.float32)
        self._origin = np.zeros(0, np.int8)
        self._stretch = np.zeros(0, np.int32)

    def add(self, query_t: np.ndarray, query_xy: np.ndarray) -> None:
        """Adds points of frames that are still to come.

        Args:
            query_t: (K,) int, frame index of each query
            query_xy: (K, 2) float32, pixels of the working frame
        """
        count = len(query_t)
        self._query_t = np.concatenate([self._query_t, query_t])
        self._query_xy = np.concatenate([self._query_xy, query_xy]).astype(np.float32)
        self.matcher.grow(query_t, query_xy)
        unknown = np.full((count, 2), np.nan, np.float32)
        self._xy = np.concatenate([self._xy, unknown])
        self._camera_xy = np.concatenate([self._camera_xy, unknown])
        self._kept = np.concatenate([self._kept, np.zeros(count, bool)])
        self._confidence = np.concatenate([self._confidence, np.zeros(count, np.float32)])
        self._origin = np.concatenate([self._origin, np.zeros(count, np.int8)])
        self._stretch = np.concatenate([self._stretch, np.zeros(count, np.int32)])

    def step(self, frame_index: int, grey: np.ndarray) -> ChainState:
        """Moves all points on to the next frame.

        Args:
            frame_index: which frame of the clip it is
            grey: uint8 (H, W), the working frame that follows the last one in this direction

        Returns:
            the points in this frame
        """
        started = np.flatnonzero(np.isfinite(self._xy[:, 0]))
        flow = None if self._previous is None else self._motion(self._previous, grey)
        if flow is not None and len(started):
            self._carry(started, flow)
            self._settle(started[self._kept[started]], grey)
            if self._rules.recover:
                for guess in (self._xy, self._camera_xy):
                    self._recover(started[~self._kept[started]], guess, grey)
                self._find_again(started[~self._kept[started]], grey)
            kept = started[self._kept[started]]
            self._camera_xy[kept] = self._xy[kept]
        new = np.flatnonzero(self._query_t == frame_index)
        if len(new):
            self.matcher.add(new, frame_index, grey)
            self._xy[new] = self._camera_xy[new] = self._query_xy[new]
            self._kept[new], self._confidence[new] = True, 1.0
        self._previous = grey
        return ChainState(
            self._xy.copy(),
            self._kept.copy(),
            self._confidence.copy(),
            self._camera_xy.copy(),
            self._origin.copy(),
            self._stretch.copy(),
            flow,
        )

    def _motion(self, previous: np.ndarray, grey: np.ndarray) -> FlowField | None:
        """Flow between two frames; None where nobody needs it."""
        return self._between(previous, grey) if np.isfinite(self._xy[:, 0]).any() else None

    def _find_again(self, points: np.ndarray, grey: np.ndarray) -> None:
        """Takes lost points up again anywhere in the frame; for chains that can."""

    def _carry(self, points: np.ndarray, flow: FlowField) -> None:
        """Moves points with the flow and decides which are kept."""
        moved, error = flow.follow(self._xy[points])
        inside = inside_raster(self._xy[points], self._size_px) & inside_raster(moved, self._size_px)
        kept = self._kept[points] & inside & (error < self._rules.consistency_px)
        link = self._confidence_of(error)
        # lost points: a broken chain is never surer than its weakest link since
        chain = np.where(self._kept[points], 1.0, self._confidence[points])
        self._confidence[points] = np.where(kept, link, np.minimum(chain, link))
        if not kept.all():
            camera = self._camera_motion(flow)
            lost = points[~kept]
            self._camera_xy[lost] = self._camera_xy[lost] @ camera[:, :2].T + camera[:, 2]
            adrift = ~kept & ~(inside & (error < _ADRIFT * self._rules.consistency_px))
            moved[adrift] = self._xy[points[adrift]] @ camera[:, :2].T + camera[:, 2]
        self._xy[points], self._kept[points] = moved, kept

    def _settle(self, points: np.ndarray, grey: np.ndarray) -> None:
        """Takes the drift out of kept points."""
        found, _, sure = self.matcher.match(points, self._xy[points], grey, _KEPT_SEARCH)
        self._xy[points[sure]] = found[sure]

    def _recover(self, points: np.ndarray, guess: np.ndarray, grey: np.ndarray) -> None:
        """Takes lost points up again where they are surely found near a guess."""
        points = points[self.matcher.textured[points] & inside_raster(guess[points], self._size_px)]
        found, error, sure = self.matcher.match(points, guess[points], grey, _LOST_SEARCH)
        self._take_up(points[sure], found[sure], self._confidence_of(error[sure]), RE_MATCHED)

    def _take_up(self, points: np.ndarray, xy: np.ndarray, confidence: np.ndarray, origin: int) -> None:
        self._xy[points], self._kept[points], self._confidence[points] = xy, True, confidence
        self._origin[points] = origin
        self._stretch[points] += 1

    def _confidence_of(self, error: np.ndarray) -> np.ndarray:
        """1 for an error of 0, one half at the bound of consistency, then towards 0."""
        return 1 / (1 + (error / self._rules.consistency_px) ** 2)

    def _camera_motion(self, flow: FlowField) -> np.ndarray:
        """The affine motion that most of the frame agrees on: (2, 3) float32; no motion where nothing agrees."""
        width, height = self._size_px
        half = _CAMERA_GRID_STEP_PX // 2
        rows, columns = np.mgrid[half:height:_CAMERA_GRID_STEP_PX, half:width:_CAMERA_GRID_STEP_PX]
        grid = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(np.float32)
        moved, error = flow.follow(grid)
        agreed = (error < self._rules.consistency_px) & inside_raster(moved, self._size_px)
        affine = None
        if np.count_nonzero(agreed) >= _CAMERA_MIN_POINTS:
            affine, _ = cv2.estimateAffine2D(
                grid[agreed], moved[agreed], method=cv2.RANSAC, ransacReprojThreshold=1.0, maxIters=200, confidence=0.99
            )
        return np.eye(2, 3, dtype=np.float32) if affine is None else affine.astype(np.float32)
