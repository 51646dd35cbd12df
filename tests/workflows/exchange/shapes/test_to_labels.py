"""Tracks of shapes as labels; what we wrote comes back in test_cvat."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from point_tracking.workflows.exchange.shapes.to_labels import list_kind_of, list_labels_of

SIZE = (100, 50)


def box(t: int, **more) -> TrackedShape:
    return TrackedShape(t, "box", [[10, 10], [60, 35]], **more)


def test_a_box_of_another_program_says_what_it_is():
    made = list_labels_of(
        [ShapeTrack(3, "goat", (box(0, occluded=True, attributes={"speed": 1.5}),))], SIZE, 1, fill=True
    )
    ((label,),) = made.documents.values()
    np.testing.assert_allclose(label["bounding_box"], [0.1, 0.2, 0.5, 0.5])
    assert (label["label"], label["index"], label["keyframe"], label["occluded"]) == ("goat", 3, True, True)
    assert made.attributes == {"speed": float, "keyframe": bool, "occluded": bool}


def test_polygons_are_filled_and_lines_are_open():
    xy = [[0, 0], [10, 0], [0, 0]]
    for kind, closed in (("polygon", True), ("polyline", False)):
        made = list_labels_of([ShapeTrack(3, "a", (TrackedShape(0, kind, xy),))], SIZE, 1, fill=True)
        ((label,),) = made.documents.values()
        assert (label["closed"], label["filled"], len(label["points"][0])) == (closed, closed, 3)


def test_several_points_of_another_program_are_one_keypoint():
    track = ShapeTrack(3, "a", (TrackedShape(0, "points", [[10, 10], [20, 20]]),))
    ((label,),) = list_labels_of([track], SIZE, 1, fill=True).documents.values()
    np.testing.assert_allclose(label["points"], [[0.1, 0.2], [0.2, 0.4]])


def test_filled_frames_are_no_keyframes():
    made = list_labels_of([ShapeTrack(3, "goat", (box(0), box(2)))], SIZE, 3, fill=True)
    assert {n: (one[0]["keyframe"], one[0].get("interpolated")) for n, one in made.documents.items()} == {
        1: (True, None),
        2: (False, True),
        3: (True, None),
    }
    assert (made.num_filled, made.num_labels) == (1, 3)


def test_shapes_of_several_types_do_not_share_a_field():
    about = {"track": {"field": "box", "kind": "Detections", "object": 0}}
    line = ShapeTrack(1, "a", (TrackedShape(0, "polyline", [[0, 0], [1, 1]]),))
    assert (list_kind_of(line), list_kind_of(ShapeTrack(1, "a", (box(0, notes=about),)))) == ("Polylines", "Detections")
    with pytest.raises(FormatError, match="Detections and Polylines"):
        list_labels_of([line, ShapeTrack(2, "a", (box(0),))], SIZE, 1, fill=True)


def test_ids_that_a_person_copied_are_used_once():
    noted = {"id": "0123456789abcdef01234567"}
    made = list_labels_of([ShapeTrack(3, "goat", (box(0, notes=noted), box(1, notes=noted)))], SIZE, 2, fill=True)
    ids = [str(labels[0]["_id"]) for labels in made.documents.values()]
    assert ids[0] == noted["id"]
    assert ids[1] != noted["id"]


def test_attributes_of_mixed_types_become_one_type():
    shapes = tuple(box(t, attributes={"a": value, "b": value}) for t, value in enumerate((1.5, 2)))
    made = list_labels_of([ShapeTrack(3, "goat", shapes)], SIZE, 2, fill=True)
    assert [labels[0]["a"] for labels in made.documents.values()] == [1.5, 2.0]
    assert made.attributes["a"] is float


def test_noted_kinds_that_do_not_fit_the_shapes_are_told():
    odd = ShapeTrack(
        1, "a", (TrackedShape(0, "points", [[1, 1]], notes={"track": {"kind": "Detections", "object": 0}}),)
    )
    with pytest.raises(FormatError, match="belongs into a field of Detections"):
        list_labels_of([odd], SIZE, 1, fill=True)
