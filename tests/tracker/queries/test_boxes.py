"""A grid inside a box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.queries.boxes import points_in_box


@given(st.floats(0.01, 500), st.floats(0.01, 500), st.integers(1, 400))
def test_points_lie_inside_and_are_about_as_many_as_wanted(width: float, height: float, number: int) -> None:
    points = points_in_box(np.array([10, 20]), np.array([width, height]), number)
    inside = points + 0.5 - [10, 20]
    assert (inside > 0).all()
    assert (inside < [width, height]).all()
    assert 1 <= len(points) <= 1.5 * number
    if min(width, height) > number:
        assert len(points) >= 0.6 * number


def test_they_are_as_far_apart_along_both_sides() -> None:
    points = points_in_box(np.array([0, 0]), np.array([40, 20]), 8)
    assert points.tolist() == [[x, y] for y in (4.5, 14.5) for x in (4.5, 14.5, 24.5, 34.5)]


def test_a_box_below_a_pixel_has_one_point() -> None:
    np.testing.assert_allclose(points_in_box(np.array([3, 4]), np.array([0.5, 0.2]), 100), [[2.75, 3.6]])


def test_boxes_without_extent_and_bad_numbers_are_refused() -> None:
    with pytest.raises(ShapeError, match="above 0"):
        points_in_box(np.array([0, 0]), np.array([0, 5]), 4)
    with pytest.raises(OptionError, match="at least 1"):
        points_in_box(np.array([0, 0]), np.array([5, 5]), 0)
