"""Point tracks as tracks of single points."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from point_tracking.store.tracks.sample_status import SampleMark
from point_tracking.workflows.exchange.shapes.from_points import layout_of, point_shape_tracks

NAN = float("nan")
SIZE = (100, 50)


def keypoint(*points: tuple[float, float], **more: Any) -> dict[str, Any]:
    return {
        "_cls": "Keypoint",
        "label": "point",
        "points": [list(p) for p in points],
        "confidence": [0.5] * len(points),
        **more,
    }


def made(labels, layout: str, num_frames: int = 4, mark: SampleMark | None = None):
    left_out: Counter[str] = Counter()
    return point_shape_tracks(labels, mark, "tracks", layout, SIZE, num_frames, left_out), left_out


def test_layouts_are_told():
    single = [(0, keypoint((0, 0), index=1))]
    assert layout_of(single, None) == "points"
    assert layout_of([(0, keypoint((0, 0)))], None) is None
    assert layout_of([(0, keypoint((0, 0), (1, 1), index=1))], None) is None
    assert layout_of([(0, keypoint((0, 0), track_numbers=[1]))], None) == "objects"
    assert layout_of([], None) is None
    assert layout_of([], SampleMark("done", "frame", 1, 1)) == "frame"


def test_a_point_is_outside_where_it_has_no_label():
    labels = [(0, keypoint((0.5, 0.5), index=2, object=7)), (2, keypoint((0.1, 0.2), index=2, occluded=True))]
    (track,), left_out = made(labels, "points", mark=SampleMark("done", "points", 5, 4))
    assert track.notes == {
        "field": "tracks",
        "kind": "tracks",
        "layout": "points",
        "points": 5,
        "index": 2,
        "object": 7,
    }
    assert [(s.frame_index, s.outside, s.occluded) for s in track.shapes] == [
        (0, False, False),
        (1, True, False),
        (2, False, True),
        (3, True, False),
    ]
    np.testing.assert_allclose(track.shapes[2].xy, [[10, 10]])
    assert track.shapes[2].notes == {"said": ["occluded"], "confidence": 0.5}
    assert not left_out


def test_points_of_objects_are_tracks_of_their_own_even_those_never_seen():
    labels = [(t, keypoint((0.5, 0.5), (NAN, NAN), (0.1, 0.1), track_numbers=[3, 1, 0], index=9)) for t in range(4)]
    (never, seen), _ = made(labels, "objects")
    assert [s.outside for s in never.shapes] == [True]
    assert (never.notes["index"], never.notes["of"]) == (1, [0, 1, 3])
    assert (seen.notes["index"], seen.notes["of"], seen.notes["object"]) == (3, [0, 0, 3], 9)
    assert len(seen.shapes) == 4


def test_what_cannot_be_told_is_counted():
    labels = [(0, keypoint((NAN, 0), index=1)), (1, keypoint((0, 0), index=1)), (1, keypoint((1, 1), index=1))]
    (track,), left_out = made(labels, "points")
    assert [s.frame_index for s in track.shapes if not s.outside] == [1]
    assert left_out == {"points without a position": 1, "second keypoints of a track in one frame": 1}
