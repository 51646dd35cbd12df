"""One keyframe's shape goes with its points, robustly, and always straight from the keyframe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving_points import SIZE_PX, tracks_of

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.propagation import Box, MaskedBox, PointSet, Polyline, seed_points
from point_tracking.tracker.propagation.carrying import carry_shape

BOX = Box([100, 80, 180, 140])
MASKED = MaskedBox(BOX.xyxy, np.ones((6, 8), bool))
LINE = Polyline(([[100, 80], [140, 80], [180, 140]],))
POINTS = PointSet([[100, 80], [180, 140], [np.nan, 0]])


def scaled_tracks(shape, scale: float, shift, hidden: np.ndarray | None = None):
    """Two frames: the seeds, and the seeds scaled around (0, 0) and shifted."""
    seeds = seed_points(shape, SIZE_PX).xy
    xy = np.stack([seeds, seeds * scale + shift])
    return tracks_of(xy, None if hidden is None else np.stack([np.zeros_like(hidden), hidden]))


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 2), st.floats(-40, 40), st.floats(-40, 40), st.sampled_from([BOX, MASKED]))
def test_boxes_move_and_grow_with_their_points(scale: float, x: float, y: float, shape: Box):
    carried = carry_shape(shape, 0, scaled_tracks(shape, scale, [x, y]), SIZE_PX)
    expected = shape.xyxy * scale + [x, y, x, y]
    centre_shift = 0.5 * (scale - 1)  # boxes count from edges, points from centres
    np.testing.assert_allclose(shape.with_vector(carried.vectors[1]).xyxy, expected + centre_shift, atol=1.0)
    np.testing.assert_array_equal(carried.vectors[0], shape.vector)


def test_a_third_of_wrong_points_changes_a_box_little():
    seeds = seed_points(BOX, SIZE_PX).xy
    now = seeds + np.array([10, 5])
    now[::3] += [150, -70]
    carried = carry_shape(BOX, 0, tracks_of(np.stack([seeds, now])), SIZE_PX)
    # wrong points are spread over the box: their pairs keep their distances, and the middle is that of most
    np.testing.assert_allclose(BOX.with_vector(carried.vectors[1]).xyxy, BOX.xyxy + np.array([10, 5, 10, 5]), atol=12)


@pytest.mark.parametrize(("seen", "enough"), [(144, True), (29, True), (28, False), (7, False), (0, False)])
def test_too_few_visible_points_tell_nothing(seen: int, enough: bool):
    hidden = np.arange(144) >= seen
    carried = carry_shape(BOX, 0, scaled_tracks(BOX, 1, [5, 5], hidden), SIZE_PX)
    assert carried.enough.tolist() == [True, enough]
    assert np.isfinite(carried.vectors[1]).all() == enough
    assert carried.visible_share[1] == pytest.approx(seen / 144)
    assert carried.confidence[1] == pytest.approx(seen / 144 if enough else 0)


def test_vertices_have_points_of_their_own_and_go_with_others_where_hidden():
    seeds = seed_points(LINE, SIZE_PX)
    now = seeds.xy + np.array([10, 0])
    now[1] += [0, 30]  # one vertex moves by itself
    hidden = np.zeros(len(seeds), bool)
    hidden[2] = True
    tracks = tracks_of(np.stack([seeds.xy, now]), np.stack([~hidden & False, hidden]))
    (line,) = LINE.with_vector(carry_shape(LINE, 0, tracks, SIZE_PX).vectors[1]).lines
    np.testing.assert_allclose(line, [[110, 80], [150, 110], [190, 140]], atol=1)


def test_points_that_are_hidden_are_not_known():
    tracks = scaled_tracks(POINTS, 1, [3, 4], np.array([False, True]))
    carried = carry_shape(POINTS, 0, tracks, SIZE_PX)
    np.testing.assert_array_equal(carried.vectors[1], [103, 84, np.nan, np.nan, np.nan, np.nan])
    assert carried.enough[1]


@pytest.mark.parametrize("shape", [BOX, MASKED, LINE, POINTS], ids=lambda shape: type(shape).__name__)
def test_only_the_frames_asked_for_are_looked_at(shape):
    seeds = seed_points(shape, SIZE_PX).xy
    tracks = tracks_of(np.stack([seeds + t for t in range(6)]))
    some = carry_shape(shape, 0, tracks, SIZE_PX, frames=range(2, 4))
    every = carry_shape(shape, 0, tracks, SIZE_PX)
    np.testing.assert_array_equal(some.vectors[2:4], every.vectors[2:4])
    assert set(some.masks) <= {2, 3}


def test_tracks_of_other_points_are_refused():
    with pytest.raises(ShapeError, match="Expected 144: track the points that seed_points gives"):
        carry_shape(BOX, 0, tracks_of(np.zeros((2, 5, 2))), SIZE_PX)
    with pytest.raises(ShapeError, match="frames 0 to 1"):
        carry_shape(BOX, 2, scaled_tracks(BOX, 1, [0, 0]), SIZE_PX)


def test_a_vertex_that_stays_with_what_lies_behind_the_line_does_not_count():
    seeds = seed_points(LINE, SIZE_PX)
    now = seeds.xy + np.array([60, 0])
    now[1] = seeds.xy[1]
    carried = carry_shape(LINE, 0, tracks_of(np.stack([seeds.xy, now])), SIZE_PX)
    np.testing.assert_allclose(
        carried.vectors[1].reshape(-1, 2), LINE.lines[0] + np.array([60, 0]), atol=1e-6
    )  # (V, 2)
