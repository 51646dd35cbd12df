"""What annotation programs keep of a video."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape


@pytest.mark.parametrize(
    ("kind", "xy", "words"),
    [
        ("points", [[np.nan, 1]], "no finite numbers"),
        ("points", [], "Expected \\(K, 2\\)"),
        ("points", [[1, 2, 3]], "Expected \\(K, 2\\)"),
        ("box", [[1, 2]], "two corners"),
        ("cuboid", [[1, 2]], "box, polyline, polygon, points"),
    ],
)
def test_shapes_that_say_nothing_are_refused(kind, xy, words: str):
    with pytest.raises(ShapeError, match=words):
        TrackedShape(0, kind, xy)


def test_positions_cannot_be_changed_afterwards():
    with pytest.raises(ValueError, match="read-only"):
        TrackedShape(0, "points", [[1.0, 2.0]]).xy[0] = 0


def test_a_track_has_one_shape_per_frame_in_order():
    shape = TrackedShape(3, "points", [[1, 2]], notes={"track": {"field": "tracks"}})
    assert ShapeTrack(1, "point", (shape,)).notes == {"field": "tracks"}
    assert ShapeTrack(1, "point", ()).notes == {}
    with pytest.raises(ShapeError, match="order of their frames"):
        ShapeTrack(1, "point", (shape, shape))
