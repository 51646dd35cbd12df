"""Tracks followed back to where they began."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from trackers import DriftTracker

from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.motion.cycle import (
    MOST_TRACKS,
    NOT_FOLLOWED,
    CycleConsistency,
    consistency_of,
    cycle_consistency,
    spans_of,
)


def to_the_right(num_points: int, by_px: float = 1.0) -> Tracks:
    """Twelve frames of points that go to the right, the first of which is seen in the middle alone."""
    x = 5 + by_px * np.arange(12)[:, None] + np.linspace(0, 90, num_points)[None]
    visible = np.ones((12, num_points), bool)
    visible[:3, 0] = visible[9:, 0] = visible[5, 0] = False
    return Tracks(np.stack([x, np.full_like(x, 50.0)], -1), visible, visible.astype(float))


def test_tracks_of_the_tracker_itself_come_back_and_others_do_not(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=12))
    own = cycle_consistency(video, to_the_right(8), DriftTracker())
    assert own == CycleConsistency(pytest.approx(0, abs=1e-6), 1.0)
    other = cycle_consistency(video, to_the_right(MOST_TRACKS + 40, by_px=2.0), DriftTracker())
    assert other == CycleConsistency(pytest.approx(11 / 200), 0.0)


def test_tracks_seen_in_one_frame_at_most_are_not_followed(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=12))
    tracks = to_the_right(3)
    once = np.zeros_like(tracks.visible)
    once[4, 1] = True
    assert cycle_consistency(video, Tracks(tracks.xy, once, tracks.confidence), DriftTracker()) is NOT_FOLLOWED


def test_spans_go_from_the_first_to_the_last_frame_that_is_seen():
    visible = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0]], bool)
    begins, ends = spans_of(visible)
    assert (begins[[0, 2]].tolist(), ends.tolist()) == ([1, 0], [3, -1, 2])


def test_a_way_back_that_is_lost_is_no_return():
    began, arrived = np.zeros((4, 2)), np.array([[1.0, 0], [0, 3], [np.nan, np.nan], [np.nan, np.nan]])
    assert consistency_of(began, arrived, 100.0) == CycleConsistency(pytest.approx((0.03 + 1) / 2), 0.25)
