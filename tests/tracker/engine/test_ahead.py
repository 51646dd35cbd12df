"""Decoding ahead gives the same frames, whoever asks for what, within its budget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import media
import numpy as np
import pytest

from point_tracking import VideoFrames
from point_tracking.tracker.engine.ahead import AheadFrames, ByteBudget
from point_tracking.tracker.errors import VideoError
from point_tracking.tracker.video.frames import ArrayFrames

FRAME_BYTES = 160 * 120 * 3


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return media.video(tmp_path / "clip.mp4", 45)


def _all(source, **how) -> np.ndarray:
    return np.concatenate(list(source.chunks(**how)))


@pytest.mark.parametrize("begun", [None, (0, (160, 120)), (3, (160, 120)), (0, (80, 60))])
@pytest.mark.parametrize("how", [{}, {"start": 3}, {"size_px": (80, 60)}, {"stop": 7, "chunk_frames": 3}])
def test_the_same_frames_as_without(clip: Path, begun, how) -> None:
    budget = ByteBudget()
    ahead = AheadFrames(VideoFrames(clip), budget)
    if begun is not None:
        ahead.begin(*begun)
    np.testing.assert_array_equal(_all(ahead, **how), _all(VideoFrames(clip), **how))
    np.testing.assert_array_equal(ahead.read([5, 1]), VideoFrames(clip).read([5, 1]))
    backwards = np.concatenate(list(ahead.reversed_chunks(stop=9)))
    assert media.indices_in(backwards) == list(range(8, -1, -1))
    ahead.close()
    assert budget.used == 0
    assert ahead.num_frames == 45
    assert ahead.busy_s > 0


def test_a_small_budget_bounds_what_waits_and_never_blocks_the_reader(clip: Path) -> None:
    budget = ByteBudget(16 * FRAME_BYTES)
    clips = [AheadFrames(VideoFrames(clip), budget) for _ in range(3)]
    for ahead in clips:
        ahead.begin(0, (160, 120))
    most = 0
    for ahead in clips:
        for chunk in ahead.chunks():
            assert len(chunk)
            most = max(most, budget.used)
    assert most <= 2 * 16 * FRAME_BYTES
    assert budget.used == 0


def test_what_goes_wrong_while_decoding_reaches_the_reader() -> None:
    class Broken(ArrayFrames):
        def _iterate(self, indices, start, size_px) -> Iterator[np.ndarray]:
            yield from super()._iterate(range(2), start, size_px)
            raise VideoError("the disk is gone")

    ahead = AheadFrames(Broken(np.zeros((9, 4, 4, 3), np.uint8)), ByteBudget())
    ahead.begin(0, (4, 4))
    with pytest.raises(VideoError, match="disk is gone"):
        _all(ahead)


def test_giving_up_ends_the_thread_and_frees_the_budget(clip: Path) -> None:
    budget = ByteBudget(FRAME_BYTES)
    before = threading.active_count()
    ahead = AheadFrames(VideoFrames(clip), budget)
    ahead.begin(0, (160, 120))
    chunks: Any = ahead.chunks(chunk_frames=1)
    next(chunks)
    chunks.close()
    ahead.close()
    assert budget.used == 0
    assert threading.active_count() == before
