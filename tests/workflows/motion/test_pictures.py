"""Pictures of a video that are looked at beside its tracks."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from known_cameras import FPS, SIZE, drifting_ground, drifting_tracks

from point_tracking.tracker.errors import Cancelled, VideoError
from point_tracking.tracker.motion.description import describe
from point_tracking.tracker.motion.trajectories import trajectories_of
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.motion.pictures import align_frames, pictures_at


@pytest.fixture
def video(tmp_path: Path) -> VideoFrames:
    path = media.video(tmp_path / "a.mp4", num_frames=40, size=SIZE, fps=25, draw=drifting_ground((-1.0, 0.0)))
    return VideoFrames(path)


def test_frames_come_in_order_and_in_the_size_that_is_asked_for(video: VideoFrames):
    found = list(pictures_at(video, np.array([0, 7, 39]), (96, 72), None))
    np.testing.assert_array_equal(found, video.read([0, 7, 39], size_px=(96, 72)))
    assert list(pictures_at(video, np.zeros(0, np.int64), (96, 72), None)) == []


def test_a_video_that_ends_early_and_a_run_that_is_cancelled_say_so(video: VideoFrames):
    with pytest.raises(VideoError, match="ends before frame 40, in which points are seen"):
        list(pictures_at(video, np.array([0, 40]), (96, 72), None))
    with pytest.raises(Cancelled):
        list(pictures_at(video, np.array([0, 4]), (96, 72), lambda: True))


@pytest.mark.parametrize("every", [1, 4], ids=["all frames", "every fourth"])
def test_the_camera_of_tracks_that_lag_is_told_from_the_video(video: VideoFrames, every: int):
    tracks = drifting_tracks((-0.6, 0.0))
    tracked = (np.arange(40) % every == 0)[:, None]
    sampled = Tracks(
        np.where(tracked[..., None], tracks.xy, np.nan), tracks.visible & tracked, tracks.confidence * tracked
    )
    lagging = trajectories_of(sampled, SIZE, FPS)
    assert len(lagging.rows) == 40 // every
    spans = align_frames(video, lagging)
    told = [describe([lagging], given).camera.pan for given in (None, [spans])]
    true = FPS / np.hypot(*SIZE)
    assert told == pytest.approx([0.6 * true, true], rel=0.02)


def test_a_piece_counts_its_frames_from_its_first(video: VideoFrames):
    whole = trajectories_of(drifting_tracks((-0.6, 0.0)), SIZE, FPS)
    piece = type(whole)(whole.xy, whole.seen, whole.rows + 100, SIZE, FPS)
    np.testing.assert_array_equal(align_frames(video, piece, first=100).shift_px, align_frames(video, whole).shift_px)
