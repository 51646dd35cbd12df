"""Tracking a video as it comes: frames in, tracks of the same frames out.

Source: RoboTAP, arXiv:2308.15975. A point is tracked from its frame on.
"""

from __future__ import annotations

import numpy as np
import torch

from ...errors import OptionError, QueryError, ShapeError
from ...types import Queries, Tracks
from ..shared.independent_points.clip_run import RunSettings, TrackTable, to_first_frame
from ..shared.independent_points.frame_maps import Course, FrameMaps, Points
from ..shared.precision import matrix_products
from .network import Tapir
from .streaming import StreamedPoints


class TapirSession:
    """A running video, for the online model.

    Every frame is settled at once: `push` returns the tracks of the frames it was given. Memory does not grow with the
    video. Where it runs out, fewer points are taken together.

    Args:
        model: a causal one
        settings: how frames are read
        size_px: (width, height) of the frames to come
        dtype: as of `precision.choose_dtype`
        together: points that are refined together at most
        block: points whose surroundings are read at once
    """

    def __init__(
        self, model: Tapir, settings: RunSettings, size_px: tuple[int, int], dtype: str, together: int, block: int
    ) -> None:
        self._model = model
        self._settings = settings
        self._size_px = size_px
        self._dtype = dtype
        course = Course(settings.iterations, settings.temperature, block)
        sizes = settings.network.sizes(settings.frame_size)
        self._points: StreamedPoints | None = StreamedPoints(model, course, len(sizes), together)
        self._since = np.zeros(0, np.int64)  # frames of the points, in the order in which they were added
        self._xy = np.zeros((0, 2), np.float32)
        self._begun: list[int] = []  # which of them have begun, in the order in which they did
        self._last: list[FrameMaps] | None = None
        self._num_frames = 0
        self._finished = False

    @property
    def num_frames(self) -> int:
        """Frames pushed so far."""
        self._open()
        return self._num_frames

    def add(self, queries: Queries) -> None:
        """Adds points, at any time.

        Args:
            queries: in pixels; `t` counts frames from the start of the session. They lie in the last frame that was
                pushed or in one that is still to come

        Raises:
            QueryError: if a point lies outside the frame, or in an earlier one
            OptionError: if the session is closed or finished
        """
        self._open_for_more()
        queries.check_inside(self._size_px)
        earliest = max(self._num_frames - 1, 0)
        if len(queries) and int(queries.t.min()) < earliest:
            raise QueryError(
                f"Frame {int(queries.t.min())} has gone by. Points can be added from frame {earliest} on, the last one "
                "that was pushed"
            )
        self._since = np.concatenate([self._since, queries.t])
        self._xy = np.concatenate([self._xy, to_first_frame(queries.xy, self._size_px).astype(np.float32)])
        if self._last is not None and (queries.t < self._num_frames).any():
            # the frame is not settled again, but counts for what is remembered of its points
            with torch.inference_mode(), matrix_products(self._dtype, self._model.device):
                self._begin_late(self._num_frames - 1, self._last)

    def push(self, frames: np.ndarray) -> Tracks:
        """Takes the next frames.

        Args:
            frames: uint8 (T, H, W, 3) RGB

        Returns:
            tracks of these frames and of all points that were added; NaN before a point's own frame.
            `info["first_frame"]` is the index of the first

        Raises:
            ShapeError: if the frames have another size or type
            OptionError: if the session is closed or finished
            OutOfMemoryError: if the points do not fit into memory
        """
        points = self._open_for_more()
        frames = np.asarray(frames)
        width, height = self._size_px
        if frames.ndim != 4 or frames.shape[1:] != (height, width, 3) or frames.dtype != np.uint8:
            raise ShapeError(
                f"Invalid frames of shape {frames.shape} and type {frames.dtype}. "
                f"Expected uint8 (T, {height}, {width}, 3) RGB"
            )
        first = self._num_frames
        table = TrackTable(len(frames), len(self._since), self._size_px)
        with torch.inference_mode(), matrix_products(self._dtype, self._model.device):
            for row in range(len(frames)):
                self._last = self._settings.encode(frames[row : row + 1])
                self._begin(first + row, self._last, points)
                if self._begun:
                    found = points.advance(self._last)
                    table.write(np.array([row]), np.array(self._begun), found)
                self._num_frames += 1
        before = first + np.arange(len(frames))[:, None] < self._since
        tracks = table.tracks(before)
        tracks.info["first_frame"] = first
        return tracks

    def finish(self) -> Tracks:
        """Ends the session; nothing is left to be settled, so these tracks have no frames."""
        self._open()
        self._finished = True
        none = TrackTable(0, len(self._since), self._size_px).tracks(np.zeros((0, len(self._since)), bool))
        none.info["first_frame"] = self._num_frames
        return none

    def close(self) -> None:
        """Frees what the session holds."""
        self._points = self._last = None

    def _begin(self, frame: int, sets: list[FrameMaps], points: StreamedPoints) -> None:
        """Lets those points begin that are given in a frame."""
        columns = np.setdiff1d(np.flatnonzero(self._since == frame), self._begun)
        if not len(columns):
            return
        device = self._model.device
        xy = torch.from_numpy(self._xy[columns]).to(device)
        here = Points(torch.zeros(len(columns), dtype=torch.int64, device=device), xy)
        points.add(self._model.read_templates(sets, here))
        self._begun += columns.tolist()

    def _begin_late(self, frame: int, sets: list[FrameMaps]) -> None:
        """Lets points begin in a frame through which the others have gone."""
        points = self._open_for_more()
        late = points.empty()
        self._begin(frame, sets, late)
        late.advance(sets)
        points.join(late)

    def _open(self) -> StreamedPoints:
        if self._points is None:
            raise OptionError("The session is closed. Open another one with open_session")
        return self._points

    def _open_for_more(self) -> StreamedPoints:
        if self._finished:
            raise OptionError("The session is finished. Open another one for more frames")
        return self._open()
