"""What a file that holds keyframes alone says of the frames between them."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.annotation.between import shown_shapes
from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape


def shape(t: int, *xy: tuple[float, float], kind="points", **more) -> TrackedShape:
    return TrackedShape(t, kind, xy, **more)


def shown(*shapes: TrackedShape, num_frames: int = 8, fill: bool = True) -> list[tuple[int, list, bool]]:
    track = ShapeTrack(1, "goat", shapes)
    return [(s.frame_index, s.xy.ravel().tolist(), f) for s, f in shown_shapes(track, num_frames, fill=fill)]


def test_points_move_in_a_straight_line_and_end_where_they_are_said_to():
    found = shown(shape(1, (0, 0)), shape(3, (4, 8)), shape(5, (9, 9), outside=True), shape(7, (1, 1)))
    assert found == [
        (1, [0, 0], False),
        (2, [2, 4], True),
        (3, [4, 8], False),
        (4, [4, 8], True),
        (7, [1, 1], False),
    ]


def test_what_nothing_ends_stays_to_the_end():
    assert [t for t, *_ in shown(shape(5, (0, 0)))] == [5, 6, 7]
    assert [t for t, *_ in shown(shape(5, (0, 0)), fill=False)] == [5]


def test_lines_of_as_many_vertices_move_and_others_wait():
    line = {"kind": "polyline"}
    assert shown(shape(0, (0, 0), (2, 2), **line), shape(2, (4, 0), (6, 2), **line))[1] == (1, [2, 0, 4, 2], True)
    assert shown(shape(0, (0, 0), (2, 2), **line), shape(2, (4, 0), **line))[1] == (1, [0, 0, 2, 2], True)


def test_filled_shapes_are_no_keyframes_and_keep_what_is_said_of_the_object():
    first = shape(0, (0, 0), occluded=True, attributes={"a": 1}, notes={"id": "x"})
    filled = [
        s for s, is_filled in shown_shapes(ShapeTrack(1, "g", (first, shape(2, (2, 2)))), 3, fill=True) if is_filled
    ]
    assert [(s.keyframe, s.occluded, s.attributes, s.notes) for s in filled] == [(False, True, {"a": 1}, {})]
    np.testing.assert_array_equal(filled[0].xy, [[1, 1]])


def test_frames_behind_the_end_are_refused_unless_nothing_is_there():
    assert [t for t, *_ in shown(shape(7, (0, 0)), shape(8, (0, 0), outside=True))] == [7]
    with pytest.raises(FormatError, match=r"frame 8 .*has 8 frames"):
        shown(shape(8, (0, 0)))
