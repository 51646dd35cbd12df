"""Tracks followed back to where they began."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from trackers import DriftTracker

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.types import Tracks
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.motion.cycle import (
    MOST_TRACKS,
    NOT_FOLLOWED,
    CycleConsistency,
    consistency_of,
    cycle_consistency,
)


def to_the_left(num_points: int, by_px: float = 1.0) -> Tracks:
    """Twelve frames of points that go to the left, the first of which is seen in the middle alone."""
    x = 40 - by_px * np.arange(12)[:, None] + np.linspace(0, 90, num_points)[None]
    visible = np.ones((12, num_points), bool)
    visible[:3, 0] = visible[9:, 0] = visible[5, 0] = False
    return Tracks(np.stack([x, np.full_like(x, 50.0)], -1), visible, visible.astype(float))


def test_tracks_of_the_tracker_itself_come_back_and_others_do_not(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=12))
    # what is sent back goes right
    own = cycle_consistency(video, to_the_left(8), DriftTracker())
    assert own == CycleConsistency(pytest.approx(0, abs=1e-6), 1.0)
    other = cycle_consistency(video, to_the_left(MOST_TRACKS + 40, by_px=2.0), DriftTracker())
    assert other == CycleConsistency(pytest.approx(11 / 200), 0.0)


def test_tracks_seen_in_one_frame_at_most_are_not_followed(tmp_path: Path):
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=12))
    tracks = to_the_left(3)
    once = np.zeros_like(tracks.visible)
    once[4, 1] = True
    assert cycle_consistency(video, Tracks(tracks.xy, once, tracks.confidence), DriftTracker()) is NOT_FOLLOWED


def test_every_frame_is_tracked_once(tmp_path: Path):
    """Tracks end in many frames; following them both ways from there would cost twice as much."""
    seen: list[int] = []
    video = VideoFrames(media.video(tmp_path / "a.mp4", num_frames=12))
    cycle_consistency(video, to_the_left(8), DriftTracker(on_frame=seen.append))
    assert seen == list(range(12))
    shorter = VideoFrames(media.video(tmp_path / "b.mp4", num_frames=10))
    with pytest.raises(ShapeError, match="10 frames, the tracks 12"):
        cycle_consistency(shorter, to_the_left(8), DriftTracker())


def test_a_way_back_that_is_lost_is_no_return():
    began, arrived = np.zeros((4, 2)), np.array([[1.0, 0], [0, 3], [np.nan, np.nan], [np.nan, np.nan]])
    assert consistency_of(began, arrived, 100.0) == CycleConsistency(pytest.approx((0.03 + 1) / 2), 0.25)
