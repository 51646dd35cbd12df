"""Animated pictures, read back by another library: their pictures, times, colours, and that they repeat."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from point_tracking.tracker.rendering.animation import _FORMATS, ANIMATIONS, AnimationWriter, _spaced_ticks

SIZE = (161, 121)


def animated(path: Path, times_s: list[float], end_s: float) -> Path:
    pictures = [media.picture(k, SIZE) for k in range(len(times_s))]
    with AnimationWriter(path, path.suffix, SIZE, np.array(times_s), end_s, pictures) as writer:
        for position, picture in enumerate(pictures):
            writer.write(picture, position)
        writer.finish()
    return path


def read(path: Path) -> tuple[list[np.ndarray], list[int], int | None]:
    """The pictures, the milliseconds each is shown, and how often they repeat."""
    with Image.open(path) as file:
        frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(file)]
        return [picture for picture, _ in frames], [duration for _, duration in frames], file.info.get("loop")


@pytest.mark.parametrize("suffix", ANIMATIONS)
def test_pictures_are_shown_when_they_should_and_for_ever(tmp_path: Path, suffix: str):
    pictures, durations, loop = read(animated(tmp_path / f"a{suffix}", [0, 0.08, 0.16, 0.4, 0.5], 0.8))
    assert durations[:4] == [80, 80, 240, 100]
    assert suffix == ".webp" or durations[4] == 300
    assert loop == 0  # without end
    assert media.indices_in(pictures) == [0, 1, 2, 3, 4]
    assert all(media.looks_like(picture, media.picture(k, SIZE), 10) for k, picture in enumerate(pictures))


@pytest.mark.parametrize("suffix", ANIMATIONS)
def test_one_picture_is_enough(tmp_path: Path, suffix: str):
    with Image.open(animated(tmp_path / f"a{suffix}", [0], 0.5)) as file:
        assert file.size == SIZE
        assert media.index_in(np.asarray(file.convert("RGB"))) == 0


@given(st.lists(st.floats(0, 100), min_size=2, max_size=20), st.sampled_from(ANIMATIONS))
def test_no_picture_is_too_short_for_browsers(times_s: list[float], suffix: str):
    times = np.sort(np.array(times_s))
    tick_s = _FORMATS[suffix][2]
    ticks = _spaced_ticks(times, tick_s)
    assert (np.diff(ticks) * float(tick_s) >= 0.02 - 1e-9).all()
    far = np.diff(times) >= 0.03
    if far.all():
        np.testing.assert_allclose(ticks * float(tick_s), times, atol=0.006)


def test_an_error_is_not_hidden_by_one_of_closing(tmp_path: Path):
    times = np.array([0.0, 0.1])
    with (
        pytest.raises(ValueError, match="mine"),
        AnimationWriter(tmp_path / "a.gif", ".gif", SIZE, times, 0.2, [media.picture(0, SIZE)]),
    ):
        raise ValueError("mine")
