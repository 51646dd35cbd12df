"""A grid tracked for the motion of a video alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import media
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from trackers import DriftTracker

from point_tracking.tracker.video.frames import ArrayFrames, VideoFrames
from point_tracking.workflows.motion.helper_grid import helper_pieces, piece_bounds, track_piece


@given(num_frames=st.integers(1, 500), fps=st.floats(1, 60))
def test_pieces_cover_the_clip_and_share_their_ends(num_frames, fps):
    bounds = piece_bounds(num_frames, fps)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == num_frames - 1
    assert all(one[1] == two[0] for one, two in itertools.pairwise(bounds))
    assert max(b - a for a, b in bounds) <= 1.5 * max(round(fps), 8) + 1


def test_points_start_on_corners_of_the_first_the_middle_and_the_last_frame_in_pixels_of_the_source():
    frames = np.full((11, 240, 320, 3), 90, np.uint8)
    frames[:, 100:110, 200:210] = 250
    tracks = track_piece(ArrayFrames(frames, 10), DriftTracker(), 4)
    assert tracks.num_points == 3 * 16
    for k, t in enumerate((0, 5, 10)):
        here = tracks.xy[t, 16 * k : 16 * k + 16]
        assert np.abs(here - [205, 105]).max(axis=1).min() < 16
    # a pixel of the half size that is tracked, there and back
    np.testing.assert_allclose(np.diff(tracks.xy[..., 0], axis=0), 2.0, atol=1e-3)


def test_one_frame_is_a_piece_too():
    assert track_piece(ArrayFrames(np.zeros((1, 48, 64, 3), np.uint8), 10), DriftTracker(), 4).num_points == 16


def test_pieces_count_frames_as_the_video_does(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=25, size=(64, 48), fps=10))
    told: list[float] = []
    pieces = helper_pieces(video, DriftTracker(), 4, progress=told.append)
    assert [(int(p.trajectories.rows[0]), int(p.trajectories.rows[-1])) for p in pieces] == [(0, 10), (10, 24)]
    assert told == sorted(told)
    assert told[-1] == 1.0
