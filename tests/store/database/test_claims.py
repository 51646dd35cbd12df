"""Claims: one run at a time writes a sample, and what a dead one had begun is ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from bson import ObjectId
from run_states import leftovers
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database.claims import (
    CLAIMED,
    FILLING,
    SWITCHING,
    Busy,
    Claims,
    settle,
    settle_dead_owners,
)
from point_tracking.store.database.connection import CLAIMS, collection
from point_tracking.store.database.frame_documents import FramesFound, FrameStore
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner
from point_tracking.tracker.errors import ClaimError

MakeDataset = Callable[..., fo.Dataset]


SIZE = media.SIZE


def test_a_dead_owners_sample_is_taken_over_and_a_living_owners_is_not(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    sample_id = dataset.first().id
    store = FrameStore(dataset, "tracks")
    with Owner(dataset, "one") as one, Owner(dataset, "two") as two:
        first, second = Claims(store, one), Claims(store, two)
        assert first.take(sample_id) is None
        assert first.take(sample_id) is None
        busy = second.take(sample_id)
        assert busy is not None
        assert (busy.owner_id, str(busy)) == (one.id, "the run 'one'")
        assert Claims(FrameStore(dataset, "other"), two).take(sample_id) is None
        with pytest.raises(ClaimError, match="written by the run 'one'"):
            pt.write_tracks(dataset.first(), "tracks", random_tracks(np.random.default_rng(0), 12, 2, SIZE))
        database.collection(database.OWNERS).update_one({"_id": one.id}, {"$set": {"pid": 2**22 + 1}})
        assert second.take(sample_id) is None
        with pytest.raises(ClaimError, match="took this sample over"):
            first.check(sample_id)
        first.release(sample_id)
        assert second.holder(sample_id) == two.id
        second.release_all()
        Claims(FrameStore(dataset, "other"), two).release_all()
    assert not leftovers(dataset)


class Believed:
    """A watch that believes what it is told of each owner."""

    def __init__(self, **dead: bool | None) -> None:
        self.dead = dead

    def is_dead(self, owner_id: str) -> bool | None:
        return self.dead[owner_id]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    path = media.video(tmp_path_factory.mktemp("clips") / "clip.mp4", 12)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    yield dataset
    dataset.delete()


@pytest.fixture
def written(dataset: fo.Dataset) -> fo.Dataset:
    """A dataset whose only sample holds tracks."""
    path = dataset.first().filepath
    dataset.clear()
    dataset.add_sample(fo.Sample(filepath=path))
    pt.write_tracks(dataset.first(), "tracks", random_tracks(np.random.default_rng(0), 12, 2, SIZE))
    return dataset


def _owner(dataset: fo.Dataset, owner_id: str) -> Owner:
    return Owner(dataset, None, beating=False, owner_id=owner_id)


def test_a_sample_is_taken_from_the_dead_alone(written: fo.Dataset) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    watch = Believed(a=None)
    first, second = Claims(store, _owner(written, "a")), Claims(store, _owner(written, "b"), watch)
    assert first.take(sample_id) is None
    for dead in (None, False):  # not known is not dead
        watch.dead["a"] = dead
        busy = second.take(sample_id)
        assert busy == Busy("a", None)
        assert str(busy) == "another process"
    watch.dead["a"] = True
    assert second.take(sample_id) is None
    for call in (lambda: first.advance(sample_id, SWITCHING), lambda: first.check(sample_id)):
        with pytest.raises(ClaimError):
            call()
    second.check(sample_id)
    second.release(sample_id)
    assert second.holder(sample_id) is None


@pytest.mark.parametrize("marked", [False, True])
def test_what_was_being_filled_is_taken_back_unless_it_was_finished(written: fo.Dataset, marked: bool) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    mark = store.mark(sample_id)
    assert mark is not None
    store.set_mark(sample_id, {**mark, "state": "done" if marked else "writing"})
    settle(store, {"sample_id": sample_id, "phase": FILLING, "frames_before": [[1, 3]]})
    store.refresh(sample_id)
    found = store.find(sample_id)
    assert found is not None
    assert found.numbers == (list(range(1, 13)) if marked else [1, 2, 3]), "frames that were there before stay"
    assert bool(found.holding) == marked
    assert (store.mark(sample_id) is not None) == marked


def test_a_switch_that_had_begun_is_completed_however_often_it_is_settled(written: fo.Dataset) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    store.stage(sample_id, {1: {"_cls": "Keypoints", "keypoints": []}, 2: None})
    claim = {"sample_id": sample_id, "phase": SWITCHING, "mark": {"state": "done", "run_key": "new"}}
    for _ in range(2):
        settle(store, claim)
        found = store.find(sample_id)
        assert found is not None
        assert 1 in found.holding
        assert 2 not in found.holding
        assert store.mark(sample_id) == {"state": "done", "run_key": "new"}
    assert not leftovers(written)


def test_what_was_only_claimed_is_left_as_it_is_and_what_was_staged_goes(written: fo.Dataset) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    before = store.find(sample_id)
    store.stage(sample_id, {1: None})
    settle(store, {"sample_id": sample_id, "phase": CLAIMED})
    assert store.find(sample_id) == before
    assert not leftovers(written)


@pytest.mark.parametrize("phase", [FILLING, SWITCHING])
def test_labels_of_a_field_that_was_deleted_are_cleared(written: fo.Dataset, phase: str) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    written.delete_frame_field("tracks")
    store.write(sample_id, {1: {"_cls": "Keypoints", "keypoints": []}})
    settle(store, {"sample_id": sample_id, "phase": phase, "frames_before": [], "mark": {"state": "done"}})
    assert store.find(sample_id) == FramesFound([], [])
    assert store.mark(sample_id) is None


def test_frames_of_a_sample_that_is_gone_go(written: fo.Dataset) -> None:
    sample_id, store = written.first().id, FrameStore(written, "tracks")
    written.add_sample(fo.Sample(filepath=written.first().filepath))
    store._samples.delete_one({"_id": ObjectId(sample_id)})
    settle(store, {"sample_id": sample_id, "phase": CLAIMED})
    assert written._frame_collection.count_documents({}) == 0


def test_an_owner_lets_all_of_its_field_go_and_nothing_else(written: fo.Dataset) -> None:
    written.add_sample(fo.Sample(filepath=written.first().filepath))
    ids, owner = written.values("id"), _owner(written, "a")
    tracks, other = (Claims(FrameStore(written, name), owner) for name in ("tracks", "other"))
    for sample_id in ids:
        assert (tracks.take(sample_id), other.take(sample_id)) == (None, None)
    tracks.advance(ids[1], FILLING, frames_before=[])
    tracks.release_all()
    assert [tracks.holder(sample_id) for sample_id in ids] == [None, None]
    assert [other.holder(sample_id) for sample_id in ids] == ["a", "a"]
    other.release_all()


def test_dead_owners_are_settled_whatever_the_field_and_the_living_are_left_alone(written: fo.Dataset) -> None:
    sample_id = written.first().id
    with _owner(written, "dead") as dead, _owner(written, "alive") as alive, _owner(written, "me") as me:
        # MongoDB's order of strings: the letter lies beyond the first plane of Unicode
        for name, owner in (("tracks", dead), ("\U00020bb7", dead), ("other", alive)):
            assert Claims(FrameStore(written, name), owner).take(sample_id) is None
        collection(CLAIMS).insert_one({"_id": str(Key(written._doc.id, ("", "runs"))), "owner": "dead"})
        found = settle_dead_owners(written, me, Believed(dead=True, alive=None))
        assert [document["_id"] for document in found] == ["dead"]
        (left,) = collection(CLAIMS).find({"_id": Key(written._doc.id).below})
        assert (left["owner"], Key.parse(left["_id"]).names) == ("alive", ("other", sample_id))
        Claims(FrameStore(written, "other"), alive).release_all()
