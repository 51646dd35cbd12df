"""The ids of documents beside a dataset."""

from __future__ import annotations

from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.database.keys import Key

# label fields and run keys may be any identifier: letters of all planes of Unicode among them
NAMES = st.text("a0_. -\u00e9\uffff\U00020bb7", max_size=4)
KEYS = st.builds(Key, st.sampled_from(["a", "ab", "b"]), st.lists(NAMES, max_size=3).map(tuple))


@given(KEYS)
def test_a_key_comes_back_from_its_text(key: Key) -> None:
    assert Key.parse(str(key)) == key


def test_the_id_of_a_dataset_comes_back_as_text() -> None:
    dataset_id = ObjectId()
    assert Key.parse(str(Key(dataset_id, ("tracks",)))) == Key(str(dataset_id), ("tracks",))


def test_keys_are_built_from_the_outside_in() -> None:
    assert str(Key("d") / "tracks" / "s") == str(Key("d", ("tracks", "s"))) == "d/tracks/s"


@given(KEYS, KEYS)
def test_below_a_key_are_the_keys_that_begin_with_it_and_no_others(outer: Key, key: Key) -> None:
    condition = outer.below
    # as MongoDB compares strings
    text, low, high = (value.encode() for value in (str(key), condition["$gte"], condition["$lt"]))
    begins = key.dataset_id == outer.dataset_id and key.names[: len(outer.names)] == outer.names
    assert (low <= text < high) == (begins and key != outer)


@given(KEYS, NAMES)
def test_whatever_the_name_its_key_is_below(outer: Key, name: str) -> None:
    condition = outer.below
    assert condition["$gte"].encode() <= str(outer / name).encode() < condition["$lt"].encode()
