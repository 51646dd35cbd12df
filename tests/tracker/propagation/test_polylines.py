"""Polylines with different numbers of points get partners for each other's vertices."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.propagation import Polyline
from point_tracking.tracker.propagation.polylines import with_common_vertices


def test_lines_of_equal_length_stay_as_they_are():
    a, b = Polyline(([[0, 0], [1, 1]],)), Polyline(([[5, 0], [1, 9]],))
    assert with_common_vertices(a, b) == (a, b)


def test_each_vertex_gets_a_partner_at_its_share_of_the_way():
    a, b = Polyline(([[0, 0], [100, 0]],)), Polyline(([[0, 50], [10, 50], [40, 50]],))
    more_a, more_b = with_common_vertices(a, b)
    np.testing.assert_allclose(more_a.lines[0], [[0, 0], [25, 0], [100, 0]])
    np.testing.assert_allclose(more_b.lines[0], b.lines[0])


def test_closed_lines_are_walked_round():
    square = Polyline(([[0, 0], [40, 0], [40, 40], [0, 40]],), closed=True)
    more, triangle = with_common_vertices(square, Polyline(([[0, 0], [10, 0], [5, 9]],), closed=True))
    assert len(more.lines[0]) == len(triangle.lines[0]) == 6
    for corner in square.lines[0]:
        assert np.abs(more.lines[0] - corner).sum(axis=1).min() < 1e-5


def test_a_line_without_length_has_vertices_all_the_same():
    more, still = with_common_vertices(Polyline(([[0, 0], [8, 0], [9, 0]],)), Polyline(([[5, 5], [5, 5]],)))
    assert len(more.lines[0]) == len(still.lines[0])
    np.testing.assert_array_equal(still.lines[0], 5)
