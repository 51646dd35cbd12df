"""Tracks on featureless ground."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest

from point_tracking.tracker.errors import Cancelled, VideoError
from point_tracking.tracker.queries.ground import Ground
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video import frames as frames_module
from point_tracking.tracker.video.decoding import open_stream
from point_tracking.tracker.video.frames import ArrayFrames, VideoFrames
from point_tracking.workflows.motion.featureless import featureless_warning, is_featureless, least_texture


def half_plain_clip() -> ArrayFrames:
    frame = np.full((96, 128, 3), 120, np.uint8)
    frame[:, 64:] = ((np.indices((96, 64)) // 8).sum(0) % 2 * 120 + 60)[..., None]  # (96, 64, 1)
    return ArrayFrames(np.repeat(frame[None], 30, axis=0), 25.0)


def test_a_track_that_crosses_plain_ground_is_featureless_and_one_that_is_hidden_there_is_not():
    x = np.linspace(110, 20, 30)
    xy = np.stack([np.stack([x, np.full(30, 50.0)], -1)] * 2 + [np.full((30, 2), 100.0)[:, ::1] * [1, 0.5]], 1)
    visible = np.ones((30, 3), bool)
    visible[x < 80, 1] = False
    tracks = Tracks(xy, visible, visible.astype(float))
    assert is_featureless(least_texture(half_plain_clip(), tracks)).tolist() == [True, False, False]


def test_what_is_never_seen_is_not_called_featureless():
    tracks = Tracks(np.zeros((30, 2, 2)), np.zeros((30, 2), bool), np.zeros((30, 2)))
    assert not is_featureless(least_texture(half_plain_clip(), tracks)).any()


def test_the_video_is_read_once_and_must_be_as_long_as_the_tracks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []

    def open_counted(path: str, **options: bool):
        opened.append(path)
        return open_stream(path, **options)

    monkeypatch.setattr(frames_module, "open_stream", open_counted)
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=30))
    tracks = Tracks(np.ones((30, 2, 2)), np.ones((30, 2), bool), np.ones((30, 2)))
    least_texture(video, tracks)
    assert len(opened) == 1
    with pytest.raises(VideoError, match="ends before frame 10"):
        least_texture(VideoFrames(media.video(tmp_path / "b.mp4", num_frames=10)), tracks)


def test_it_can_be_cancelled():
    tracks = Tracks(np.zeros((30, 2, 2)), np.ones((30, 2), bool), np.ones((30, 2)))
    with pytest.raises(Cancelled):
        least_texture(half_plain_clip(), tracks, lambda: True)


def test_the_warning_says_how_many():
    assert featureless_warning(Ground(23, 400)).startswith("23 of 400 points lie on featureless ground")
