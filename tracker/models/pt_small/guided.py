"""A shipped model's windows, started from where another tracker puts the points.

The other tracker goes ahead frame by frame and may use the encoder's maps; a
window is refined once all its frames are in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import torch
from torch import Tensor

from ...types import Queries, Tracks
from ..cotracker.network.chunks import ChunkSizes
from ..cotracker.network.guidance import Guide, motion_of_flow
from ..cotracker.running.features import ClipFeatures
from ..cotracker.running.memory_plan import MIN_CHUNKS, Workload, changes_of_results
from ..cotracker.running.online import WindowedPoints
from ..cotracker.running.passes import TrackArrays, with_support
from ..cotracker.running.threads import one_thread
from ..shared.memory import run_within_memory
from ..shared.precision import matrix_products

if TYPE_CHECKING:
    from .tracker import ShippedTracker

T = TypeVar("T")

MIN_PASS = 64  # points that are tracked together at least, whatever the memory


@dataclass(frozen=True, eq=False)
class GuideFrame:
    """Where the other tracker puts points in one frame.

    Args:
        xy: (N, 2) pixels of the video, NaN where it does not know
        kept: (N,) bool, where it is to be followed
    """

    xy: np.ndarray
    kept: np.ndarray


@dataclass(eq=False)
class _Pass:
    """Points that see each other; a column of -1 is a support point."""

    columns: np.ndarray
    points: WindowedPoints


class GuidedNetwork:
    """The windows of one video, or of one direction of it.

    Frames and points are told first (`encode`, `put_flow`, `add`), then windows
    are refined with `settle`. Memory does not grow with the video.

    Args:
        tracker: whose model runs, as its options say
        size_px: (width, height) of the video
        num_points: that are expected, for the plan of the work
        cancelled: called between blocks of work; may raise
    """

    def __init__(
        self, tracker: ShippedTracker, size_px: tuple[int, int], num_points: int, cancelled: Callable[[], None]
    ) -> None:
        self._context = context = tracker.context_for(size_px)
        self._model, config = context.model, context.model.config
        self.window, self.step = config.window, config.step
        self._frame = context.frame(size_px)
        side = context.rules.support_side(context.support_grid, "points")
        work = Workload(self.window + 1, max(num_points, 1), side**2, size_px, feature_bytes=context.feature_bytes)
        self.plan = context.plan(work)
        self._chunks = replace(self.plan.chunks, on_block=cancelled)
        self.warnings = changes_of_results(config, work, self.plan)
        with torch.inference_mode():
            self._features = ClipFeatures(
                self._model, self.window + self.step, context.feature_dtype, rolling=True, computes_motion=False
            )
        self._passes: list[_Pass] = []
        self._query_t = np.zeros(0, np.int64)
        self._start = 0

    @property
    def num_frames(self) -> int:
        """Frames encoded so far."""
        return self._features.num_frames

    @property
    def start(self) -> int:
        """First frame of the next window."""
        return self._start

    @property
    def to_cells(self) -> np.ndarray:
        """(2,) cells of the maps per pixel of the video; the centres of the corners coincide."""
        height, width = self._model.config.resolution
        video = np.maximum(np.array(self._frame.size_px) - 1, 1)
        return (np.array([width, height]) - 1) / video / self._model.config.stride

    def few_threads(self) -> AbstractContextManager[None]:
        """For small operations on a CPU; see `running.threads`."""
        return one_thread() if self._frame.device.type == "cpu" else nullcontext()

    def add(self, queries: Queries) -> None:
        """Adds points of frames that are not encoded yet."""
        first = len(self._query_t)
        self._query_t = np.concatenate([self._query_t, queries.t])
        most = max(self.plan.points_per_pass, MIN_PASS)
        done = 0
        while done < len(queries):
            last = self._passes[-1] if self._passes else None
            room = 0 if last is None else most - np.count_nonzero(last.columns >= 0)
            take = np.arange(done, min(done + (room if room > 0 else most), len(queries)))
            some = Queries(queries.t[take], queries.xy[take], queries.origin)
            columns = first + take
            if last is not None and room > 0:
                with torch.inference_mode():
                    last.points.add(*self._frame.to_model(some))
                last.columns = np.concatenate([last.columns, columns])
            else:
                self._passes.append(self._new_pass(some, columns))
            done = int(take[-1]) + 1

    def _new_pass(self, queries: Queries, columns: np.ndarray) -> _Pass:
        side = self._context.rules.support_side(self._context.support_grid, queries.origin)
        supported = with_support(queries, side if self.num_frames == 0 else 0, self._frame.size_px)
        support = np.full(len(supported) - len(queries), -1, np.int64)
        with torch.inference_mode():
            points = WindowedPoints(self._model, *self._frame.to_model(supported), start=self._start)
        return _Pass(np.concatenate([columns, support]), points)

    def encode(self, frames: np.ndarray) -> None:
        """Takes the next frames, uint8 (n, H, W, 3), at most `step` of them before a window is settled."""
        before = self.num_frames

        def encode_some(chunks: ChunkSizes) -> None:
            done = self.num_frames - before
            self._features.append(frames[done : done + chunks.encoder_frames])

        while self.num_frames < before + len(frames):
            self._within_memory(encode_some)

    def map_of(self, frame_index: int) -> Tensor:
        """The encoder's map of a frame that a window still needs, (h, w, C) of unit length."""
        return self._features.map_of(frame_index)

    def put_flow(self, frame_index: int, there: np.ndarray, back: np.ndarray, size_px: tuple[int, int]) -> None:
        """Tells the flow into a frame from the one before, and back; see `guidance.motion_of_flow`."""
        motion = motion_of_flow(there, back, size_px, self._model.config)
        with torch.inference_mode():
            self._features.put_motion(frame_index, motion)

    def settle(self, guide: Sequence[GuideFrame], count: int) -> Tracks:
        """Refines the next window.

        Args:
            guide: of its frames, as many as are encoded
            count: how many of them are final after it

        Returns:
            tracks of these frames, in pixels of the video
        """
        start = self._start
        stop = start + len(guide)
        out = TrackArrays.empty(count, len(self._query_t), start)
        guided = [guide[min(i, len(guide) - 1)] for i in range(self.window)]
        xy = np.stack([one.xy for one in guided])  # (S, N, 2)
        kept = np.stack([one.kept for one in guided])  # (S, N)
        for one in self._passes:
            told = self._guide(xy, kept, one.columns)

            def refine(chunks: ChunkSizes, one: _Pass = one, told: Guide = told) -> TrackArrays:
                state = None
                maps, iterations = self._features.maps(start, stop), self._context.iterations
                for state in one.points.refine_window(maps, iterations, chunks, told):  # noqa: B007
                    pass
                assert state is not None
                return TrackArrays.from_state(state, np.flatnonzero(one.columns >= 0).tolist(), start)

            out.put(replace(self._within_memory(refine).frames(0, count), first_frame=0), one.columns[one.columns >= 0])
        self._start += self.step
        return self._context.rules.tracks(out, self._frame, {}, since=self._query_t)

    def _guide(self, xy: np.ndarray, kept: np.ndarray, columns: np.ndarray) -> Guide:
        known = columns >= 0
        some, told = np.where(known, columns, 0), np.zeros((len(xy), len(columns), 2), np.float32)
        told[:, known] = np.nan_to_num(xy[:, some[known]] * self.to_cells)
        followed = kept[:, some] & known if kept.shape[1] else np.zeros(told.shape[:2], bool)
        device = self._frame.device
        return Guide(
            torch.from_numpy(told).to(device).transpose(0, 1)[None],  # (1, N, S, 2)
            torch.from_numpy(followed).to(device).T[None],  # (1, N, S)
        )

    def _within_memory(self, run: Callable[[ChunkSizes], T]) -> T:
        """Does a step of the work, which changes nothing where it fails, in blocks that fit into memory."""

        def smaller(chunks: ChunkSizes) -> ChunkSizes | None:
            halved = chunks.halved(MIN_CHUNKS)
            return None if halved == chunks else halved

        device = self._frame.device
        with self.few_threads(), torch.inference_mode(), matrix_products(self._context.dtype, device):
            result, self._chunks = run_within_memory(run, self._chunks, smaller)
        return result
