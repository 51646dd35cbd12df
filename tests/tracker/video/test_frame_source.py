"""Reading frames by chunk and by index: the same frames, whatever the source and the pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.errors import ShapeError, VideoError
from point_tracking.tracker.video.frame_source import FrameSource


class Numbers(FrameSource):
    """Frames that show their index, in a buffer that the next one overwrites."""

    def __init__(self, num_frames: int) -> None:
        self.size_px, self.fps, self.warnings = (3, 2), None, []
        self._num_frames = num_frames
        self.read_indices: list[int] = []

    @property
    def num_frames(self) -> int:
        return self._num_frames

    def _iterate(self, indices: Iterable[int] | None, start: int, size_px: tuple[int, int]) -> Iterator[np.ndarray]:
        buffer = np.empty((size_px[1], size_px[0], 3), np.uint8)
        for index in range(start, self._num_frames) if indices is None else indices:
            if index >= self._num_frames:
                return
            self.read_indices.append(index)
            buffer[:] = index
            yield buffer


def shown(chunks: Iterable[np.ndarray]) -> list[int]:
    return [int(frame[0, 0, 0]) for chunk in chunks for frame in chunk]


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(0, 22), st.none() | st.integers(0, 24), st.integers(1, 9))
def test_chunks_are_the_frames_in_order(num_frames: int, start: int, stop: int | None, chunk_frames: int):
    source = Numbers(num_frames)
    chunks = list(source.chunks(start=start, stop=stop, chunk_frames=chunk_frames))
    assert shown(chunks) == list(range(num_frames))[start:stop]
    assert all(len(chunk) == chunk_frames for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= chunk_frames for chunk in chunks)


@settings(deadline=None)
@given(st.integers(0, 20), st.integers(1, 9))
def test_reversed_chunks_are_the_frames_backwards(num_frames: int, chunk_frames: int):
    chunks = Numbers(num_frames).reversed_chunks(stop=num_frames, chunk_frames=chunk_frames)
    assert shown(chunks) == list(range(num_frames))[::-1]


@settings(deadline=None)
@given(st.lists(st.integers(0, 11), max_size=12))
def test_frames_are_read_in_any_order_each_once(indices: list[int]):
    source = Numbers(12)
    frames = source.read(indices)
    assert frames.shape == (len(indices), 2, 3, 3)
    assert shown([frames]) == indices
    assert source.read_indices == sorted(set(indices))


def test_frames_that_do_not_exist_are_named():
    with pytest.raises(VideoError, match="Frame 5 was asked for, but the video has 5 frames"):
        Numbers(5).read([0, 7, 5])
    with pytest.raises(VideoError, match="Frame -1"):
        Numbers(5).read([-1])


@pytest.mark.parametrize("options", [{"chunk_frames": 0}, {"start": -1}, {"size_px": (0, 4)}])
def test_impossible_pieces_are_refused(options):
    with pytest.raises(ShapeError):
        next(Numbers(3).chunks(**options))


def test_frames_come_in_the_size_that_is_asked_for():
    assert next(Numbers(3).chunks(size_px=(5, 4))).shape == (3, 4, 5, 3)
