"""Queries, Tracks and FrameMap check themselves and cannot be changed."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.errors import QueryError, ShapeError

# Queries


def test_queries_hold_whole_frames_and_float64_positions():
    queries = pt.Queries(t=[0.0, 3.0], xy=np.ones((2, 2), np.float32))
    assert len(queries) == 2
    assert queries.t.dtype == np.int64
    assert queries.xy.dtype == np.float64
    assert queries.origin == "points"


def test_queries_may_be_empty():
    queries = pt.Queries(t=[], xy=[])
    assert len(queries) == 0
    assert queries.xy.shape == (0, 2)
    queries.check_inside((4, 4), 1)


def test_queries_are_copies_and_read_only():
    xy = np.zeros((1, 2))
    queries = pt.Queries(t=[0], xy=xy)
    xy[:] = 7
    assert queries.xy.tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="read-only"):
        queries.xy[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        queries.t[0] = 1
    with pytest.raises(FrozenInstanceError):
        queries.origin = "grid"  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("t", "xy", "error", "words"),
    [
        ([0], [[1, 2, 3]], ShapeError, r"\(1, 3\)"),
        ([0, 1], [[1, 2]], ShapeError, r"Expected \(1,\)"),
        ([[0]], [[1, 2]], ShapeError, r"\(1, 1\)"),
        ([0], [[1, np.nan]], QueryError, "finite"),
        ([0], [[np.inf, 1]], QueryError, "finite"),
        ([0.5], [[1, 2]], QueryError, "whole"),
        ([np.nan], [[1, 2]], QueryError, "whole"),
        ([np.inf], [[1, 2]], QueryError, "whole"),
        ([True], [[1, 2]], QueryError, "whole numbers, found the type bool"),
        (["0"], [[1, 2]], QueryError, "whole numbers, found the type"),
        ([-1], [[1, 2]], QueryError, "-1 is negative"),
    ],
)
def test_bad_queries_are_refused(t, xy, error, words):
    with pytest.raises(error, match=words):
        pt.Queries(t=t, xy=xy)


def test_an_unknown_origin_is_refused():
    with pytest.raises(ShapeError, match="grid, masked_grid, points, dense"):
        pt.Queries(t=[0], xy=[[1, 2]], origin="lasso")  # pyright: ignore[reportArgumentType]


def test_check_inside_accepts_the_border_and_names_what_leaves():
    pt.Queries(t=[0, 9], xy=[[0, 0], [19, 9]]).check_inside((20, 10), 10)
    pt.Queries(t=[999], xy=[[1, 1]]).check_inside((20, 10))  # the number of frames is not known yet
    for xy in ([19.01, 0], [0, 9.5], [-0.1, 0]):
        with pytest.raises(QueryError, match=r"Query 1 at .* outside the 20 x 10 frame.*x <= 19 and 0 <= y <= 9"):
            pt.Queries(t=[0, 0], xy=[[1, 1], xy]).check_inside((20, 10), 10)
    with pytest.raises(QueryError, match=r"Query 1 is in frame 10, but the video has 10 frames .*0 to 9"):
        pt.Queries(t=[0, 10], xy=[[0, 0], [1, 1]]).check_inside((20, 10), 10)


# Tracks


def test_tracks_hold_their_types_and_shapes():
    tracks = pt.Tracks(xy=np.zeros((4, 3, 2)), visible=np.ones((4, 3), int), confidence=np.ones((4, 3)))
    assert (tracks.num_frames, tracks.num_points) == (4, 3)
    assert (tracks.xy.dtype, tracks.visible.dtype, tracks.confidence.dtype) == (np.float32, bool, np.float32)
    for array in (tracks.xy, tracks.visible, tracks.confidence):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("shape", [(0, 3), (4, 0), (0, 0)])
def test_tracks_may_have_no_frames_or_no_points(shape):
    tracks = pt.Tracks(xy=np.zeros((*shape, 2)), visible=np.zeros(shape), confidence=np.zeros(shape))
    assert (tracks.num_frames, tracks.num_points) == shape
    assert tracks.visible.dtype == bool


def test_unknown_positions_are_hidden_and_have_no_confidence():
    xy = np.array([[[np.nan, np.nan], [1, 2]]])
    tracks = pt.Tracks(xy=xy, visible=[[False, True]], confidence=[[0, 0.5]])
    assert np.isnan(tracks.xy[0, 0]).all()
    with pytest.raises(ShapeError, match="Point 0 is visible in frame 0"):
        pt.Tracks(xy=xy, visible=[[True, True]], confidence=[[0, 0.5]])
    with pytest.raises(ShapeError, match="Confidence must be 0"):
        pt.Tracks(xy=xy, visible=[[False, True]], confidence=[[0.1, 0.5]])
    with pytest.raises(ShapeError, match="visible in frame 0"):
        pt.Tracks(xy=[[[np.inf, 0]]], visible=[[True]], confidence=[[0]])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"xy": np.zeros((2, 2))}, r"Expected \(T, N, 2\)"),
        ({"xy": np.zeros((2, 1, 3))}, r"Expected \(T, N, 2\)"),
        ({"visible": np.ones((1, 2), bool)}, r"visible of shape \(1, 2\)"),
        ({"visible": np.full((2, 1), 0.7)}, "apply the threshold first"),
        ({"visible": np.full((2, 1), 2)}, "Expected bool"),
        ({"confidence": np.ones((2, 2))}, r"confidence of shape \(2, 2\)"),
        ({"confidence": np.full((2, 1), 1.1)}, r"\[0, 1\]"),
        ({"confidence": np.full((2, 1), -0.1)}, r"\[0, 1\]"),
        ({"confidence": np.full((2, 1), np.nan)}, r"finite numbers in \[0, 1\]"),
    ],
)
def test_bad_tracks_are_refused(changes, words):
    good = {"xy": np.zeros((2, 1, 2)), "visible": np.ones((2, 1), bool), "confidence": np.ones((2, 1))}
    pt.Tracks(**good)
    with pytest.raises(ShapeError, match=words):
        pt.Tracks(**{**good, **changes})


def test_rounding_beyond_the_unit_interval_is_clipped():
    tracks = pt.Tracks(xy=np.zeros((1, 2, 2)), visible=[[1, 1]], confidence=[[1 + 5e-6, -5e-6]])
    assert tracks.confidence.tolist() == [[1, 0]]


# FrameMap

INDEX_SETS = st.lists(st.integers(0, 99), unique=True).map(sorted)


@given(INDEX_SETS, st.integers(0, 99))
def test_sampled_index_is_the_inverse_of_the_map(indices, wanted):
    frame_map = pt.FrameMap(np.array(indices, dtype=int), 100)
    assert len(frame_map) == len(indices)
    for s, index in enumerate(indices):
        assert frame_map.sampled_index_of(index) == s
    if wanted in indices:
        return
    if not indices:
        with pytest.raises(QueryError, match="keeps no frame"):
            frame_map.sampled_index_of(wanted)
        return
    with pytest.raises(QueryError, match=f"Frame {wanted} ") as caught:
        frame_map.sampled_index_of(wanted)
    named = int(str(caught.value).rsplit(" ", 1)[1])
    assert named in indices
    assert abs(named - wanted) == min(abs(i - wanted) for i in indices)


@given(INDEX_SETS, st.lists(st.integers(0, 99)))
def test_including_is_the_union(indices, more):
    frame_map = pt.FrameMap(np.array(indices, dtype=int), 100).including(np.array(more))
    assert frame_map.source_indices.tolist() == sorted({*indices, *more})
    assert frame_map.num_source_frames == 100


def test_is_identity_only_where_all_frames_are_kept():
    assert pt.FrameMap(np.arange(5), 5).is_identity
    assert not pt.FrameMap(np.arange(4), 5).is_identity
    assert pt.FrameMap(np.array([]), 0).is_identity


@pytest.mark.parametrize(
    ("indices", "words"),
    [
        ([0, 0], "strictly increase"),
        ([3, 1], "strictly increase"),
        ([-1, 2], "leave the source of 5"),
        ([0, 5], "leave the source of 5"),
        ([0.5, 1.0], "whole numbers"),
        ([[0, 1]], r"\(1, 2\)"),
        ([True, False], "whole numbers"),
    ],
)
def test_bad_maps_are_refused(indices, words):
    with pytest.raises(ShapeError, match=words):
        pt.FrameMap(np.array(indices), 5)


def test_a_map_cannot_include_a_frame_that_does_not_exist():
    with pytest.raises(ShapeError, match="leave the source"):
        pt.FrameMap(np.arange(3), 5).including(np.array([5]))


def test_a_map_is_a_read_only_copy():
    indices = np.arange(3)
    frame_map = pt.FrameMap(indices, 3)
    indices[:] = 0
    assert frame_map.source_indices.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        frame_map.source_indices[0] = 1


def test_points_may_be_called_something():
    queries = pt.Queries([0, 0], [[1, 2], [3, 4]], labels=["nose", None], objects=np.array([7, 2**40]))
    assert queries.labels is not None
    assert queries.objects is not None
    assert queries.labels.tolist() == ["nose", None]
    assert [type(number) for number in queries.objects] == [int, int]
    assert queries.objects.tolist() == [7, 2**40]
    with pytest.raises(ValueError, match="read-only"):
        queries.objects[0] = 1
    nameless = pt.Queries([0, 0], [[1, 2], [3, 4]], labels=[None, None])
    assert (nameless.labels, nameless.objects) == (None, None)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ({"labels": ["one"]}, "1 labels were given for 2 points"),
        ({"labels": ["one", 2]}, r"Invalid labels \(2\)"),
        ({"objects": [1, "two"]}, r"Invalid objects \('two'\)"),
        ({"objects": [1, True]}, r"Invalid objects \(True\)"),
    ],
)
def test_names_that_are_none_are_refused(names, words):
    with pytest.raises(ShapeError, match=words):
        pt.Queries([0, 0], [[1, 2], [3, 4]], **names)
    with pytest.raises(ShapeError, match=words):
        pt.Tracks(xy=np.zeros((1, 2, 2)), visible=np.ones((1, 2), bool), confidence=np.ones((1, 2)), **names)
