"""Points along lines, by arc length."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.queries.lines import points_along

places = st.tuples(st.integers(0, 50), st.integers(0, 50))
lines = st.lists(places, min_size=2, max_size=8, unique=True).map(lambda line: np.array(line, dtype=float))


@given(st.lists(lines, min_size=1, max_size=3), st.integers(1, 60), st.booleans())
def test_all_vertices_are_there_and_as_many_points_as_wanted(
    shapes: list[np.ndarray], number: int, closed: bool
) -> None:
    found = points_along(shapes, number, closed=closed)
    assert sum(map(len, found)) == max(number, sum(map(len, shapes)))
    for shape, points in zip(shapes, found, strict=True):
        following = iter(points.tolist())  # read on from vertex to vertex: a line may pass one before its turn
        assert all(vertex in following for vertex in shape.tolist())


@given(lines, st.integers(1, 60), st.booleans())
def test_points_lie_on_the_line(line: np.ndarray, number: int, closed: bool) -> None:
    (points,) = points_along([line], number, closed=closed)
    ends = np.roll(line, -1, axis=0) if closed else line[1:]
    starts = line if closed else line[:-1]
    along = ends - starts  # (S, 2)
    share = ((points[:, None] - starts) * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-9)
    nearest = starts + np.clip(share, 0, 1)[..., None] * along  # (K, S, 2)
    assert (np.linalg.norm(points[:, None] - nearest, axis=2).min(axis=1) < 1e-9).all()


def test_long_stretches_get_more_points() -> None:
    (points,) = points_along([np.array([[0, 0], [10, 0], [10, 30]])], 7)
    assert points.tolist() == [[0, 0], [5, 0], [10, 0], [10, 7.5], [10, 15], [10, 22.5], [10, 30]]


def test_a_closed_line_returns_to_its_start_which_counts_once() -> None:
    square = np.array([[0, 0], [8, 0], [8, 8], [0, 8]])
    (points,) = points_along([square], 8, closed=True)
    assert points.tolist() == [[0, 0], [4, 0], [8, 0], [8, 4], [8, 8], [4, 8], [0, 8], [0, 4]]
    (again,) = points_along([np.vstack([square, square[:1]])], 8, closed=True)
    assert again.tolist() == points.tolist()


def test_a_single_vertex_and_none() -> None:
    single, none, still = points_along([np.array([[3, 4]]), np.empty((0, 2)), np.array([[5, 5], [5, 5]])], 20)
    assert (single.tolist(), none.shape, still.tolist()) == ([[3, 4]], (0, 2), [[5, 5]])


def test_other_shapes_and_numbers_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(V, 2\)"):
        points_along([np.zeros((3, 3))], 4)
    with pytest.raises(OptionError, match="at least 1"):
        points_along([np.zeros((3, 2))], 0)
