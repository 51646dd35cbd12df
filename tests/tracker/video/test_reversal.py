"""A clip played backward."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest

from point_tracking import VideoFrames
from point_tracking.tracker.video.reversal import ReversedFrames


@pytest.fixture
def clip(tmp_path: Path) -> ReversedFrames:
    return ReversedFrames(VideoFrames(media.video(tmp_path / "clip.mp4", num_frames=21)))


def test_frames_come_from_the_last_to_the_first(clip: ReversedFrames):
    assert (clip.num_frames, clip.size_px) == (21, media.SIZE)
    assert media.indices_in(np.concatenate(list(clip.chunks(chunk_frames=4)))) == list(range(20, -1, -1))
    assert media.indices_in(np.concatenate(list(clip.chunks(start=5, stop=9)))) == [15, 14, 13, 12]
    assert list(clip.chunks(start=21)) == []


def test_frames_are_read_by_their_reversed_index(clip: ReversedFrames):
    assert media.indices_in(clip.read([0, 20, 3, 3])) == [20, 0, 17, 17]
    assert clip.read([1], size_px=(80, 60)).shape == (1, 60, 80, 3)


def test_backward_twice_is_forward(clip: ReversedFrames):
    chunks = clip.reversed_chunks(stop=7, chunk_frames=3)
    assert media.indices_in(np.concatenate(list(chunks))) == [14, 15, 16, 17, 18, 19, 20]
