"""Cycle consistency against figures computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.metrics.cycle import cycle_ends, cycle_scores

from .clip_makers import made_tracks

SIZE = (512, 256)


def four_tracks():
    """Seen throughout; seen from frame 1 to 2; seen in its first frame only; never seen."""
    xy = np.zeros((5, 4, 2))
    xy[..., 0] = 10 * np.arange(5)[:, None] + 100 * np.arange(4)[None]
    visible = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0]])
    return made_tracks(xy, visible)


def test_points_are_sent_back_from_where_they_are_seen_last():
    ends = cycle_ends(four_tracks(), SIZE)
    assert ends.columns.tolist() == [0, 1]
    assert ends.start_t.tolist() == [0, 1]
    assert ends.ends.t.tolist() == [4, 2]
    np.testing.assert_array_equal(ends.start_xy, [[0, 0], [110, 0]])
    np.testing.assert_array_equal(ends.ends.xy, [[40, 0], [120, 0]])


def test_given_start_frames_must_show_the_point():
    ends = cycle_ends(four_tracks(), SIZE, query_t=np.array([2, 0, 0, 0]))
    assert ends.columns.tolist() == [0]
    assert ends.start_xy.tolist() == [[20, 0]]
    with pytest.raises(ShapeError, match="one per point"):
        cycle_ends(four_tracks(), SIZE, query_t=np.array([0]))


def test_a_visible_point_outside_the_frame_is_not_sent_back():
    xy = np.array([[[10.0, 10.0]], [[20.0, 10.0]], [[520.0, 10.0]]])
    ends = cycle_ends(made_tracks(xy, np.ones((3, 1))), SIZE)
    assert ends.ends.t.tolist() == [1]


def test_distance_is_to_the_start_in_pixels_of_256():
    ends = cycle_ends(four_tracks(), SIZE)
    back = np.zeros((5, 2, 2))
    back[0, 0], back[1, 1] = [0, 3], [120, 0]  # 3 px high; 10 px of 512 are 5 of 256
    scores = cycle_scores(ends, made_tracks(back, np.ones((5, 2))), SIZE)
    assert scores.within == (0, 0, 1 / 2, 1, 1)
    assert scores.median_px == 4
    assert scores.share_cycled == 2 / 4
    assert scores.mean_length == (4 / 4 + 1 / 3) / 2
    assert scores.within_avg == 0.5


def test_points_given_up_on_the_way_back_are_within_nothing():
    ends = cycle_ends(four_tracks(), SIZE)
    back = np.full((5, 2, 2), np.nan)
    back[0, 0] = 0
    scores = cycle_scores(ends, made_tracks(back, np.zeros((5, 2))), SIZE)
    assert scores.within == (1 / 2,) * 5
    assert scores.median_px == 0


def test_nothing_to_send_back_is_nan():
    hidden = made_tracks(np.zeros((3, 2, 2)), np.zeros((3, 2)))
    ends = cycle_ends(hidden, SIZE)
    scores = cycle_scores(ends, made_tracks(np.zeros((3, 0, 2)), np.zeros((3, 0))), SIZE)
    assert np.isnan([*scores.within, scores.median_px, scores.mean_length]).all()
    assert scores.share_cycled == 0


def test_all_points_that_were_sent_must_come_back():
    with pytest.raises(ShapeError, match="3 points came back, but 2 were sent"):
        cycle_scores(cycle_ends(four_tracks(), SIZE), made_tracks(np.zeros((5, 3, 2)), np.ones((5, 3))), SIZE)
