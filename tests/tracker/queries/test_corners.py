"""Corners, spread over a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.queries.corners import corner_queries


def with_squares(*places: tuple[int, int]) -> np.ndarray:
    """A grey picture with white squares whose upper left corners are given as (x, y)."""
    frame = np.full((120, 160), 60, np.uint8)
    for x, y in places:
        frame[y : y + 10, x : x + 10] = 240
    return frame


def test_the_best_place_of_each_cell_is_taken():
    queries = corner_queries(with_squares((20, 20), (120, 85)), 2, size_px=(320, 240), frame_index=3)
    assert queries.t.tolist() == [3, 3, 3, 3]
    assert np.abs(queries.xy[[0, 3]] - [[50, 50], [250, 190]]).max() < 20  # of a video twice as large


@settings(max_examples=20, deadline=None)
@given(size=st.tuples(st.integers(1, 40), st.integers(1, 40)), grid_size=st.integers(1, 50))
def test_there_is_a_point_in_every_cell_that_has_pixels(size, grid_size):
    frame = np.random.default_rng(0).integers(0, 255, size, dtype=np.uint8)
    video_size = (3 * size[1], 2 * size[0])
    queries = corner_queries(frame, grid_size, size_px=video_size)
    assert len(queries) == min(grid_size, size[0]) * min(grid_size, size[1])
    queries.check_inside(video_size)


def test_a_grid_without_cells_is_refused():
    with pytest.raises(OptionError):
        corner_queries(with_squares(), 0, size_px=(160, 120))
