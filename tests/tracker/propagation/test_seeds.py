"""The points that stand for a shape lie on it, and in the frame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving_points import tracks_of

from point_tracking.tracker.coordinates import inside_frame
from point_tracking.tracker.errors import QueryError, ShapeError
from point_tracking.tracker.propagation import (
    Box,
    MaskedBox,
    PointSet,
    Polyline,
    PropagationOptions,
    query_seeds,
    seed_points,
)
from point_tracking.tracker.propagation.seeds import points_along

SIZE_PX = (320, 240)


def test_a_box_gets_twelve_by_twelve_points():
    seeds = seed_points(Box([10, 20, 70, 80]), SIZE_PX)
    assert len(seeds) == 144
    assert (seeds.part == -1).all()
    low, high = seeds.xy.min(axis=0), seeds.xy.max(axis=0)
    np.testing.assert_allclose((low, high), ([12, 22], [67, 77]))  # cells of five pixels, counted from centres


@given(st.floats(-300, 300), st.floats(-200, 200), st.floats(1, 900), st.floats(1, 900), st.integers(1, 400))
def test_points_of_a_box_lie_in_the_frame_and_are_the_same_again(x, y, width, height, count):
    box, options = Box([x, y, x + width, y + height]), PropagationOptions(points_per_object=count)
    if min(x + width, y + height) < 2:
        return
    seeds = seed_points(box, SIZE_PX, options)
    assert inside_frame(seeds.xy, SIZE_PX).all()
    np.testing.assert_array_equal(seeds.xy, seed_points(box, SIZE_PX, options).xy)


@pytest.mark.parametrize(
    "shape",
    [Box([400, 20, 500, 80]), Box([-50, 20, -10, 80]), Polyline(([[-5, 3], [-9, 9]],)), PointSet([[999, 1]])],
    ids=lambda shape: type(shape).__name__,
)
def test_a_shape_outside_the_frame_is_refused(shape):
    with pytest.raises(QueryError, match=r"No part of the .* lies inside the 320 x 240 frame"):
        seed_points(shape, SIZE_PX)


def test_points_of_a_mask_lie_on_it():
    mask = np.zeros((60, 80), bool)
    mask[10:50, 30:40] = True
    seeds = seed_points(MaskedBox([100, 100, 180, 160], mask), SIZE_PX)
    assert 100 <= len(seeds) <= 200
    column, row = np.round(seeds.xy - [100, 100]).astype(int).T
    assert mask[row, column].all()


def test_a_thin_mask_gets_points_too():
    mask = np.zeros((200, 200), bool)
    mask[3, ::2] = True
    seeds = seed_points(MaskedBox([0, 0, 200, 200], mask), SIZE_PX)
    assert 72 <= len(seeds) <= 288
    assert (np.abs(seeds.xy[:, 1] - 3) <= 0.5).all()


def test_a_speck_in_a_large_mask_gets_its_point():
    mask = np.zeros((2000, 2000), bool)
    mask[500, 700] = True
    np.testing.assert_array_equal(seed_points(MaskedBox([0, 0, 200, 200], mask), SIZE_PX).xy, [[69.55, 49.55]])


def test_vertices_come_first_and_points_fill_the_line_by_length():
    line = Polyline(([[0, 10], [100, 10]], [[0, 50], [100, 50], [100, 150]]))
    seeds = seed_points(line, SIZE_PX, PropagationOptions(points_per_object=35))
    np.testing.assert_array_equal(seeds.part[:5], range(5))
    np.testing.assert_array_equal(seeds.xy[:5], line.vector.reshape(-1, 2))
    assert (seeds.part[5:] == -1).all()
    assert np.count_nonzero(seeds.xy[5:, 1] == 10) == 10


def test_a_closed_line_has_points_between_its_ends():
    square = Polyline(([[0, 0], [40, 0], [40, 40], [0, 40]],), closed=True)
    xy = seed_points(square, SIZE_PX).xy[4:]
    assert ((xy[:, 0] == 0) & (xy[:, 1] > 0)).sum() > 20


def test_points_that_are_not_known_or_outside_have_no_seed():
    seeds = seed_points(PointSet([[1, 1], [np.nan, 2], [999, 1], [5, 5]]), SIZE_PX)
    np.testing.assert_array_equal(seeds.part, [0, 3])


def test_a_line_without_length_has_its_points_in_one_place():
    np.testing.assert_array_equal(points_along(np.array([[3.0, 4], [3, 4]]), 2), [[3, 4], [3, 4]])


def test_all_keyframes_are_tracked_at_once_and_told_apart():
    shapes = {("cat", 3): Box([10, 20, 70, 80]), ("dog", 3): PointSet([[5, 5]]), ("cat", 0): Box([0, 0, 9, 9])}
    seeds = query_seeds(shapes, SIZE_PX)
    np.testing.assert_array_equal(seeds.queries.t, [3] * 145 + [0] * 144)
    still = np.repeat(seeds.queries.xy[None], 5, axis=0)
    tracks = seeds.split(tracks_of(still))
    assert {name: sorted(found) for name, found in tracks.items()} == {"cat": [0, 3], "dog": [3]}
    for (name, t), shape in shapes.items():
        np.testing.assert_allclose(tracks[name][t].xy[0], seed_points(shape, SIZE_PX).xy, atol=1e-4)
    with pytest.raises(ShapeError, match="Expected 289, as queried"):
        seeds.split(tracks_of(still[:, :4]))
    assert len(query_seeds({}, SIZE_PX).queries) == 0
    with pytest.raises(QueryError, match="Keyframe of 'cat' in frame 7: No part"):
        query_seeds({("cat", 7): Box([400, 0, 500, 9])}, SIZE_PX)
