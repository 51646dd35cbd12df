"""A clip played backward."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from .frame_source import DEFAULT_CHUNK_FRAMES, FrameSource


class ReversedFrames(FrameSource):
    """Another source from its last frame to its first: what goes forward in it goes back in the clip.

    Args:
        source: the clip; counted exactly, which may decode it once
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.size_px = source.size_px
        self.fps = source.fps

    @property
    def warnings(self) -> list[str]:  # type: ignore[override]
        return self._source.warnings

    @property
    def num_frames(self) -> int:
        return self._source.num_frames

    def reversed_chunks(
        self, *, stop: int, chunk_frames: int = DEFAULT_CHUNK_FRAMES, size_px: tuple[int, int] | None = None
    ) -> Iterator[np.ndarray]:
        start = self.num_frames - stop
        yield from self._source.chunks(start=start, chunk_frames=chunk_frames, size_px=size_px)

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        wanted = None if indices is None else iter(indices)
        target = start if wanted is None else next(wanted, None)
        if target is None or target >= self.num_frames:
            return
        index = target
        for chunk in self._source.reversed_chunks(stop=self.num_frames - target, size_px=size_px):
            for frame in chunk:
                if index == target:
                    yield frame
                    target = index + 1 if wanted is None else next(wanted, None)
                    if target is None:
                        return
                index += 1
