"""Coordinates and frame numbers: round trips, fixed points, and agreement with torch."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from point_tracking.tracker import coordinates as c
from point_tracking.tracker.errors import ShapeError

SIDES = st.integers(1, 5000)
SIZES = st.tuples(SIDES, SIDES)
LARGE_SIZES = st.tuples(st.integers(2, 5000), st.integers(2, 5000))
POSITIONS = hnp.arrays(
    np.float64, st.tuples(st.integers(0, 6), st.just(2)), elements=st.floats(-6000, 6000, allow_nan=False)
)


@given(POSITIONS, SIZES)
def test_normalize_divides_by_the_size_and_comes_back(xy, size):
    unit = c.normalize_xy(xy, size)
    np.testing.assert_array_equal(unit[:, 0], xy[:, 0] / size[0])
    np.testing.assert_array_equal(unit[:, 1], xy[:, 1] / size[1])
    np.testing.assert_allclose(c.denormalize_xy(unit, size), xy, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("function", [c.normalize_xy, c.denormalize_xy])
def test_float32_stays_float32_and_integers_are_not_cut(function):
    assert function(np.zeros((3, 2), np.float32), (7, 5)).dtype == np.float32
    assert function(np.array([[3, 1]]), (2, 2)).dtype == np.float64
    assert c.normalize_xy(np.array([3, 1]), (2, 4)).tolist() == [1.5, 0.25]


def test_any_leading_axes_are_kept():
    xy = np.arange(24.0).reshape(3, 4, 2)
    assert c.normalize_xy(xy, (10, 20)).shape == (3, 4, 2)
    assert c.inside_frame(xy, (10, 20)).shape == (3, 4)


@given(SIZES)
def test_all_pixel_centres_are_inside_and_the_next_ones_are_not(size):
    w, h = size
    corners = np.array([[0, 0], [w - 1, 0], [0, h - 1], [w - 1, h - 1]], dtype=float)
    assert c.inside_frame(corners, size).all()
    beyond = np.array([[-1e-9, 0], [0, -1e-9], [w - 1 + 1e-6, 0], [0, h - 1 + 1e-6], [np.nan, 0], [0, np.inf]])
    assert not c.inside_frame(beyond, size).any()


@given(POSITIONS, LARGE_SIZES, LARGE_SIZES)
def test_corner_aligned_keeps_corners_and_comes_back(xy, a, b):
    corners = np.array([[0, 0], [a[0] - 1, a[1] - 1]], dtype=float)
    np.testing.assert_allclose(c.corner_aligned(corners, a, b), [[0, 0], [b[0] - 1, b[1] - 1]], rtol=1e-12)
    np.testing.assert_allclose(c.corner_aligned(c.corner_aligned(xy, a, b), b, a), xy, rtol=1e-9, atol=1e-6)


@given(POSITIONS, SIZES, SIZES)
def test_edge_aligned_keeps_edges_and_comes_back(xy, a, b):
    edges = np.array([[-0.5, -0.5], [a[0] - 0.5, a[1] - 0.5]])
    np.testing.assert_allclose(c.edge_aligned(edges, a, b), [[-0.5, -0.5], [b[0] - 0.5, b[1] - 0.5]], atol=1e-9)
    np.testing.assert_allclose(c.edge_aligned(c.edge_aligned(xy, a, b), b, a), xy, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(("align", "function"), [(True, c.corner_aligned), (False, c.edge_aligned)])
def test_a_ramp_resized_by_torch_holds_the_mapped_positions(align, function):
    source, target = (40, 30), (16, 12)
    ramp = torch.arange(40.0).expand(1, 1, 30, 40)
    resized = torch.nn.functional.interpolate(ramp, target[::-1], mode="bilinear", align_corners=align)[0, 0, 5]
    xy = np.stack([np.arange(16.0), np.full(16, 5.0)], axis=1)
    back = function(xy, target, source)[:, 0]
    np.testing.assert_allclose(resized.numpy()[1:-1], back[1:-1], atol=1e-4)


@given(SIDES)
def test_a_side_of_one_pixel_maps_to_zero(side):
    assert c.corner_aligned(np.array([[0.3, 0.0]]), (1, 2), (side, side))[0, 0] == 0


@given(st.integers(0, 10**9))
def test_frame_numbers_and_track_indices_count_from_one(index):
    assert c.frame_number_of(index) == index + 1
    assert c.frame_index_of(c.frame_number_of(index)) == index
    assert c.track_index_of(index) == index + 1
    assert c.column_of(c.track_index_of(index)) == index


def test_frame_numbers_of_arrays():
    assert c.frame_number_of(np.array([0, 4])).tolist() == [1, 5]
    assert c.column_of(np.array([1, 5])).tolist() == [0, 4]


PAIR_FUNCTIONS = [
    lambda xy, size: c.normalize_xy(xy, size),
    lambda xy, size: c.denormalize_xy(xy, size),
    lambda xy, size: c.inside_frame(xy, size),
    lambda xy, size: c.corner_aligned(xy, size, (5, 5)),
    lambda xy, size: c.edge_aligned(xy, (5, 5), size),
]


@pytest.mark.parametrize("function", PAIR_FUNCTIONS)
def test_wrong_shapes_and_empty_frames_are_refused(function):
    with pytest.raises(ShapeError, match=r"last axis must be \(x, y\)"):
        function(np.zeros((2, 3)), (5, 5))
    with pytest.raises(ShapeError, match="last axis"):
        function(np.float64(3), (5, 5))
    with pytest.raises(ShapeError, match="0 x 5"):
        function(np.zeros((2, 2)), (0, 5))


@given(num_outside=st.integers(0, 9), num_inside=st.integers(0, 9), num_hidden=st.integers(0, 9))
def test_points_lie_mostly_outside_where_more_than_half_of_the_visible_ones_do(num_outside, num_inside, num_hidden):
    xy = np.array([[40.0, 3.0]] * num_outside + [[5.0, 3.0]] * num_inside + [[np.nan, 3.0]] * num_hidden).reshape(-1, 2)
    visible = np.arange(len(xy)) < num_outside + num_inside
    expected = (num_outside, num_outside + num_inside) if num_outside > num_inside else None
    assert c.mostly_outside(xy, visible, (40, 30)) == expected
