"""What the published predictors do around the network.

Pixel conventions, support points, thresholds, the overwriting of queries, and features as windows ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ....coordinates import corner_aligned, inside_frame
from ....queries.grid import grid_queries
from ....types import Queries, Tracks
from ....video.frames import FrameSource
from ..network.chunks import ChunkSizes
from ..network.config import CoTrackerConfig
from ..network.correlation import FeatureMaps
from ..network.model import TrackState
from .features import ClipFeatures

SUPPORT_GRID = 6
_SUPPORTED_ORIGINS = ("points", "masked_grid")


@dataclass(frozen=True)
class ModelFrame:
    """Where pixels of a video lie in the model.

    Args:
        config: sizes of the model
        size_px: (width, height) of the video
        device: where the model is
    """

    config: CoTrackerConfig
    size_px: tuple[int, int]
    device: torch.device

    @property
    def _model_size(self) -> tuple[int, int]:
        height, width = self.config.resolution
        return width, height

    def to_model(self, queries: Queries) -> tuple[Tensor, Tensor]:
        """Query frames (1, N) int64, and positions (1, N, 2) float32 in feature pixels."""
        xy = corner_aligned(queries.xy, self.size_px, self._model_size) / self.config.stride
        t = torch.from_numpy(queries.t.astype(np.int64)).to(self.device)
        return t[None], torch.from_numpy(xy.astype(np.float32)).to(self.device)[None]

    def to_video(self, xy: np.ndarray) -> np.ndarray:
        """Pixels of the video, float32, of (..., 2) feature pixels."""
        return corner_aligned(xy * self.config.stride, self._model_size, self.size_px).astype(np.float32)


@dataclass(frozen=True)
class TrackArrays:
    """What the model says about some frames, on the CPU.

    Args:
        xy: (T, N, 2) float32 feature pixels
        visibility: (T, N) float32 logits
        confidence: (T, N) float32 logits
        first_frame: index of the first
    """

    xy: np.ndarray
    visibility: np.ndarray
    confidence: np.ndarray
    first_frame: int = 0

    @classmethod
    def empty(cls, num_frames: int, num_points: int, first_frame: int = 0) -> TrackArrays:
        """Arrays to be filled."""
        shape = (num_frames, num_points)
        return cls(
            np.zeros((*shape, 2), np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32), first_frame
        )

    @classmethod
    def from_state(cls, state: TrackState, columns: slice | list[int], first_frame: int) -> TrackArrays:
        """Some points of a (1, N, T) state."""
        xy, visibility, confidence = (
            part[0].transpose(0, 1)[:, columns].float().cpu().numpy()
            for part in (state.xy, state.visibility, state.confidence)
        )
        return cls(xy, visibility, confidence, first_frame)

    @classmethod
    def joined(cls, parts: list[TrackArrays]) -> TrackArrays:
        """Parts of the same points, one after the other."""
        xy, visibility, confidence = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("xy", "visibility", "confidence")
        )
        return cls(xy, visibility, confidence, parts[0].first_frame)

    def frames(self, start: int, stop: int) -> TrackArrays:
        """A part in time."""
        return TrackArrays(
            self.xy[start:stop], self.visibility[start:stop], self.confidence[start:stop], self.first_frame + start
        )

    def put(self, other: TrackArrays, columns: slice | np.ndarray, skip: int = 0) -> None:
        """Writes another's rows from its `skip`-th on into some columns."""
        rows = slice(other.first_frame + skip, other.first_frame + len(other.xy))
        self.xy[rows, columns] = other.xy[skip:]
        self.visibility[rows, columns] = other.visibility[skip:]
        self.confidence[rows, columns] = other.confidence[skip:]

    def replace_where(self, mask: np.ndarray, other: TrackArrays) -> None:
        """Takes another's entries where a (T, N) mask is set."""
        self.xy[mask] = other.xy[mask]
        self.visibility[mask] = other.visibility[mask]
        self.confidence[mask] = other.confidence[mask]

    def reversed(self) -> TrackArrays:
        """Backwards in time."""
        return TrackArrays(self.xy[::-1], self.visibility[::-1], self.confidence[::-1])


@dataclass(frozen=True)
class Rules:
    """How a published predictor reads the model's heads.

    Args:
        threshold: a point is visible above it
        with_confidence: compare visibility x confidence instead of visibility
        keep_queries: the query itself is put into its frame, visible
        has_confidence: whether the model has a confidence head (CoTracker3)
        in_frame_only: what has left the frame is not visible, whatever the heads say
        knows_before: the model's output before a query is handed on; False: there
            points are hidden and their positions NaN
    """

    threshold: float
    with_confidence: bool
    keep_queries: bool
    has_confidence: bool
    in_frame_only: bool = False
    knows_before: bool = True

    @classmethod
    def whole_clip(cls, config: CoTrackerConfig) -> Rules:
        """The predictor of whole clips: visibility alone, above 0.9."""
        return cls(0.9, False, True, config.version == 3)

    @classmethod
    def streaming(cls, config: CoTrackerConfig) -> Rules:
        """The streaming predictor: visibility x confidence (CoTracker2: visibility) above 0.6."""
        return cls(0.6, config.version == 3, False, config.version == 3)

    @staticmethod
    def support_side(option: int | str, origin: str) -> int:
        """Points per side of the support grid for queries of an origin; 0 = none."""
        if option == "auto":
            return SUPPORT_GRID if origin in _SUPPORTED_ORIGINS else 0
        return int(option)

    def tracks(
        self,
        arrays: TrackArrays,
        frame: ModelFrame,
        info: dict[str, Any],
        queries: Queries | None = None,
        since: np.ndarray | None = None,
    ) -> Tracks:
        """Turns what the model says into tracks in pixels of the video.

        Args:
            arrays: T frames, N points
            frame: where the video lies in the model
            info: what to report
            queries: the N points, where they are to be put into their frames
            since: (N,) frames, of the clip, in which the points are given; None =
                they were tracked in both directions

        Returns:
            tracks; confidence is visibility x confidence (CoTracker2: visibility),
            `info["visibility"]` the (T, N) visibility alone
        """
        visibility = _sigmoid(arrays.visibility)
        confidence = visibility * _sigmoid(arrays.confidence) if self.has_confidence else visibility
        visible = (confidence if self.with_confidence else visibility) > self.threshold
        xy = arrays.xy
        if queries is not None and self.keep_queries and len(queries):
            columns = np.arange(len(queries))
            xy[queries.t, columns] = frame.to_model(queries)[1][0].cpu().numpy()
            visible[queries.t, columns] = True
        xy = frame.to_video(xy)
        if self.in_frame_only:
            if queries is not None and self.keep_queries:
                xy[queries.t, np.arange(len(queries))] = queries.xy  # rounding may have moved them out
            visible = visible & inside_frame(xy, frame.size_px)
        if since is not None and not self.knows_before:
            before = arrays.first_frame + np.arange(len(xy))[:, None] < since  # (T, N)
            xy[before], visible[before], confidence[before] = np.nan, False, 0
        return Tracks(xy, visible, confidence, {**info, "visibility": visibility})


class Windowed(Protocol):
    """Points that are tracked window by window (`WindowedPoints`, `ChainedPoints`)."""

    def refine_window(
        self, maps: FeatureMaps, iterations: int | None = None, chunks: ChunkSizes | None = None
    ) -> Iterator[TrackState]: ...


class WindowFeatures(Protocol):
    """Where the features of windows come from."""

    def window(self, start: int, length: int) -> FeatureMaps:
        """The maps of frames start .. start + length - 1, fewer at the end of the clip."""
        ...


class StoredFeatures:
    """Features of a whole clip, forwards or backwards."""

    def __init__(self, maps: FeatureMaps) -> None:
        self._maps = maps

    def window(self, start: int, length: int) -> FeatureMaps:
        return self._maps.part(start, start + length)


class StreamedFeatures:
    """Features of the last frames of a stream of chunks, encoded when they are needed."""

    def __init__(
        self, store: ClipFeatures, chunks: Iterator[np.ndarray], on_frames: Callable[[int], None] | None = None
    ) -> None:
        self._store = store
        self._chunks = chunks
        self._on_frames = on_frames

    def window(self, start: int, length: int) -> FeatureMaps:
        while self._store.num_frames < start + length:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._store.append(chunk)
            if self._on_frames is not None:
                self._on_frames(self._store.num_frames)
        return self._store.maps(start, start + length)


def with_support(queries: Queries, side: int, size_px: tuple[int, int]) -> Queries:
    """The queries with a grid of support points in frame 0 behind them.

    Args:
        queries: N points
        side: support points per side; 0 = none
        size_px: (width, height) of the video

    Returns:
        N + side ** 2 points
    """
    if side == 0 or len(queries) == 0:
        return queries
    width, height = size_px
    support = grid_queries(side, height=height, width=width)
    return Queries(
        t=np.concatenate([queries.t, support.t]), xy=np.concatenate([queries.xy, support.xy]), origin=queries.origin
    )


def frames_of(source: FrameSource, chunk_frames: int, num_frames: int, backwards: bool) -> Iterator[np.ndarray]:
    """Chunks of a clip's frames in either direction."""
    if not backwards:
        yield from source.chunks(stop=num_frames, chunk_frames=chunk_frames)
        return
    # a file is read backwards in larger pieces: each is decoded from the key frame before it
    for piece in source.reversed_chunks(stop=num_frames):
        for start in range(0, len(piece), chunk_frames):
            yield piece[start : start + chunk_frames]


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return torch.sigmoid(torch.from_numpy(np.ascontiguousarray(logits))).numpy()
