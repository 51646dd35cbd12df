"""Where frames come from: arrays, video files, and samplings of either.

The number of frames a container declares is not trusted: `num_frames` is what
decodes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing
from itertools import chain, count, dropwhile
from typing import TYPE_CHECKING

import numpy as np

from ..arrays import detached
from ..errors import ShapeError
from ..types import FrameMap
from .decoding import decode, open_stream, upright_rgb
from .frame_source import DEFAULT_CHUNK_FRAMES, FrameSource
from .probe import VideoProbe, measured, miscount, probe

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# a jump costs about as much as decoding this many frames
_SEEK_FRAMES = 16
# some containers land behind the key frame asked for; then one before it is tried
_SEEK_ATTEMPTS = 3


class ArrayFrames(FrameSource):
    """A clip that is already in memory.

    Args:
        array: uint8 (T, H, W, 3) RGB
        fps: frames per second, where known

    Raises:
        ShapeError: if the array is not uint8 (T, H, W, 3) with T, H, W >= 1
    """

    def __init__(self, array: np.ndarray, fps: float | None = None) -> None:
        array = np.asarray(detached(array))
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

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        for index in range(start, len(self._array)) if indices is None else indices:
            if index >= len(self._array):
                return
            yield resize(self._array[index], size_px)


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
        self.warnings = list(self._probe.warnings)
        self._num_frames: int | None = None
        self._seekable = True

    @property
    def probe(self) -> VideoProbe:
        """The facts about the file, exact once the whole file was decoded."""
        return self._probe

    def scan(self) -> VideoProbe:
        """Decodes the file once, for the exact number of frames and their time stamps.

        From then on, reading some frames starts at the key frame before them.

        Returns:
            the exact probe
        """
        if self._probe.timestamps_s is None:
            self._take_exact(probe(self._path, exact=True))
        return self._probe

    @property
    def num_frames(self) -> int:
        if self._num_frames is None:
            self._num_frames = self.scan().num_frames
        return self._num_frames

    @property
    def num_frames_hint(self) -> int:
        return self._num_frames if self._num_frames is not None else max(self._probe.num_frames, 1)

    def reversed_chunks(
        self, *, stop: int, chunk_frames: int = DEFAULT_CHUNK_FRAMES, size_px: tuple[int, int] | None = None
    ) -> Iterator[np.ndarray]:
        self.scan()  # or every chunk would be decoded from the first frame on
        yield from super().reversed_chunks(stop=stop, chunk_frames=chunk_frames, size_px=size_px)

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        wanted = count(start) if indices is None else iter(indices)
        target = next(wanted, None)
        while target is not None:
            for index, frame in self._decode_towards(target):
                if index < target:
                    continue
                yield upright_rgb(frame, size_px, rotation=self._probe.rotation, mirrored=self._probe.mirrored)
                target = next(wanted, None)
                if target is None or self._key_frames_towards(target, index + _SEEK_FRAMES).size:
                    break
            else:
                return

    def _key_frames_towards(self, target: int, above: int = 0) -> np.ndarray:
        """The key frames, above an index and up to the target, that reading can start from."""
        keys = self._probe.key_frames
        if keys is None or self._probe.pts is None or self._probe.warnings or not self._seekable:
            return np.empty(0, dtype=np.int64)
        return keys[(keys > above) & (keys <= target)]

    def _decode_towards(self, target: int) -> Iterator[tuple[int, VideoFrame]]:
        """Yields index and frame up to the end of the file, from the target or any frame before it on."""
        index = 0
        keys = self._key_frames_towards(target)
        if keys.size:
            with open_stream(self._path) as (container, stream):
                index, frames = self._jump(container, stream, keys)
                for frame in frames:
                    if not self._is_at(frame, index):
                        self._seekable = False  # its time stamps depend on where reading starts
                        break
                    yield index, frame
                    index += 1
                else:
                    if index > target:
                        return
        yield from ((i, frame) for i, frame in self._decode_all() if i >= index)

    def _decode_all(self) -> Iterator[tuple[int, VideoFrame]]:
        scanned = self._probe.timestamps_s is not None
        warnings: list[str] = []
        stamps: list[int | None] = []
        keys: list[int] = []
        # damaged files are read as they were scanned, so that the same frames decode
        with open_stream(self._path, frame_threads=not self._probe.warnings) as (container, stream):
            try:
                with closing(decode(container, stream, warnings)) as frames:
                    for index, frame in enumerate(frames):
                        stamps.append(frame.pts)
                        if frame.key_frame:
                            keys.append(index)
                        yield index, frame
                warnings.extend(miscount(self._probe.declared_frames, len(stamps)))
            finally:
                if not scanned:
                    self.warnings = warnings or self.warnings
            time_base = float(stream.time_base or 0)
        if not scanned and not warnings and stamps:  # only here was the whole file read
            self._take_exact(measured(self._probe, stamps, keys, time_base, warnings))

    def _take_exact(self, exact: VideoProbe) -> None:
        self._probe = exact
        self._num_frames = exact.num_frames
        self.fps = exact.fps or None
        self.warnings = list(exact.warnings)

    def _jump(
        self, container: InputContainer, stream: VideoStream, keys: np.ndarray
    ) -> tuple[int, Iterator[VideoFrame]]:
        """Jumps to the last of some key frames, or one before it; returns the index of the next frame, and the frames.

        There are no frames where the container lands elsewhere.
        """
        pts = self._probe.pts
        if pts is not None:
            for key in keys[: -_SEEK_ATTEMPTS - 1 : -1]:
                container.seek(int(pts[key]), stream=stream)
                # pictures before the first key frame may lean on some that were jumped over
                frames = dropwhile(lambda frame: not frame.key_frame, decode(container, stream, []))
                first = next(frames, None)
                if first is not None and first.pts is not None and first.pts in pts[keys]:
                    return int(np.searchsorted(pts, first.pts)), chain([first], frames)
        return 0, iter(())

    def _is_at(self, frame: VideoFrame, index: int) -> bool:
        pts = self._probe.pts
        return pts is not None and index < len(pts) and frame.pts == pts[index]


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

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        chosen = self._map.source_indices
        wanted = range(start, len(chosen)) if indices is None else indices
        return self._source._iterate((int(chosen[i]) for i in wanted if i < len(chosen)), 0, size_px)


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


def resize(frame: np.ndarray, size_px: tuple[int, int]) -> np.ndarray:
    """Scales a frame, averaging areas where it shrinks.

    Args:
        frame: uint8 (H, W, 3)
        size_px: (width, height) to scale to

    Returns:
        uint8 (height, width, 3); the frame itself where it has that size
    """
    if frame.shape[1::-1] == size_px:
        return frame
    import cv2

    shrinks = size_px[0] < frame.shape[1] or size_px[1] < frame.shape[0]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return cv2.resize(np.ascontiguousarray(frame), size_px, interpolation=interpolation)
