"""What a sample remembers of how its labels were filled."""

from __future__ import annotations

import bson
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.workflows.propagation.memory import (
    FilledStretch,
    Memory,
    ObjectMemory,
    memory_document,
    memory_field_of,
    memory_from,
)

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
