"""A grid tracked for the motion of a video alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import media
from hypothesis import given
from hypothesis import strategies as st
from trackers import DriftTracker

from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.motion.helper_grid import grid_of_piece, helper_pieces, piece_bounds


@given(num_frames=st.integers(1, 500), fps=st.floats(1, 60))
def test_pieces_cover_the_clip_and_share_their_ends(num_frames, fps):
    bounds = piece_bounds(num_frames, fps)
    assert bounds[0][0] == 0
    assert bounds[-1][1] == num_frames - 1
    assert all(one[1] == two[0] for one, two in itertools.pairwise(bounds))
    assert max(b - a for a, b in bounds) <= 1.5 * max(round(fps), 8) + 1


def test_points_start_at_both_ends_and_in_the_middle():
    queries = grid_of_piece((64, 48), 4, 10, 20)
    assert sorted(set(queries.t.tolist())) == [10, 15, 20]
    assert len(grid_of_piece((64, 48), 4, 0, 0)) == 16


def test_pieces_count_frames_as_the_video_does(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=25, size=(64, 48), fps=10))
    told: list[float] = []
    pieces = helper_pieces(video, DriftTracker(), 4, progress=told.append)
    assert [(int(p.rows[0]), int(p.rows[-1])) for p in pieces] == [(0, 10), (10, 24)]
    assert told == sorted(told)
    assert told[-1] == 1.0
