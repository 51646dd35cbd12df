"""The way back of tracks, with trackers whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.engine.cycle import track_back, track_cycle
from point_tracking.tracker.errors import Cancelled, ShapeError
from point_tracking.tracker.video.frames import ArrayFrames

FRAMES = ArrayFrames(np.zeros((6, 64, 256, 3), np.uint8))


def moved(x: np.ndarray, visible: np.ndarray) -> pt.Tracks:
    """Points at (x, 10): (T, N) positions."""
    xy = np.stack([x, np.full(x.shape, 10.0)], axis=2)
    return pt.Tracks(xy, visible, visible.astype(np.float32))


def test_points_go_back_from_where_they_were_seen_last() -> None:
    # what goes back moves right: a point that had gone left, by a pixel per frame, returns exactly
    left = 100.0 - np.arange(6)
    still = np.full(6, 50.0)
    visible = np.ones((6, 2), bool)
    visible[4:, 1] = False
    scores = track_cycle(FRAMES, moved(np.stack([left, still], axis=1), visible), DriftTracker())
    # the second was followed for 3 frames and comes back 3 px off
    assert scores.within == (1 / 2, 1 / 2, 1, 1, 1)
    assert scores.median_px == 1.5
    assert scores.mean_length == pytest.approx((5 / 5 + 3 / 5) / 2)


def test_nothing_is_tracked_where_no_point_is_seen_again() -> None:
    tracker = DriftTracker()
    visible = np.zeros((6, 2), bool)
    visible[0] = True
    scores = track_cycle(FRAMES, moved(np.full((6, 2), 9.0), visible), tracker)
    assert tracker.clips == 0
    assert scores.share_cycled == 0
    assert np.isnan(scores.within_avg)


def test_the_clip_must_be_the_tracks_own() -> None:
    with pytest.raises(ShapeError, match="video has 6 frames, the tracks 5"):
        track_cycle(FRAMES, moved(np.full((5, 1), 9.0), np.ones((5, 1), bool)), DriftTracker())


def test_progress_is_told_and_the_end_can_be_asked_for() -> None:
    shares: list[float] = []
    tracks = moved(np.full((6, 1), 9.0), np.ones((6, 1), bool))
    track_cycle(FRAMES, tracks, DriftTracker(), progress=shares.append)
    assert shares[-1] == 1.0
    with pytest.raises(Cancelled):
        track_cycle(FRAMES, tracks, DriftTracker(), cancelled=lambda: True)


def test_the_way_back_is_in_the_order_of_the_frames() -> None:
    visible = np.ones((6, 1), bool)
    ends, returned = track_back(FRAMES, moved(np.full((6, 1), 50.0), visible), DriftTracker())
    assert ends.ends.t.tolist() == [5]
    assert returned.xy[:, 0, 0].tolist() == [55, 54, 53, 52, 51, 50]
