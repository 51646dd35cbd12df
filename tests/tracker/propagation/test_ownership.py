"""Points that another thing carried away are left out."""

from __future__ import annotations

import numpy as np
from moving_points import SIZE_PX, tracks_of

from point_tracking.tracker.propagation import Box, PointSet, PropagationOptions, Rules, seed_points
from point_tracking.tracker.propagation.ownership import own_points

BOX = Box([100, 80, 160, 140])
THERE = Box([180, 80, 240, 140])


def ask(now: np.ndarray, hidden: np.ndarray | None = None):
    seeds = seed_points(BOX, SIZE_PX).xy
    hidden = None if hidden is None else np.stack([np.zeros_like(hidden), hidden])
    tracks = tracks_of(np.stack([seeds, now]), hidden)
    return own_points(BOX, THERE, tracks, 1, SIZE_PX, PropagationOptions(), Rules())


def test_points_of_the_background_stay_behind_and_are_left_out():
    seeds = seed_points(BOX, SIZE_PX).xy
    on_object = seeds[:, 0] < 130
    own = ask(np.where(on_object[:, None], seeds + np.array([80, 0]), seeds))
    np.testing.assert_array_equal(own, on_object)


def test_where_nearly_all_are_elsewhere_nothing_can_be_told():
    seeds = seed_points(BOX, SIZE_PX).xy
    assert ask(seeds) is None
    hidden = np.ones(144, bool)
    hidden[:5] = False
    assert ask(seeds + np.array([80, 0]), hidden) is None


def test_only_boxes_tell_where_a_point_should_be():
    points = PointSet([[5, 5]])
    tracks = tracks_of(np.full((2, 1, 2), 5.0))
    assert own_points(points, points, tracks, 1, SIZE_PX, PropagationOptions(), Rules()) is None
