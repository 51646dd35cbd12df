"""A sample's labels as tracks of shapes; all kinds of them come back in test_cvat."""

from __future__ import annotations

from collections import Counter
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

from point_tracking.store.labels.frame_labels import FieldValues
from point_tracking.store.tracks.videos import VideoShape
from point_tracking.tracker.errors import FieldError
from point_tracking.workflows.exchange.shapes.from_labels import shape_tracks_of

VIDEO = VideoShape((100, 50), 4)


def tracks_of(kind: type[fo.Label], labels: list[tuple[int, fo.Label]], left_out: Counter[str] | None = None):
    name = kind._LABEL_LIST_FIELD  # type: ignore[attr-defined]
    field = fo.EmbeddedDocumentField(kind)
    frames: list[tuple[int, Any]] = [(t, {"_cls": kind.__name__, name: [label.to_dict()]}) for t, label in labels]
    values = FieldValues(None, "box", "frames.box", field, frames)  # type: ignore[arg-type]
    return shape_tracks_of(values, None, VIDEO, Counter() if left_out is None else left_out)


def test_a_box_is_its_corners_in_pixels():
    (track,) = tracks_of(fo.Detections, [(1, fo.Detection(label="goat", bounding_box=[0.1, 0.2, 0.5, 0.5], index=4))])
    assert (track.label, track.notes) == ("goat", {"field": "box", "kind": "Detections", "object": 0, "index": 4})
    np.testing.assert_allclose(track.shapes[0].xy, [[10, 10], [60, 35]])
    assert [(s.frame_index, s.outside) for s in track.shapes] == [(1, False), (2, True)]


def test_a_closed_line_ends_where_it_began_and_a_filled_one_is_a_polygon():
    points = [[(0, 0), (0.5, 0), (0.5, 0.5)]]
    (closed,) = tracks_of(fo.Polylines, [(3, fo.Polyline(points=points, closed=True))])
    assert closed.label == "unlabelled"
    np.testing.assert_allclose(closed.shapes[0].xy, [[0, 0], [50, 0], [50, 25], [0, 0]])
    (filled,) = tracks_of(fo.Polylines, [(3, fo.Polyline(points=points, closed=True, filled=True))])
    assert (filled.shapes[0].kind, len(filled.shapes[0].xy)) == ("polygon", 3)


def test_each_part_of_a_label_is_a_track():
    lines = [[(0, 0), (0.5, 0)], [(0, 0.5), (0.5, 0.5)]]
    found = tracks_of(fo.Polylines, [(0, fo.Polyline(label="two", points=lines, index=1))])
    assert [track.notes["part"] for track in found] == [0, 1]
    assert {track.notes["object"] for track in found} == {0}


def test_labels_of_one_object_in_one_frame_stay_apart():
    box = {"label": "goat", "bounding_box": [0, 0, 1, 1], "index": 4}
    found = tracks_of(fo.Detections, [(0, fo.Detection(**box)), (0, fo.Detection(**box))])
    assert [track.notes["object"] for track in found] == [0, 1]


def test_labels_behind_the_end_are_refused():
    with pytest.raises(FieldError, match="frame 5, but the video has 4"):
        tracks_of(fo.Detections, [(4, fo.Detection(bounding_box=[0, 0, 1, 1]))])


def test_a_label_that_is_called_otherwise_in_one_frame_keeps_that():
    instance = fo.Instance()
    box = {"bounding_box": [0, 0, 1, 1], "instance": instance}
    (track,) = tracks_of(fo.Detections, [(0, fo.Detection(label="goat", **box)), (1, fo.Detection(label="kid", **box))])
    assert track.label == "goat"
    assert [shape.notes.get("label") for shape in track.shapes] == [None, "kid", None]
    assert track.notes["instance"] == instance.id
