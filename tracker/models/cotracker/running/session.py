"""Tracking a video as it comes: frames in, tracks of settled frames out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from ....errors import OptionError, QueryError, ShapeError
from ....queries.grid import grid_queries
from ....types import Queries, Tracks
from ...shared.memory import run_within_memory
from ...shared.precision import matrix_products
from ..network.chunks import ChunkSizes
from .features import ClipFeatures
from .memory_plan import MIN_CHUNKS
from .online import WindowedPoints
from .passes import TrackArrays
from .run_context import RunContext

T = TypeVar("T")


class CoTrackerSession:
    """A running video, for the online models.

    A frame is settled once the last window that sees it is done: results come
    half a window after their frames. Memory does not grow with the video. Where
    it runs out, the session goes on with smaller blocks of work.

    Args:
        context: the model, and how it runs
        size_px: (width, height) of the frames to come
    """

    def __init__(self, context: RunContext, size_px: tuple[int, int]) -> None:
        model = context.model
        self._context = context
        self._frame = context.frame(size_px)
        self._chunks = context.window_chunks(0, size_px)
        # frames encoded together at most, for which the store has room beside a window
        self._read_frames = min(self._chunks.encoder_frames, model.config.step)
        none = Queries(t=np.zeros(0, dtype=np.int64), xy=np.zeros((0, 2)))
        with torch.inference_mode():
            stored_frames = model.config.window + self._read_frames
            self._features: ClipFeatures | None = ClipFeatures(
                model, stored_frames, context.feature_dtype, rolling=True
            )
            self._points: WindowedPoints | None = WindowedPoints(model, *self._frame.to_model(none))
        self._columns: list[int] = []  # of the points that were asked for; the others are support
        self._since: list[int] = []  # frames of these points
        self._waiting = False  # for their first window are points that were added
        self._supported = False
        self._pending: TrackArrays | None = None
        self._finished = False

    @property
    def num_frames(self) -> int:
        """Frames pushed so far."""
        return self._open()[1].num_frames

    def add(self, queries: Queries) -> None:
        """Adds points.

        Args:
            queries: in pixels; `t` counts frames from the start of the session,
                and may lie ahead

        Raises:
            QueryError: if a point lies outside the frame, or in a frame that has left the window
            OptionError: if the session is closed
        """
        points, _ = self._open()
        queries.check_inside(self._frame.size_px)
        if len(queries) and int(queries.t.min()) < points.start:
            raise QueryError(
                f"Frame {int(queries.t.min())} has left the window. Points can be added from frame {points.start} on"
            )
        side = self._context.rules.support_side(self._context.support_grid, queries.origin)
        if side and points.start == 0 and not self._supported and len(queries):
            width, height = self._frame.size_px
            self._add(grid_queries(side, height=height, width=width))
            self._supported = True
        first = points.t.shape[1]
        self._add(queries)
        self._columns += range(first, first + len(queries))
        self._since += queries.t.tolist()
        self._waiting = self._waiting or len(queries) > 0
        self._chunks = self._context.window_chunks(points.t.shape[1], self._frame.size_px)

    def _add(self, queries: Queries) -> None:
        points, _ = self._open()
        points.add(*self._frame.to_model(queries))

    def push(self, frames: np.ndarray) -> Tracks:
        """Takes the next frames.

        Args:
            frames: uint8 (T, H, W, 3) RGB

        Returns:
            tracks of the frames that are settled now, maybe none;
            `info["first_frame"]` is the index of the first

        Raises:
            ShapeError: if the frames have another size or type
            OptionError: if the session is closed or finished
            OutOfMemoryError: if the points do not fit into memory
        """
        points, features = self._open()
        if self._finished:
            raise OptionError("The session is finished. Open another one for more frames")
        frames = np.asarray(frames)
        width, height = self._frame.size_px
        if frames.ndim != 4 or frames.shape[1:] != (height, width, 3) or frames.dtype != np.uint8:
            raise ShapeError(
                f"Invalid frames of shape {frames.shape} and type {frames.dtype}. "
                f"Expected uint8 (T, {height}, {width}, 3) RGB"
            )
        settled = [self._nothing()]
        config = points.model.config
        before = features.num_frames

        def encode_some(chunks: ChunkSizes) -> None:
            start = features.num_frames - before
            features.append(frames[start : start + min(chunks.encoder_frames, self._read_frames)])

        while features.num_frames < before + len(frames):
            self._within_memory(encode_some)
            while features.num_frames >= points.start + config.window:
                settled.append(self._track_window(config.step))
        return self._tracks(settled)

    def finish(self) -> Tracks:
        """Tracks the last, short window; without a new frame in it, only if points were added since the one before.

        Returns:
            tracks of all frames that were not settled yet
        """
        points, features = self._open()
        settled = [self._nothing()]
        rest = features.num_frames - points.start
        if not self._finished and rest > 0:
            overlap = points.model.config.step if points.start else 0
            if rest > overlap or self._waiting:
                settled.append(self._track_window(rest))
            elif self._pending is not None:
                settled.append(self._pending)
        self._finished = True
        return self._tracks(settled)

    def close(self) -> None:
        """Frees what the session holds."""
        self._points = self._features = self._pending = None

    def _track_window(self, settle: int) -> TrackArrays:
        """Runs the next window; its first `settle` frames become final, the rest stays pending."""
        points, features = self._open()
        start, stop = points.start, min(features.num_frames, points.start + points.model.config.window)

        def refine(chunks: ChunkSizes) -> TrackArrays:
            state = None
            for state in points.refine_window(features.maps(start, stop), self._context.iterations, chunks):  # noqa: B007
                pass
            assert state is not None
            return TrackArrays.from_state(state, self._columns, start)

        arrays = self._within_memory(refine)
        self._waiting = False
        self._pending = arrays.frames(settle, stop - start)
        return arrays.frames(0, settle)

    def _within_memory(self, run: Callable[[ChunkSizes], T]) -> T:
        """Does a step of the work, which changes nothing where it fails, in blocks that fit into memory."""

        def smaller(chunks: ChunkSizes) -> ChunkSizes | None:
            halved = chunks.halved(MIN_CHUNKS)
            return None if halved == chunks else halved

        with torch.inference_mode(), matrix_products(self._context.dtype, self._frame.device):
            result, self._chunks = run_within_memory(run, self._chunks, smaller)
        return result

    def _nothing(self) -> TrackArrays:
        points, _ = self._open()
        return TrackArrays.empty(0, len(self._columns), points.start)

    def _tracks(self, settled: list[TrackArrays]) -> Tracks:
        parts = settled[1:] or settled
        arrays = TrackArrays.joined(parts)
        since = np.array(self._since[: arrays.xy.shape[1]], dtype=np.int64)
        return self._context.rules.tracks(arrays, self._frame, {"first_frame": parts[0].first_frame}, since=since)

    def _open(self) -> tuple[WindowedPoints, ClipFeatures]:
        if self._points is None or self._features is None:
            raise OptionError("The session is closed. Open another one with open_session")
        return self._points, self._features
