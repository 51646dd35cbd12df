"""The tracker that runs anywhere: OpenCV's dense optical flow, chained from frame to frame in both directions of time.

How points are carried stands in `shared.flow_chain`. Memory holds a chunk of frames at the working resolution, one grey
frame per frame that holds queries, and the tracks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from ..coordinates import edge_aligned, inside_frame
from ..errors import OptionError
from ..types import Queries, Tracks
from ..video.frames import DEFAULT_CHUNK_FRAMES, FrameSource
from .base import Capabilities, RunHooks, Tracker, capped_where_hidden
from .shared.flow_chain import MIN_SIDE_PX, PRESETS, ChainRules, ChainState, FlowChain, Preset


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
            ("resolution", MIN_SIDE_PX, 4096, int),
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
    capabilities = Capabilities(keeps_queries=True, hides_outside=True)

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
        chain = self._chain(size_px, queries.t, clip.query_xy)
        chunks = source.chunks(start=first, chunk_frames=self._options.chunk_frames, size_px=size_px)
        for frame_index, grey in enumerate(_grey_frames(chunks, progress), start=first):
            clip.append(frame_index, chain.step(frame_index, grey))
        queries.check_inside(source.size_px, first + len(clip))
        clip.prepend_unknown(first)

        if backward:
            chain = self._chain(size_px, queries.t, clip.query_xy)
            chunks = source.reversed_chunks(stop=last + 1, chunk_frames=self._options.chunk_frames, size_px=size_px)
            for back, grey in enumerate(_grey_frames(chunks, progress)):
                clip.fill(last - back, chain.step(last - back, grey))
        return clip.tracks()

    def _chain(self, size_px: tuple[int, int], query_t: np.ndarray, query_xy: np.ndarray) -> FlowChain:
        given = self._options
        rules = ChainRules(
            preset=given.preset, consistency_px=given.consistency_px, match=given.match, recover=given.recover
        )
        chain = FlowChain(rules, size_px)
        chain.add(query_t, query_xy)
        return chain


def working_size(size_px: tuple[int, int], resolution: int) -> tuple[int, int]:
    """The size that frames are tracked in.

    Args:
        size_px: (width, height) of the displayed frame
        resolution: longest allowed short side

    Returns:
        (width, height): the same aspect, not enlarged but for sides that are too small for the flow
    """
    scale = min(1.0, resolution / min(size_px))
    return max(round(size_px[0] * scale), MIN_SIDE_PX), max(round(size_px[1] * scale), MIN_SIDE_PX)


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

    def _row(self, frame_index: int, state: ChainState) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        xy = edge_aligned(state.xy, self._working_px, self._size_px)
        given = self._queries.t == frame_index
        xy[given] = self._queries.xy[given]
        visible = state.kept & inside_frame(xy, self._size_px)
        confidence = capped_where_hidden(state.confidence, visible)
        return xy.astype(np.float32), visible, confidence.astype(np.float32)

    def append(self, frame_index: int, state: ChainState) -> None:
        self._rows.append(self._row(frame_index, state))

    def prepend_unknown(self, frames: int) -> None:
        """Adds the frames before the first query, in which nothing is known."""
        num_points = len(self._queries)
        self._rows[:0] = [
            (np.full((num_points, 2), np.nan, np.float32), np.zeros(num_points, bool), np.zeros(num_points, np.float32))
            for _ in range(frames)
        ]

    def fill(self, frame_index: int, state: ChainState) -> None:
        """Adds what the backward pass found for points whose query frame comes later."""
        earlier = self._queries.t > frame_index
        for known, found in zip(self._rows[frame_index], self._row(frame_index, state), strict=True):
            known[earlier] = found[earlier]

    def tracks(self) -> Tracks:
        xy, visible, confidence = (np.stack(column) for column in zip(*self._rows, strict=True))
        return Tracks(xy, visible, confidence)
