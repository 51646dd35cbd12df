"""One frame's document with some of its tracks changed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from bson import encode
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.corrections.frame_edits import (
    Hidden,
    Placed,
    Removed,
    Style,
    edited_label,
    num_positions,
    style_of,
)
from point_tracking.store.tracks.keypoints import frame_documents
from point_tracking.store.tracks.track_names import names_of
from point_tracking.tracker.types import Tracks

SIZE = (100, 50)


def _label(layout: str = "points", num_points: int = 4, *, keep_hidden: bool = False) -> dict[str, Any]:
    xy = np.stack([np.arange(num_points) * 10.0, np.full(num_points, 20.0)], axis=1)[None]
    visible = np.ones((1, num_points), bool)
    visible[0, -1] = not keep_hidden
    tracks = Tracks(xy, visible, np.full((1, num_points), 0.5))
    names = names_of(["a", "a", "b", "b"], [5, 5, 6, 6]) if layout == "objects" else None
    return frame_documents(tracks, SIZE, layout=layout, keep_hidden=keep_hidden, names=names)[0]


def _style(label: dict[str, Any], layout: str = "points") -> Style:
    return style_of({1: label}, layout)


def test_a_placed_point_keeps_its_id_its_place_and_what_others_added() -> None:
    label = _label()
    label["keypoints"][1] |= {"tags": ["mine"], "interpolated": True}
    edited = edited_label(label, {2: Placed((0.5, 0.25), 1.0, corrected=True)}, _style(label))
    assert edited is not None
    changed = edited["keypoints"][1]
    assert changed["_id"] == label["keypoints"][1]["_id"]
    assert (changed["points"], changed["confidence"], changed["tags"]) == ([[0.5, 0.25]], [1.0], ["mine"])
    assert (changed["keyframe"], changed["corrected"]) == (True, True)
    assert "interpolated" not in changed
    assert [edited["keypoints"][k] for k in (0, 2, 3)] == [label["keypoints"][k] for k in (0, 2, 3)]
    again = edited_label(edited, {2: Placed((0.1, 0.1), 0.5)}, _style(label))
    assert again is not None
    assert "corrected" not in again["keypoints"][1]
    assert "keyframe" not in again["keypoints"][1]


def test_a_point_is_added_where_the_frame_holds_none_and_is_called_as_elsewhere() -> None:
    label = _label()
    label["keypoints"][2] |= {"label": "nose", "object": 7}
    style = _style(label)
    edited = edited_label(None, {3: Placed((0.5, 0.5), 0.9), 4: Hidden(), 1: Placed(None, 0.0, False)}, style)
    assert edited is not None
    (added,) = edited["keypoints"]
    assert (added["index"], added["label"], added["object"]) == (3, "nose", 7)
    assert edited_label(None, {1: Hidden()}, style) is None


def test_hidden_points_go_or_stay_as_occluded_as_the_sample_stores_them() -> None:
    label = _label()
    gone = edited_label(label, {1: Hidden(), 2: Removed(), 3: Placed((0.1, 0.2), 0.3, visible=False)}, _style(label))
    assert gone is not None
    assert [k["index"] for k in gone["keypoints"]] == [4]
    label = _label(keep_hidden=True)
    style = _style(label)
    assert style.keep_hidden
    kept = edited_label(label, {1: Hidden(), 2: Removed(), 3: Placed((0.1, 0.2), 0.3, visible=False)}, style)
    assert kept is not None
    assert [(k["index"], k["occluded"]) for k in kept["keypoints"]] == [(1, True), (3, True), (4, True)]
    assert kept["keypoints"][0]["points"] == label["keypoints"][0]["points"]
    assert kept["keypoints"][1]["points"] == [[0.1, 0.2]]


def test_in_the_layout_objects_corrected_is_a_list_with_one_value_per_point() -> None:
    label = _label("objects")
    style = _style(label, "objects")
    edited = edited_label(label, {2: Placed((0.5, 0.5), 1.0, corrected=True), 3: Hidden()}, style)
    assert edited is not None
    first, second = edited["keypoints"]
    assert (first["corrected"], first["keyframe"], first["label"], first["index"]) == ([False, True], True, "a", 5)
    assert first["points"][1] == [0.5, 0.5]
    assert "corrected" not in second
    assert math.isnan(second["points"][0][0])
    assert (second["confidence"][0], second["track_numbers"]) == (0.0, [3, 4])
    removed = edited_label(edited, {1: Removed(), 3: Removed(), 4: Removed()}, style)
    assert removed is not None
    (only,) = removed["keypoints"]
    assert only["track_numbers"] == [0, 2]
    assert only["corrected"] == [False, True]


def test_an_object_is_added_with_all_its_points_where_the_frame_holds_none() -> None:
    style = _style(_label("objects"), "objects")
    edited = edited_label(None, {3: Placed((0.5, 0.5), 0.9), 4: Placed((0.2, 0.2), 0.8)}, style)
    assert edited is not None
    (added,) = edited["keypoints"]
    assert (added["label"], added["index"], added["track_numbers"]) == ("b", 6, [3, 4])
    assert added["points"] == [[0.5, 0.5], [0.2, 0.2]]


def test_a_removed_track_of_an_object_can_be_placed_again() -> None:
    edited = edited_label(None, {9: Placed((0.5, 0.5), 1.0, corrected=True)}, Style("objects"))
    assert edited is not None
    (added,) = edited["keypoints"]
    assert (added["track_numbers"], added["corrected"], "index" in added) == ([9], [True], False)


def test_encoded_documents_are_edited_as_well() -> None:
    label = _label()
    edited = edited_label(RawBSONDocument(encode(label)), {1: Hidden()}, _style(label))
    assert edited is not None
    assert edited["keypoints"] == label["keypoints"][1:]


@given(st.dictionaries(st.integers(1, 4), st.sampled_from([Hidden(), Removed(), Placed((0.3, 0.4), 0.5)])))
def test_tracks_that_are_not_named_stay_as_they_are(changes: dict[int, Any]) -> None:
    label = _label()
    edited = edited_label(label, changes, _style(label))
    assert edited is not None
    others = [k for k in label["keypoints"] if k["index"] not in changes]
    assert [k for k in edited["keypoints"] if k["index"] not in changes] == others
    placed = sum(isinstance(change, Placed) for change in changes.values())
    assert num_positions(edited) == len(others) + placed


@pytest.mark.parametrize("label", [None, {}, {"keypoints": None}])
def test_what_holds_nothing_has_no_positions(label: Any) -> None:
    assert num_positions(label) == 0
