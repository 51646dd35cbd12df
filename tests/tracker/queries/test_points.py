"""Explicit points: rows (t, x, y)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import QueryError

ROWS = st.lists(st.tuples(st.integers(0, 10**6), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)))


@given(ROWS)
def test_rows_are_taken_over_unchanged(rows):
    queries = pt.point_queries(rows)
    assert queries.origin == "points"
    assert [(int(t), float(x), float(y)) for t, (x, y) in zip(queries.t, queries.xy, strict=True)] == rows


def test_any_iterable_will_do():
    rows = [(0, 1, 2), (3, 4, 5)]
    for given_rows in (rows, iter(rows), np.array(rows), np.array(rows, np.float32), [list(row) for row in rows]):
        assert pt.point_queries(given_rows).xy.tolist() == [[1, 2], [4, 5]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([(1, 2)], r"shape \(1, 2\)"),
        ([1, 2, 3], r"shape \(3,\)"),
        ([(0, 1, 2), (0, 1)], r"found \[\(0, 1, 2\), \(0, 1\)\]"),
        ([("a", "b", "c")], "three numbers"),
        ([(0, np.nan, 1)], "finite"),
        ([(0.5, 1, 1)], "whole"),
        ([(-1, 1, 1)], "negative"),
        ([(0, None, 1)], "finite|three numbers"),
    ],
)
def test_bad_rows_are_refused(rows, words):
    with pytest.raises(QueryError, match=words):
        pt.point_queries(rows)


def test_a_long_list_is_not_repeated_in_full():
    with pytest.raises(QueryError) as caught:
        pt.point_queries([("x", 1, 2)] * 1000)
    assert len(str(caught.value)) < 200
