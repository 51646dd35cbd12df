"""Tracking a video as it comes: the one way through pt-fused-2, for clips as for live video."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ...errors import OptionError, QueryError, ShapeError
from ...types import Queries, Tracks
from .estimate import Estimate
from .selection import SelectedFrame, SelectionRules, Selector
from .stream import CandidateStream, StreamRules

if TYPE_CHECKING:
    from ..pt_small.tracker import ShippedTracker


class FusedSession:
    """A running video.

    Results come at most `delay_frames` frames after their frames. What grows with
    the video is what query frames leave behind; tracks are handed out and forgotten.

    Args:
        network: the learned tracker
        estimate: how good a candidate is
        size_px: (width, height) of the frames
        num_points: that are expected, for the plan of the work
        stream_rules: how candidates come about
        selection_rules: how one is chosen
        cancelled: called between blocks of work; may raise
    """

    def __init__(
        self,
        network: ShippedTracker,
        estimate: Estimate,
        size_px: tuple[int, int],
        num_points: int = 0,
        stream_rules: StreamRules | None = None,
        selection_rules: SelectionRules | None = None,
        cancelled: Callable[[], None] = lambda: None,
    ) -> None:
        selection_rules = selection_rules or SelectionRules()
        self._size_px = size_px
        self._stream: CandidateStream | None = CandidateStream(network, size_px, num_points, stream_rules, cancelled)
        self._selector = Selector(estimate, size_px, selection_rules)
        self._num_points = 0
        self._handed_out = 0
        self._finished = False
        self.delay_frames = self._stream.network.window - 1 + selection_rules.look_ahead
        """Frames that must follow, at most, before one is handed out."""
        self.plan = self._stream.network.plan.to_dict()
        self.warnings = self._stream.network.warnings

    @property
    def num_frames(self) -> int:
        """Frames pushed so far."""
        return self._open().num_frames

    @property
    def frames_together(self) -> int:
        """Frames that are best pushed together; any number is right."""
        return self._open().step

    def add(self, queries: Queries) -> None:
        """Adds points.

        Args:
            queries: in pixels; `t` counts frames from the start of the session, and lies in frames still to come

        Raises:
            QueryError: if a point lies outside the frame, or in a frame that was pushed already
            OptionError: if the session is closed
        """
        stream = self._open()
        queries.check_inside(self._size_px)
        if len(queries) and int(queries.t.min()) < stream.num_frames:
            raise QueryError(
                f"Frame {int(queries.t.min())} was pushed already. Points can be added from frame "
                f"{stream.num_frames} on"
            )
        stream.add(queries)
        self._num_points += len(queries)

    def push(self, frames: np.ndarray) -> Tracks:
        """Takes the next frames.

        Args:
            frames: uint8 (T, H, W, 3) RGB

        Returns:
            tracks of the frames that are final now, maybe none; `info["first_frame"]` is the index of the first

        Raises:
            ShapeError: if the frames have another size or type
            OptionError: if the session is closed or finished
            OutOfMemoryError: if the points do not fit into memory
        """
        stream = self._open()
        if self._finished:
            raise OptionError("The session is finished. Open another one for more frames")
        frames = np.asarray(frames)
        width, height = self._size_px
        if frames.ndim != 4 or frames.shape[1:] != (height, width, 3) or frames.dtype != np.uint8:
            raise ShapeError(
                f"Invalid frames of shape {frames.shape} and type {frames.dtype}. "
                f"Expected uint8 (T, {height}, {width}, 3) RGB"
            )
        selected = [self._selector.push(one) for one in stream.push(frames)]
        return self._tracks([one for one in selected if one is not None])

    def finish(self) -> Tracks:
        """Says that no frame will follow.

        Returns:
            tracks of all frames that were not handed out yet
        """
        stream = self._open()
        selected: list[SelectedFrame] = []
        if not self._finished:
            selected = [found for one in stream.finish() if (found := self._selector.push(one)) is not None]
            selected += self._selector.finish()
        self._finished = True
        return self._tracks(selected)

    def close(self) -> None:
        """Frees what the session holds."""
        self._stream = None

    def _tracks(self, selected: list[SelectedFrame]) -> Tracks:
        shape = (len(selected), self._num_points)
        xy, confidence = np.full((*shape, 2), np.nan, np.float32), np.zeros(shape, np.float32)
        visible = np.zeros(shape, bool)
        for i, one in enumerate(selected):  # frames from before points were added know fewer
            known = slice(0, len(one.xy))
            xy[i, known], visible[i, known], confidence[i, known] = one.xy, one.visible, one.confidence
        first, self._handed_out = self._handed_out, self._handed_out + len(selected)
        return Tracks(xy, visible, confidence, {"first_frame": first})

    def _open(self) -> CandidateStream:
        if self._stream is None:
            raise OptionError("The session is closed. Open another one with open_session")
        return self._stream
