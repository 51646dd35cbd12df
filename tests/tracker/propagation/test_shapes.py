"""Shapes refuse what encloses nothing, and are the same after a trip through numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moving_points import as_kind

from point_tracking.tracker.errors import MaskError, ShapeError
from point_tracking.tracker.propagation.shapes import (
    Box,
    MaskedBox,
    PointSet,
    Polyline,
    agreement,
    box_iou,
    check_same_kind,
    clip_to_frame,
    extent,
)

SIZE_PX = (320, 240)
PLACE = st.floats(-500, 500)
SIDE = st.floats(0.1, 500)


@given(PLACE, PLACE, SIDE, SIDE)
def test_a_box_is_the_same_after_a_trip_through_its_vector(x: float, y: float, width: float, height: float):
    box = Box([x, y, x + width, y + height])
    np.testing.assert_allclose(box.with_vector(box.vector).xyxy, box.xyxy, atol=1e-9)


def test_the_lines_of_a_polyline_stay_apart():
    line = Polyline(([[0, 0], [1, 2]], [[5, 5], [6, 6], [7, 5]]), closed=True)
    again = line.with_vector(line.vector + 1)
    assert again.closed
    assert [len(one) for one in again.lines] == [2, 3]
    np.testing.assert_array_equal(again.lines[1], [[6, 6], [7, 7], [8, 6]])


def test_a_mask_keeps_its_mask():
    shape = MaskedBox([0, 0, 4, 4], [[0, 1], [2, 0]])
    assert shape.mask.dtype == bool
    np.testing.assert_array_equal(shape.with_vector(shape.vector).mask, [[False, True], [True, False]])


@pytest.mark.parametrize(
    ("xyxy", "found"),
    [
        ([1, 2, 1, 5], "no area"),
        ([5, 2, 1, 5], "no area"),
        ([1, 2, np.nan, 5], "finite"),
        ([1, 2, np.inf, 5], "finite"),
        ([1, 2, 3], "shape \\(3,\\)"),
        ("box", "Expected numbers"),
    ],
)
def test_boxes_that_enclose_nothing_are_refused(xyxy: object, found: str):
    with pytest.raises(ShapeError, match=found):
        Box(xyxy)


@pytest.mark.parametrize(
    ("mask", "found"), [(np.zeros((3, 3)), "empty"), (np.ones(3), "shape"), (np.ones((0, 2)), "shape")]
)
def test_masks_that_select_nothing_are_refused(mask: np.ndarray, found: str):
    with pytest.raises(MaskError, match=found):
        MaskedBox([0, 0, 5, 5], mask)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ((), "without points"),
        (([[1, 2]],), "one point"),
        (([[1, 2], [np.nan, 3]],), "finite"),
        (([1, 2, 3],), "shape"),
    ],
)
def test_polylines_that_are_no_lines_are_refused(lines: tuple, found: str):
    with pytest.raises(ShapeError, match=found):
        Polyline(lines)


def test_a_point_that_is_known_by_half_is_not_known():
    points = PointSet([[1, 2], [3, np.nan]])
    assert np.isnan(points.xy[1]).all()
    np.testing.assert_array_equal(extent(points), [1, 2, 1, 2])


@pytest.mark.parametrize(
    ("xy", "found"), [([[np.nan, np.nan]], "none of its points"), ([[np.inf, 1]], "finite"), ([1, 2], "shape")]
)
def test_keypoints_without_positions_are_refused(xy: list, found: str):
    with pytest.raises(ShapeError, match=found):
        PointSet(xy)


@given(PLACE, PLACE, SIDE, SIDE, PLACE, PLACE, SIDE, SIDE)
def test_iou_is_the_same_both_ways_and_one_for_the_same_box(x, y, w, h, x2, y2, w2, h2):
    a, b = np.array([x, y, x + w, y + h]), np.array([x2, y2, x2 + w2, y2 + h2])
    assert box_iou(a, b) == pytest.approx(box_iou(b, a))
    assert 0 <= box_iou(a, b) <= 1 + 1e-9
    assert box_iou(a, a) == pytest.approx(1)


def test_points_agree_less_the_farther_they_are_apart():
    points = PointSet([[0, 0], [30, 40], [np.nan, np.nan]])
    near, far = (PointSet(points.xy + d) for d in (2, 20))
    assert 1 == agreement(points, points) > agreement(near, points) > agreement(far, points) > 0
    assert agreement(PointSet([[1, 1], [np.nan, 0]]), PointSet([[np.nan, 0], [1, 1]])) == 0


def test_shapes_of_one_object_are_of_one_kind():
    box, line = Box([0, 0, 1, 1]), Polyline(([[0, 0], [1, 1]],))
    check_same_kind([box, box])
    check_same_kind([line, Polyline(([[0, 0], [1, 1], [2, 2]],))])
    with pytest.raises(ShapeError, match="different shapes: Box, MaskedBox"):
        check_same_kind([box, MaskedBox([0, 0, 1, 1], [[1]])])
    with pytest.raises(ShapeError, match="different numbers of points: \\[1, 2\\]"):
        check_same_kind([PointSet([[0, 0]]), PointSet([[0, 0], [1, 1]])])
    with pytest.raises(ShapeError, match="different polylines"):
        check_same_kind([line, Polyline((*line.lines, *line.lines))])
    with pytest.raises(ShapeError, match="all closed or all open"):
        check_same_kind([line, Polyline(line.lines, closed=True)])


def test_boxes_are_cut_at_the_border_and_gone_beyond_it():
    inside = Box([0, 0, 320, 240])
    assert clip_to_frame(inside, SIZE_PX) is inside
    np.testing.assert_array_equal(as_kind(Box, clip_to_frame(Box([-9, 200, 50, 300]), SIZE_PX)).xyxy, [0, 200, 50, 240])
    assert clip_to_frame(Box([320, 0, 400, 100]), SIZE_PX) is None
    assert clip_to_frame(Box([319.5, 0, 400, 100]), SIZE_PX) is None


def test_the_mask_is_cut_with_its_box():
    mask = np.zeros((10, 20), bool)
    mask[:, 10:] = True
    cut = as_kind(MaskedBox, clip_to_frame(MaskedBox([-50, 0, 50, 100], mask), SIZE_PX))
    np.testing.assert_array_equal(cut.xyxy, [0, 0, 50, 100])
    assert cut.mask.shape == (10, 10)
    assert cut.mask.all()
    assert clip_to_frame(MaskedBox([-50, 0, 50, 100], mask[:, ::-1]), SIZE_PX) is None


def test_points_keep_their_positions():
    points = PointSet([[-5, 300]])
    assert clip_to_frame(points, SIZE_PX) is points
