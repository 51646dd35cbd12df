"""The frame documents of one label field: many at a time, repeatable, and beside other fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import fiftyone as fo
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.database.connection import STAGED, collection
from point_tracking.store.database.fields import declare
from point_tracking.store.database.frame_documents import (
    EVERY_FRAME,
    FramesFound,
    FrameStore,
    missing_numbers,
    ranges_of,
)
from point_tracking.tracker.errors import CollectionError, FieldError

LABEL: dict[str, Any] = {"_cls": "Keypoints", "keypoints": []}


def test_frame_numbers_as_ranges() -> None:
    assert ranges_of([]) == []
    assert ranges_of([1, 2, 3, 7, 9, 10]) == [[1, 3], [7, 7], [9, 10]]
    assert missing_numbers([1, 4], 5) == [2, 3, 5]


@given(st.sets(st.integers(1, 60)))
def test_ranges_hold_the_numbers_and_no_gap_lies_inside_them(numbers: set[int]) -> None:
    ranges = ranges_of(sorted(numbers))
    assert [n for low, high in ranges for n in range(low, high + 1)] == sorted(numbers)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


@given(st.sets(st.integers(1, 60)), st.integers(0, 40))
def test_what_is_found_and_what_is_missing_make_the_video(found: set[int], num_frames: int) -> None:
    missing = missing_numbers(sorted(found), num_frames)
    assert sorted({*missing, *(n for n in found if n <= num_frames)}) == list(range(1, num_frames + 1))
    assert not found & set(missing)


@pytest.fixture(scope="module")
def dataset() -> Iterator[fo.Dataset]:
    """With the field; each test has a sample of its own."""
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath="/absent.mp4"))
    declare(dataset, "tracks", occluded=False)
    yield dataset
    dataset.delete()


@pytest.fixture
def store(dataset: fo.Dataset) -> FrameStore:
    return FrameStore(dataset, "tracks")


@pytest.fixture
def sample_id(dataset: fo.Dataset) -> str:
    """Of a sample without frames."""
    return dataset.add_sample(fo.Sample(filepath="/absent.mp4"))


@pytest.mark.parametrize("method", ["write", "insert"])
def test_documents_may_be_stored_twice(store: FrameStore, sample_id: str, method: str) -> None:
    documents = {1: LABEL, 2: None, 4: LABEL}
    for _ in range(2):
        getattr(store, method)(sample_id, documents)
        assert store.find(sample_id) == FramesFound([1, 2, 4], [1, 4])


def test_inserting_goes_on_where_another_made_some_of_the_frames(store: FrameStore, sample_id: str) -> None:
    store.write(sample_id, {2: None})
    store.insert(sample_id, {1: LABEL, 2: LABEL, 3: LABEL})
    assert store.find(sample_id) == FramesFound([1, 2, 3], [1, 2, 3])
    store.insert(sample_id, {})


def test_frames_are_as_fiftyone_makes_them(dataset: fo.Dataset, store: FrameStore, sample_id: str) -> None:
    store.insert(sample_id, {1: LABEL})
    store.write(sample_id, {2: LABEL})
    sample = dataset[sample_id]
    sample.frames[3] = fo.Frame()
    sample.save()
    frames = list(dataset._frame_collection.find({"_sample_id": ObjectId(sample_id)}))
    keys = [{name for name, value in frame.items() if value is not None} - {"tracks"} for frame in frames]
    assert keys[0] == keys[1] == keys[2]


def test_staged_documents_replace_nothing_until_they_are_switched(store: FrameStore, sample_id: str) -> None:
    store.write(sample_id, {1: LABEL, 2: LABEL})
    store.stage(sample_id, {2: None, 3: LABEL})
    store.stage(sample_id, {3: LABEL})
    assert store.find(sample_id) == FramesFound([1, 2], [1, 2])
    for _ in range(2):
        store.switch(sample_id)
        assert store.find(sample_id) == FramesFound([1, 2, 3], [1, 3])
    store.drop_staged(sample_id)
    assert collection(STAGED).find({"_id": store.key(sample_id).below}) == []


def test_clearing_keeps_what_is_not_the_fields(dataset: fo.Dataset, store: FrameStore, sample_id: str) -> None:
    sample = dataset[sample_id]
    sample.frames[2]["weather"] = fo.Classification(label="rain")
    sample.save()
    store.write(sample_id, dict.fromkeys(range(1, 6), LABEL))
    store.clear(sample_id, [[4, 4]])
    assert store.find(sample_id) == FramesFound([2, 4], [])
    frame = dataset._frame_collection.find_one({"_sample_id": ObjectId(sample_id), "frame_number": 2})
    assert frame["weather"]["label"] == "rain"
    store.clear(sample_id, EVERY_FRAME)
    assert store.find(sample_id) == FramesFound([2, 4], [])


def test_marks_are_set_removed_and_refused_where_the_sample_is_gone(store: FrameStore, sample_id: str) -> None:
    assert store.mark(sample_id) is None
    assert store.set_mark(sample_id, {"state": "done"}, on_disk=True)
    assert store.mark(sample_id) == {"state": "done"}
    assert store.set_mark(sample_id, None)
    assert store.mark(sample_id) is None
    store._samples.delete_one({"_id": ObjectId(sample_id)})
    assert not store.set_mark(sample_id, {"state": "done"})
    assert (store.has_sample(sample_id), store.find(sample_id)) == (False, None)
    store.refresh(sample_id)  # there is nothing to bring up to date


def test_fields_and_datasets_that_were_deleted_are_told(make_dataset: Callable[..., fo.Dataset], clip: Path) -> None:
    dataset = make_dataset(clip)
    declare(dataset, "tracks", occluded=False)
    store = FrameStore(dataset, "tracks")
    store.check_declared()
    dataset.delete_sample_field("tracks_info")
    assert not store.is_declared()
    with pytest.raises(FieldError, match="'tracks_info' was deleted"):
        store.check_declared()
    dataset.delete_frame_field("tracks")
    with pytest.raises(FieldError, match="'tracks' was deleted"):
        store.check_declared()
    dataset.delete()
    with pytest.raises(CollectionError, match="was deleted while"):
        store.check_declared()


def test_the_objects_of_this_process_are_brought_up_to_date(
    dataset: fo.Dataset, store: FrameStore, sample_id: str
) -> None:
    sample = dataset[sample_id]
    assert len(sample.frames) == 0
    store.write(sample_id, {1: LABEL})
    store.set_mark(sample_id, {"_cls": "DynamicEmbeddedDocument", "state": "done"})
    store.refresh(sample_id)
    assert sample["tracks_info"].state == "done"
    assert sample.frames[1]["tracks"].keypoints == []
