"""The field that is made for a task."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.formats.annotation.tracked_shapes import ShapeTrack, TrackedShape
from point_tracking.workflows.exchange.cvat_tasks.task_fields import copied_labels, keyframes_of, list_kind

SIZE = (100, 50)


def line(t: int, number: int, **more) -> TrackedShape:
    return TrackedShape(t, "polyline", [[10 + k, 10 + t] for k in range(number)], **more)


def test_where_the_number_of_vertices_changes_stand_keyframes():
    track = ShapeTrack(1, "a", tuple(line(t, 3 if t < 4 else 4) for t in range(8)))
    assert keyframes_of(track, [], 1.0) == {0, 3, 4, 7}
    back = ShapeTrack(1, "a", tuple(line(t, 4 if 3 <= t < 5 else 3) for t in range(8)))
    assert keyframes_of(back, [], 1.0) == {0, 2, 3, 4, 5, 7}


def test_keyframes_that_were_drawn_and_queries_stay():
    drawn = {2: {"said": ["keyframe"]}}
    track = ShapeTrack(1, "a", tuple(line(t, 2, notes=drawn.get(t, {})) for t in range(5, 9)))
    assert keyframes_of(track, [7, 99], 1.0) == {5, 7, 8}
    shapes = tuple(line(t, 2, notes={"said": ["keyframe"]} if t == 6 else {}) for t in range(5, 9))
    assert keyframes_of(ShapeTrack(1, "a", shapes), [0], 1.0) == {5, 6, 8}


def test_a_track_that_is_nowhere_has_no_keyframes():
    assert keyframes_of(ShapeTrack(1, "a", (line(0, 1, outside=True),)), [0], 1.0) == set()


def test_the_copy_holds_all_frames_and_says_which_are_keyframes():
    shapes = (line(0, 2, notes={"id": "f" * 24, "track": {"part": 1}}), line(1, 2), line(2, 2, outside=True))
    labels = copied_labels([ShapeTrack(7, "edge", shapes)], [{0}], SIZE)
    assert sorted(labels) == [1, 2]
    first, second = labels[1][0], labels[2][0]
    assert [first[key] for key in ("label", "index", "pt_track", "keyframe", "source_id", "source_part")] == [
        "edge",
        7,
        7,
        True,
        "f" * 24,
        1,
    ]
    assert (second["keyframe"], "source_id" in second) == (False, False)
    np.testing.assert_allclose(first["points"], [[[0.1, 0.2], [0.11, 0.2]]])


def test_polygons_are_sent_as_lines_that_close():
    polygon = ShapeTrack(1, "a", (TrackedShape(0, "polygon", [[0, 0], [10, 0], [10, 10]]),))
    assert list_kind([polygon]).__name__ == "Polylines"
    (label,) = copied_labels([polygon], [{0}], SIZE)[1]
    assert (len(label["points"][0]), label["closed"], label["filled"]) == (4, False, False)
