"""Frames as they are encoded."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.transcoding.picture import PictureShaper, fit_size
from point_tracking.tracker.video.decoding import open_stream
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.tracker.video.probe import probe


@settings(deadline=None)  # other work on the machine is no failure
@given(st.tuples(st.integers(2, 5000), st.integers(2, 5000)), st.one_of(st.none(), st.integers(16, 4000)))
def test_sizes_fit(size, longest):
    width, height = fit_size(size, longest)
    assert width % 2 == height % 2 == 0
    assert 2 <= width <= size[0]
    assert 2 <= height <= size[1]
    assert max(width, height) <= (longest or max(size))
    if longest is None:
        assert (width, height) == (size[0] // 2 * 2, size[1] // 2 * 2)


def shaped(path: Path, size_px: tuple[int, int]) -> np.ndarray:
    """The first frame of a file as it would be encoded, (H, W, 3) RGB."""
    facts = probe(path)
    with open_stream(path) as (container, stream):
        frame = next(container.decode(stream))
        picture = PictureShaper(facts, size_px).shape(frame)
    assert picture.format.name == "yuv420p"
    return picture.to_ndarray(format="rgb24")


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_stand_upright_as_players_show_them(tmp_path: Path, degrees: int, mirrored: bool):
    path = media.video(tmp_path / "clip.mp4", 1, rotation=degrees, mirrored=mirrored)
    facts = probe(path)
    found = shaped(path, (facts.width, facts.height))
    expected = next(iter(VideoFrames(path).chunks()))[0]
    assert found.shape == expected.shape
    assert media.looks_like(found, expected)


def test_pictures_shrink_to_their_size(tmp_path: Path):
    path = media.video(tmp_path / "clip.mp4", 1)
    width, height = media.SIZE[0] // 4 * 2, media.SIZE[1] // 4 * 2
    found = shaped(path, (width, height))
    expected = next(iter(VideoFrames(path).chunks(size_px=(width, height))))[0]
    assert media.looks_like(found, expected, tolerance=12)


@pytest.mark.parametrize("full", [False, True])
def test_full_range_colours_become_those_of_television(tmp_path: Path, full: bool):
    def grey(index: int, size: tuple[int, int]) -> np.ndarray:
        return np.full((*size[::-1], 3), 200, np.uint8)

    path = media.video(tmp_path / "clip.mp4", 1, pixel_format="yuvj420p" if full else "yuv420p", draw=grey)
    with open_stream(path) as (container, stream):
        picture = PictureShaper(probe(path), media.SIZE).shape(next(container.decode(stream)))
    luma = np.frombuffer(memoryview(picture.planes[0]), np.uint8)[0]  # pyright: ignore[reportArgumentType]
    assert luma == pytest.approx(16 + 200 * 219 / 255, abs=2)
