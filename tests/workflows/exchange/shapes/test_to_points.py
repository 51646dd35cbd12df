"""Tracks of single points as point tracks; what we wrote comes back in test_cvat."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from point_tracking.workflows.exchange.shapes.to_points import point_tracks_of


def point(t: int, x: float = 1, **more) -> TrackedShape:
    return TrackedShape(t, "points", [[x, 2]], **more)


def noted(index: int, **more) -> ShapeTrack:
    about = {"field": "tracks", "kind": "tracks", "layout": "points", "index": index, **more}
    return ShapeTrack(index, "point", (point(0, index, notes={"track": about}),))


def test_the_number_of_points_is_that_which_was_noted():
    made = point_tracks_of([noted(2, points=5)], 3, fill=False)
    assert made.tracks.xy.shape == (3, 5, 2)
    assert np.argwhere(made.tracks.visible).tolist() == [[0, 1]]
    assert (made.names, made.layout, made.keep_hidden, made.warnings) == (None, "points", False, [])


def test_numbers_of_other_programs_become_indices():
    from_zero = point_tracks_of([ShapeTrack(0, "a", (point(0),)), ShapeTrack(5, "a", (point(1),))], 3, fill=False)
    assert np.argwhere(from_zero.tracks.visible).tolist() == [[0, 0], [1, 5]]
    assert "from 0" in from_zero.warnings[0]
    huge = point_tracks_of([ShapeTrack(9_000_000, "a", (point(0),)), ShapeTrack(3, "b", (point(1),))], 3, fill=False)
    assert huge.tracks.num_points == 2
    assert "numbered anew" in huge.warnings[0]
    assert huge.tracks.labels is not None
    assert list(huge.tracks.labels) == ["a", "b"]


def test_what_is_no_point_track_is_refused():
    several = ShapeTrack(1, "a", (TrackedShape(0, "points", [[1, 2], [3, 4]]),))
    with pytest.raises(FormatError, match="has 2 points"):
        point_tracks_of([several], 3, fill=False)
    with pytest.raises(FormatError, match="same index"):
        point_tracks_of([noted(1), noted(1)], 3, fill=False)


def test_hidden_points_are_kept_where_the_file_has_any():
    track = ShapeTrack(1, "a", (point(0), point(1, occluded=True, keyframe=False), point(2, outside=True)))
    made = point_tracks_of([track], 4, fill=True)
    assert made.keep_hidden
    assert made.tracks.visible[:, 0].tolist() == [True, False, False, False]
    assert made.tracks.confidence[:, 0].tolist() == [1, 1, 0, 0]
    assert made.extras == {(0, 1): {"keyframe": True}}


def test_noted_values_that_make_no_sense_are_not_believed():
    about = {"object": "x", "node": 3, "instance": "zz", "of": [0, 9, 2], "layout": "objects", "points": -4}
    made = point_tracks_of([noted(1, **about)], 2, fill=False)
    assert (made.layout, made.names, made.tracks.num_points) == ("points", None, 1)
    odd = ShapeTrack(1, "point", (point(0, notes={"confidence": 7, "track": {"index": True}}),))
    assert point_tracks_of([odd], 1, fill=False).tracks.confidence.tolist() == [[1]]
