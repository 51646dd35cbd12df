"""Frames of a clip, a chunk at a time: the one way trackers see video.

A FrameSource never holds more than a chunk of frames. The number of frames a
container declares is not trusted: `num_frames` is what decodes.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..errors import ShapeError, VideoError
from ..types import FrameMap
from .probe import VideoProbe, decode, displayed_size, open_stream, probe, rotation_of

DEFAULT_CHUNK_FRAMES = 16


class FrameSource(ABC):
    """A clip as uint8 RGB frames, read by chunk or by index.

    Attributes:
        size_px: (width, height) of the displayed frame
        fps: average frames per second, None where unknown
        warnings: what was found wrong while reading, in words
    """

    size_px: tuple[int, int]
    fps: float | None
    warnings: list[str]

    @property
    @abstractmethod
    def num_frames(self) -> int:
        """The exact number of frames; may have to decode the video once to know it."""

    @property
    def num_frames_hint(self) -> int:
        """The number of frames as far as it is known without decoding; for progress only."""
        return self.num_frames

    @abstractmethod
    def _iterate(self, indices: Iterable[int] | None, start: int) -> Iterator[np.ndarray]:
        """Yields uint8 (H, W, 3) frames: all from `start` on, or those of strictly increasing indices."""

    def chunks(
        self,
        *,
        start: int = 0,
        stop: int | None = None,
        chunk_frames: int = DEFAULT_CHUNK_FRAMES,
        size_px: tuple[int, int] | None = None,
    ) -> Iterator[np.ndarray]:
        """Reads frames in order, a chunk at a time.

        Args:
            start: first frame index
            stop: frame index to stop before; None reads to the end
            chunk_frames: frames per chunk; the last chunk may be shorter
            size_px: (width, height) to resize to at reading (area averaging)

        Yields:
            uint8 (n, H, W, 3) RGB, 1 <= n <= chunk_frames

        Raises:
            ShapeError: for a chunk size below 1 or a negative start
            VideoError: if the video does not decode
        """
        if chunk_frames < 1 or start < 0:
            raise ShapeError(f"Invalid chunk of {chunk_frames} frames from frame {start}. Expected at least 1 from 0")
        width, height = size_px or self.size_px
        frames = self._iterate(None, start)
        remaining = None if stop is None else max(stop - start, 0)
        while remaining is None or remaining > 0:
            wanted = chunk_frames if remaining is None else min(chunk_frames, remaining)
            chunk = np.empty((wanted, height, width, 3), dtype=np.uint8)
            filled = 0
            for frame in frames:
                resize_into(chunk[filled], frame)
                filled += 1
                if filled == wanted:
                    break
            if filled == 0:
                return
            yield chunk[:filled]
            if filled < wanted:
                return
            if remaining is not None:
                remaining -= filled

    def reversed_chunks(
        self,
        *,
        stop: int,
        chunk_frames: int = DEFAULT_CHUNK_FRAMES,
        size_px: tuple[int, int] | None = None,
    ) -> Iterator[np.ndarray]:
        """Reads frames stop - 1, stop - 2, ..., 0, a chunk at a time.

        Args:
            stop: frame index to start below
            chunk_frames: frames per chunk; the last chunk may be shorter
            size_px: (width, height) to resize to at reading

        Yields:
            uint8 (n, H, W, 3) RGB, the latest frame first
        """
        for high in range(stop, 0, -chunk_frames):
            low = max(high - chunk_frames, 0)
            for chunk in self.chunks(start=low, stop=high, chunk_frames=high - low, size_px=size_px):
                yield chunk[::-1]

    def read(self, indices: Sequence[int] | np.ndarray, *, size_px: tuple[int, int] | None = None) -> np.ndarray:
        """Reads some frames; only these are held in memory.

        Args:
            indices: (n,) frame indices in any order, repetitions allowed
            size_px: (width, height) to resize to at reading

        Returns:
            uint8 (n, H, W, 3) RGB, in the order of the indices

        Raises:
            VideoError: if a frame does not exist
        """
        wanted = np.asarray(indices, dtype=np.int64).reshape(-1)
        width, height = size_px or self.size_px
        frames = np.empty((len(wanted), height, width, 3), dtype=np.uint8)
        unique, inverse = np.unique(wanted, return_inverse=True)
        if len(unique) and unique[0] < 0:
            raise VideoError(f"Frame {unique[0]} was asked for. The first frame has the index 0")
        found = 0
        for k, frame in enumerate(self._iterate(unique.tolist(), 0)):
            for position in np.flatnonzero(inverse == k):
                resize_into(frames[position], frame)
            found += 1
        if found < len(unique):
            raise VideoError(f"Frame {unique[found]} was asked for, but the video has {self.num_frames} frames")
        return frames


class ArrayFrames(FrameSource):
    """A clip that is already in memory.

    Args:
        array: uint8 (T, H, W, 3) RGB
        fps: frames per second, where known

    Raises:
        ShapeError: if the array is not uint8 (T, H, W, 3) with T, H, W >= 1
    """

    def __init__(self, array: np.ndarray, fps: float | None = None) -> None:
        array = np.asarray(array)
        if array.ndim != 4 or array.shape[3] != 3 or 0 in array.shape or array.dtype != np.uint8:
            raise ShapeError(
                f"Invalid frames of shape {array.shape} and type {array.dtype}. "
                "Expected uint8 (T, H, W, 3) RGB with at least one frame"
            )
        self._array = array
        self.size_px = (array.shape[2], array.shape[1])
        self.fps = fps
        self.warnings = []

    @property
    def num_frames(self) -> int:
        return len(self._array)

    def _iterate(self, indices: Iterable[int] | None, start: int) -> Iterator[np.ndarray]:
        for index in range(start, len(self._array)) if indices is None else indices:
            if index >= len(self._array):
                return
            yield self._array[index]


class VideoFrames(FrameSource):
    """A video file, decoded as it is read.

    Args:
        path: a local file

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if the file is no video, or no frame decodes
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._probe = probe(path)
        self.size_px = self._probe.size_px
        self.fps = self._probe.fps or None
        self.warnings = []
        self._num_frames: int | None = None

    @property
    def probe(self) -> VideoProbe:
        """The facts about the file, exact once the whole file was decoded by `scan`."""
        return self._probe

    def scan(self) -> VideoProbe:
        """Decodes the file once, for the exact number of frames and their time stamps.

        Returns:
            the exact probe
        """
        if self._probe.timestamps_s is None:
            self._probe = probe(self._path, exact=True)
            self._num_frames = self._probe.exact_frames
            self.warnings = list(self._probe.warnings)
        return self._probe

    @property
    def num_frames(self) -> int:
        if self._num_frames is None:
            self.scan()
        assert self._num_frames is not None
        return self._num_frames

    @property
    def num_frames_hint(self) -> int:
        return self._num_frames if self._num_frames is not None else max(self._probe.num_frames, 1)

    def _iterate(self, indices: Iterable[int] | None, start: int) -> Iterator[np.ndarray]:
        wanted = None if indices is None else iter(indices)
        target = start if wanted is None else next(wanted, None)
        if target is None:
            return
        warnings: list[str] = []
        with open_stream(self._path) as (container, stream):
            index = self._seek(container, stream, target)
            for frame in decode(container, stream, warnings):
                if index == target:
                    yield self._rgb(frame)
                    target = target + 1 if wanted is None else next(wanted, None)
                    if target is None:
                        return
                index += 1
        # only here was the file read to its end
        self._num_frames = index
        declared = self._probe.declared_frames
        if declared and declared != index:
            warnings.append(f"{declared} frames declared, {index} decode")
        self.warnings = warnings

    def _seek(self, container, stream, target: int) -> int:
        """Jumps to a key frame at or before the target; returns the index of the frame that decodes next."""
        timestamps = self._probe.timestamps_s
        if timestamps is None or target < DEFAULT_CHUNK_FRAMES or self._probe.warnings:
            return 0
        import av

        start = self._probe.first_pts
        try:
            container.seek(start + round(timestamps[target] / stream.time_base), stream=stream)
            for frame in decode(container, stream, []):
                position = (frame.pts - start) * float(stream.time_base) if frame.pts is not None else -1.0
                index = int(np.abs(timestamps - position).argmin())
                exact = abs(timestamps[index] - position) < float(stream.time_base) / 2
                if exact and index <= target:
                    container.seek(frame.pts, stream=stream)
                    return index
                break
        except av.error.FFmpegError:
            pass
        container.seek(start, stream=stream)
        return 0

    def _rgb(self, frame) -> np.ndarray:
        if displayed_size(frame) != self.size_px:
            # some files change their size in the middle; players scale to the first one
            width, height = self.size_px if rotation_of(frame) % 180 == 0 else self.size_px[::-1]
            array = frame.to_ndarray(format="rgb24", width=width, height=height)
        else:
            array = frame.to_ndarray(format="rgb24")
        return np.rot90(array, k=rotation_of(frame) // 90)


class SampledFrames(FrameSource):
    """Some frames of another source, renumbered from 0.

    Args:
        source: the clip to sample
        frame_map: which of its frames
    """

    def __init__(self, source: FrameSource, frame_map: FrameMap) -> None:
        self._source = source
        self._map = frame_map
        self.size_px = source.size_px
        share = len(frame_map) / max(frame_map.num_source_frames, 1)
        self.fps = source.fps * share if source.fps else None

    @property
    def warnings(self) -> list[str]:  # type: ignore[override]
        return self._source.warnings

    @property
    def num_frames(self) -> int:
        return len(self._map)

    def _iterate(self, indices: Iterable[int] | None, start: int) -> Iterator[np.ndarray]:
        chosen = self._map.source_indices
        wanted = range(start, len(chosen)) if indices is None else indices
        return self._source._iterate((int(chosen[i]) for i in wanted if i < len(chosen)), 0)


def as_frame_source(frames: np.ndarray | FrameSource) -> FrameSource:
    """Makes frames in memory readable like a video.

    Args:
        frames: uint8 (T, H, W, 3) RGB, or a FrameSource, which is returned as it is

    Returns:
        a FrameSource

    Raises:
        ShapeError: if it is neither
    """
    return frames if isinstance(frames, FrameSource) else ArrayFrames(frames)


def resize_into(target: np.ndarray, frame: np.ndarray) -> None:
    """Writes a frame into a buffer of any size, averaging areas where it shrinks.

    Args:
        target: uint8 (H', W', 3), written
        frame: uint8 (H, W, 3)
    """
    if frame.shape == target.shape:
        target[...] = frame
        return
    import cv2

    shrinks = target.shape[0] < frame.shape[0] or target.shape[1] < frame.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    target[...] = cv2.resize(
        np.ascontiguousarray(frame), (target.shape[1], target.shape[0]), interpolation=interpolation
    )
