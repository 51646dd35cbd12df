"""The one way trackers see video: frames of a clip, a chunk at a time.

A FrameSource never holds more than a chunk of frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from ..errors import ShapeError, VideoError

# much larger buffers are mapped anew for every chunk, which costs more than filling them
DEFAULT_CHUNK_FRAMES = 8


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
    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yields uint8 (H, W, 3) frames of a size: all from `start` on, or those of strictly increasing indices.

        A frame may be overwritten or freed when the next is asked for.
        """

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
        width, height = self._checked_size(size_px)
        frames = self._iterate(None, start, (width, height))
        remaining = None if stop is None else max(stop - start, 0)
        while remaining is None or remaining > 0:
            wanted = chunk_frames if remaining is None else min(chunk_frames, remaining)
            chunk = np.empty((wanted, height, width, 3), dtype=np.uint8)
            filled = 0
            for frame in frames:
                chunk[filled] = frame
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
        width, height = self._checked_size(size_px)
        frames = np.empty((len(wanted), height, width, 3), dtype=np.uint8)
        unique, inverse = np.unique(wanted, return_inverse=True)
        if len(unique) and unique[0] < 0:
            raise VideoError(f"Frame {unique[0]} was asked for. The first frame has the index 0")
        found = 0
        for k, frame in enumerate(self._iterate(unique.tolist(), 0, (width, height))):
            frames[inverse == k] = frame
            found += 1
        if found < len(unique):
            raise VideoError(f"Frame {unique[found]} was asked for, but the video has {self.num_frames} frames")
        return frames

    def _checked_size(self, size_px: tuple[int, int] | None) -> tuple[int, int]:
        if size_px is None:
            return self.size_px
        width, height = size_px
        if width < 1 or height < 1:
            raise ShapeError(f"Invalid frame size {width} x {height}. Both sides must be at least 1 pixel")
        return int(width), int(height)
