"""What a file has no place for, and how it is noted for the way back."""

from __future__ import annotations

import math
from collections import Counter

import fiftyone as fo
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.formats.annotation.tracked_shapes import TrackedShape
from point_tracking.workflows.exchange.shapes import notes


def point(t: int, **more) -> TrackedShape:
    return TrackedShape(t, "points", [[1, 2]], **more)


def test_attributes_are_what_is_no_labels_own():
    left_out: Counter[str] = Counter()
    document = {"label": "a", "index": 1, "speed": 1.5, "ok": True, "none": None, "path": [1], "attributes": {"x": 1}}
    assert notes.attributes_of(document, left_out) == {"speed": 1.5, "ok": True}
    assert left_out == {"attribute 'path' (list)": 1, "`attributes` of labels": 1}
    assert notes.attributes_of({"corrected": [True, False]}, left_out, 1) == {"corrected": False}
    assert notes.attributes_of({"speed": math.nan}, Counter()) == {}


@given(frames=st.sets(st.integers(0, 20)), num_frames=st.integers(1, 21))
def test_a_mark_stands_behind_each_stretch_and_nowhere_else(frames: set[int], num_frames: int):
    shown = sorted(t for t in frames if t < num_frames)
    ended = notes.with_ends([point(t) for t in shown], num_frames)
    assert [s.frame_index for s in ended if not s.outside] == shown
    gone = [s.frame_index for s in ended if s.outside]
    assert gone == [t + 1 for t in shown if t + 1 not in shown and t + 1 < num_frames]


def test_numbers_are_indices_where_they_are_free():
    made = [notes.made_track("a", [point(0)], about) for about in ({"index": 3}, {}, {"index": 3}, {"index": 0})]
    assert [track.number for track in notes.numbered(made)] == [3, 4, 5, 0]
    assert notes.numbered(made)[0].notes == {"index": 3}


@given(value=st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.lists(st.integers()))
def test_noted_values_are_checked(value):
    number = notes.whole(value)
    assert number is None or (number == value and 0 <= number < 10**7)
    assert notes.is_object_id("0123456789abcdef01234567")
    assert not notes.is_object_id(value)


@pytest.mark.parametrize("name", ["_id", "label", "bounding_box", "to_dict", "a b", "a.b", "$a", "point_tracking"])
def test_attributes_do_not_hide_what_labels_have_by_themselves(name: str):
    assert not notes.is_attribute_name(name, fo.Detection)
    assert notes.is_attribute_name("speed", fo.Detection)


def test_flags_say_what_is_said():
    assert notes.flags_of({}) == {"keyframe": True, "occluded": False}
    assert notes.flags_of({"keyframe": False, "occluded": True}) == {"keyframe": False, "occluded": True}
    assert notes.said_of(point(0, notes={"said": ["keyframe", 1, "other"]})) == ["keyframe"]
    assert list(notes.said_of(point(0, notes={"said": "keyframe"}))) == []
