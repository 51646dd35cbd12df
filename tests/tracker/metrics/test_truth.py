"""What is known about a clip and which of it counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.metrics.truth import (
    STRIDE_FRAMES,
    TrackTruth,
    choose_queries,
    counted_frames,
    distances_px,
    queried_truth,
    queries_of,
)

from .clip_makers import SQUARE, one_track


def test_frames_up_to_the_query_do_not_count():
    np.testing.assert_array_equal(
        counted_frames(np.array([0, 2, 3]), 4), np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]], dtype=bool)
    )


def test_strided_queries_count_all_frames_but_their_own():
    np.testing.assert_array_equal(
        counted_frames(np.array([0, 2]), 3, "strided"), np.array([[0, 1], [1, 1], [1, 0]], dtype=bool)
    )


def test_unknown_query_modes_are_refused():
    with pytest.raises(OptionError, match=r"'last'.*first, strided"):
        counted_frames(np.array([0]), 4, mode="last")  # pyright: ignore[reportArgumentType]
    with pytest.raises(OptionError, match="'last'"):
        choose_queries(np.ones((3, 1), bool), mode="last")  # pyright: ignore[reportArgumentType]


def shown(*rows: str) -> np.ndarray:
    """(T, N) bool from one string of 0 and 1 per point."""
    return np.array([[character == "1" for character in row] for row in rows]).T


def test_first_queries_are_where_points_are_visible_first():
    query_t, columns = choose_queries(shown("0011", "1000", "0000", "0001"))
    assert (query_t.tolist(), columns.tolist()) == ([2, 0, 3], [0, 1, 3])


def test_strided_queries_are_every_fifth_frame_in_which_a_point_is_visible():
    query_t, columns = choose_queries(shown("10000" + "10000" + "1", "01111" + "11111" + "0"), mode="strided")
    assert (query_t.tolist(), columns.tolist()) == ([0, 5, 10, 5], [0, 0, 0, 1])


def test_labels_that_are_not_known_ask_for_no_query():
    visible = shown("1111111", "1111111")
    valid = shown("0111111", "0000000")
    assert [part.tolist() for part in choose_queries(visible, valid)] == [[1], [0]]
    assert [part.tolist() for part in choose_queries(visible, valid, "strided")] == [[5], [0]]


def test_a_column_per_query():
    rng = np.random.default_rng(0)
    xy = rng.uniform(0, 99, (7, 3, 2))
    truth, columns = queried_truth(xy, shown("1111111", "0000000", "0000011"), (100, 100), mode="strided")
    assert columns.tolist() == [0, 0, 2]
    np.testing.assert_array_equal(truth.xy, xy[:, [0, 0, 2]])
    queries = queries_of(truth)
    assert queries.t.tolist() == [0, 5, 5]
    np.testing.assert_array_equal(queries.xy, [xy[0, 0], xy[5, 0], xy[5, 2]])


@given(st.integers(0, 2**32 - 1))
def test_queries_are_known_visible_and_complete(seed: int):
    rng = np.random.default_rng(seed)
    visible, valid = rng.random((13, 4)) < 0.4, rng.random((13, 4)) < 0.8
    query_t, columns = choose_queries(visible, valid)
    assert (visible & valid)[query_t, columns].all()
    assert len(columns) == (visible & valid).any(axis=0).sum()
    query_t, columns = choose_queries(visible, valid, "strided")
    assert (visible & valid)[query_t, columns].all()
    assert len(columns) == (visible & valid)[::STRIDE_FRAMES].sum()


def test_unknown_positions_are_infinitely_far():
    distance = distances_px(*one_track([3.0, np.nan], [True, False], [True, True]))
    assert distance[:, 0].tolist() == [0.0, 3.0, np.inf]


def test_shapes_must_fit():
    _, truth = one_track([0, 0], [True] * 2, [True] * 2)
    with pytest.raises(ShapeError, match="valid"):
        TrackTruth(truth.query_t, truth.xy, truth.visible, SQUARE, np.ones((2, 2), bool))
    with pytest.raises(ShapeError, match=r"\(T, N, 2\)"):
        TrackTruth(truth.query_t, truth.xy[0], truth.visible, SQUARE)
    with pytest.raises(ShapeError, match="query_t"):
        TrackTruth(np.zeros(2), truth.xy, truth.visible, SQUARE)
