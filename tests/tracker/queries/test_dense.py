"""Dense order against a literal transcription of the published rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import OptionError


def published_order(width: int, height: int) -> list[tuple[int, int]]:
    step = width // 80
    columns, rows = width // step, height // step
    points = []
    for k in range(step * step):
        ox, oy = k % step, k // step
        for j in range(rows):
            for i in range(columns):
                points.append((i * step + ox, j * step + oy))
    return points


@settings(max_examples=40, deadline=None)
@given(st.integers(80, 420), st.integers(6, 120), st.integers(0, 9))
def test_dense_order(width, height, frame_index):
    queries = pt.dense_queries(height=height, width=width, frame_index=frame_index)
    np.testing.assert_array_equal(queries.xy, published_order(width, height))
    assert queries.origin == "dense"
    assert (queries.t == frame_index).all()
    queries.check_inside((width, height))


@given(st.integers(1, 79), st.integers(1, 30))
def test_narrow_frames_give_every_pixel_row_by_row(width, height):
    expected = [(x, y) for y in range(height) for x in range(width)]
    np.testing.assert_array_equal(pt.dense_queries(height=height, width=width).xy, expected)


def test_a_frame_lower_than_the_step_still_has_points():
    assert len(pt.dense_queries(height=2, width=400)) == 800


def test_no_point_comes_twice():
    xy = pt.dense_queries(height=90, width=330).xy
    assert len(np.unique(xy, axis=0)) == len(xy) == 328 * 88  # 330 // 4 * 4, 90 // 4 * 4


def test_bad_arguments_are_refused():
    with pytest.raises(OptionError, match="0 x 5"):
        pt.dense_queries(height=5, width=0)
    with pytest.raises(OptionError, match="Invalid frame index"):
        pt.dense_queries(height=5, width=5, frame_index=-1)
