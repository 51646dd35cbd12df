"""What a sample remembers of how its labels were filled."""

from __future__ import annotations

from typing import Any

import bson
import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from propagation_labels import CLIP, box

from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.memory import (
    FilledStretch,
    Memory,
    ObjectMemory,
    copy_of,
    fingerprint,
    is_remembered,
    memory_document,
    memory_field_of,
    memory_from,
)

OPTIONS = PropagateOptions(field="box", output_field="out")
INSTANCE = fo.Instance().to_dict()


_STRETCHES = st.builds(
    lambda first, length, digest: FilledStretch(first, first + length, digest),
    st.integers(0, 30),
    st.integers(0, 20),
    st.sampled_from("ab"),
)


def _frames(stretches: list[FilledStretch]) -> list[int]:
    return [t for one in stretches for t in range(one.first, one.last + 1)]


@given(_STRETCHES, st.lists(_STRETCHES, max_size=4))
def test_what_is_left_of_a_stretch_is_what_no_other_covers(one: FilledStretch, others: list[FilledStretch]) -> None:
    expected = sorted(set(_frames([one])) - set(_frames(others)))
    for taken in (others, np.array(_frames(others), dtype=int)):
        left = one.without(taken)
        assert _frames(left) == expected
        assert {part.digest for part in left} <= {one.digest}


def test_only_frames_filled_from_the_same_keyframes_are_not_missing() -> None:
    memory = ObjectMemory((FilledStretch(0, 4, "a"), FilledStretch(8, 9, "b")))
    assert memory.missing(FilledStretch(0, 9, "a")) == [FilledStretch(5, 9, "a")]
    assert memory.missing(FilledStretch(0, 4, "a")) == []


def test_what_was_filled_is_added_in_order_of_time_and_what_is_forgotten_is_not_known() -> None:
    memory = ObjectMemory((FilledStretch(5, 9, "a"),), {"x": "1"})
    memory = memory.with_filled([FilledStretch(0, 3, "b")]).without(np.array([7]))
    assert memory.stretches == (FilledStretch(0, 3, "b"), FilledStretch(5, 6, "a"), FilledStretch(8, 9, "a"))
    assert memory.copies == {"x": "1"}


def test_it_comes_back_from_the_database_whatever_objects_are_called() -> None:
    memory: Memory = {
        "goat.$1 ä": ObjectMemory((FilledStretch(0, 3, "b"),), {"5f": "1"}, {"5f": "2", "60": "3"}),
        "": ObjectMemory(),
    }
    stored = bson.decode(bson.encode({"value": memory_document(memory)}))["value"]
    assert memory_from(stored) == memory
    assert memory_from(None) == memory_from({}) == {}


def test_the_field_is_called_after_the_output() -> None:
    assert memory_field_of("boxes") == "boxes_propagation"


# copies of prompts


@pytest.mark.parametrize(
    "change",
    [{"bounding_box": [0, 0, 1, 1]}, {"label": "dog"}, {"keyframe": False}, {"outside": True}, {"weather": "rain"}],
)
def test_whatever_a_person_changes_changes_the_fingerprint(change: dict[str, Any]) -> None:
    document = box(keyframe=True).to_dict()
    assert fingerprint({**document, **change}, 3) != fingerprint(document, 3)


def test_id_tags_and_order_do_not_and_the_frame_does() -> None:
    document = box(keyframe=True).to_dict()
    same = {**dict(reversed(document.items())), "_id": 1, "tags": ["x"]}
    assert fingerprint(same, 3) == fingerprint(document, 3)
    assert fingerprint(document, 4) != fingerprint(document, 3)


def test_what_fiftyone_adds_when_it_saves_says_nothing() -> None:
    document = box(keyframe=True).to_dict()
    more = {**document, "attributes": {}, "occluded": None, "points": []}
    assert fingerprint(more, 3) == fingerprint(document, 3)


def test_a_copy_is_a_keyframe_with_an_id_of_its_own_that_is_always_the_same() -> None:
    document = box(weather="rain", index=3).to_dict()
    one, again = (copy_of(document, INSTANCE, CLIP.sample_id, OPTIONS) for _ in range(2))
    assert one == again
    assert one["_id"] != document["_id"]
    expected = {**document, "_id": one["_id"], "keyframe": True, "instance": INSTANCE}
    assert one == expected
    assert copy_of(document, INSTANCE, "6" * 24, OPTIONS)["_id"] != one["_id"]


def test_a_prompts_own_instance_stays() -> None:
    own = fo.Instance()
    assert copy_of(box(instance=own).to_dict(), INSTANCE, CLIP.sample_id, OPTIONS)["instance"] == own.to_dict()


def test_a_copy_is_known_as_long_as_nobody_changed_it() -> None:
    document = box(keyframe=True).to_dict()
    known = {str(document["_id"]): fingerprint(document, 3)}
    assert is_remembered({"a": ObjectMemory((), {str(document["_id"]): "old"}, known)}, 3, document)
    memory = {"a": ObjectMemory(), "b": ObjectMemory((), known)}
    assert is_remembered(memory, 3, document)
    assert not is_remembered(memory, 3, {**document, "bounding_box": [0, 0, 1, 1]})
    assert not is_remembered(memory, 3, {**document, "keyframe": False})
    assert not is_remembered(memory, 3, box(keyframe=True).to_dict())
    assert not is_remembered({}, 3, document)
