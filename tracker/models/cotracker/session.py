"""Tracking a video as it comes: frames in, tracks of settled frames out."""

from __future__ import annotations

import numpy as np
import torch

from ...errors import OptionError, QueryError, ShapeError
from ...queries.grid import grid_queries
from ...types import Queries, Tracks
from .chunks import ChunkSizes
from .features import ClipFeatures
from .online import WindowedPoints
from .passes import ModelFrame, Rules, TrackArrays
from .precision import matrix_products


class CoTrackerSession:
    """A running video, for the online models.

    A frame is settled once the last window that sees it is done: results come
    half a window after their frames. Memory does not grow with the video.

    Args:
        frame: where pixels of the video lie in the model
        rules: how the heads become visibility
        points: without any point yet
        features: a rolling store
        support_grid: points per side that support the first queries, in frame 0
        iterations: refinements per window
        chunks: how much is done at once
        dtype: in which matrices are multiplied, as of `precision.choose_dtype`
    """

    def __init__(
        self,
        frame: ModelFrame,
        rules: Rules,
        points: WindowedPoints,
        features: ClipFeatures,
        support_grid: int | str,
        iterations: int,
        chunks: ChunkSizes,
        dtype: str,
    ) -> None:
        self._frame = frame
        self._rules = rules
        self._points: WindowedPoints | None = points
        self._features: ClipFeatures | None = features
        self._support_grid = support_grid
        self._iterations = iterations
        self._chunks = chunks
        self._dtype = dtype
        self._columns: list[int] = []  # of the points that were asked for; the others are support
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
        side = self._rules.support_side(self._support_grid, queries.origin)
        if side and points.start == 0 and not self._supported and len(queries):
            width, height = self._frame.size_px
            self._add(grid_queries(side, height=height, width=width))
            self._supported = True
        first = points.t.shape[1]
        self._add(queries)
        self._columns += range(first, first + len(queries))

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
        read = min(self._chunks.encoder_frames, config.step)
        for start in range(0, len(frames), read):
            with torch.inference_mode(), matrix_products(self._dtype):
                features.append(frames[start : start + read])
            while features.num_frames >= points.start + config.window:
                settled.append(self._track_window(config.step))
        return self._tracks(settled)

    def finish(self) -> Tracks:
        """Tracks the last, short window.

        Returns:
            tracks of all frames that were not settled yet
        """
        points, features = self._open()
        settled = [self._nothing()]
        rest = features.num_frames - points.start
        if not self._finished and rest > 0:
            overlap = points.model.config.step if points.start else 0
            if rest > overlap:
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
        with torch.inference_mode(), matrix_products(self._dtype):
            maps = features.maps(start, stop)
            state = None
            for state in points.refine_window(maps, self._iterations, self._chunks):  # noqa: B007
                pass
        assert state is not None
        arrays = TrackArrays.from_state(state, self._columns, start)
        self._pending = arrays.frames(settle, stop - start)
        return arrays.frames(0, settle)

    def _nothing(self) -> TrackArrays:
        points, _ = self._open()
        return TrackArrays.empty(0, len(self._columns), points.start)

    def _tracks(self, settled: list[TrackArrays]) -> Tracks:
        parts = settled[1:] or settled
        arrays = TrackArrays.joined(parts)
        return self._rules.tracks(arrays, self._frame, {"first_frame": parts[0].first_frame})

    def _open(self) -> tuple[WindowedPoints, ClipFeatures]:
        if self._points is None or self._features is None:
            raise OptionError("The session is closed. Open another one with open_session")
        return self._points, self._features
