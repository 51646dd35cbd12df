"""Dying in the middle of a write, at every single step of it, and what the next run makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database import frame_documents as frame_store
from point_tracking.store.database import liveness as owners
from point_tracking.store.database.claims import Claims
from point_tracking.store.database.frame_documents import FrameStore, missing_numbers, ranges_of
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner, Watch, process_start
from point_tracking.store.tracks import writer
from point_tracking.store.tracks.sample_status import SampleMark
from point_tracking.store.tracks.videos import VideoShape
from point_tracking.tracker.errors import ClaimError, FieldError, WriteError
from point_tracking.workflows.lifecycle.recovery import recover

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE
SHAPE = VideoShape(SIZE, 12)
OURS = (database.OWNERS, database.CLAIMS, database.STAGED, database.OUTCOMES)


class _Killed(BaseException):
    """Stands for the end of the process: nothing after it reaches the database."""


class _Mortal:
    """Lets a number of database calls through, and none after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls_left: int | None = None
        self.calls = 0
        monkeypatch.setattr(database, "with_retries", self._counting(database.with_retries))
        real_insert = FrameStore.insert

        def insert(*arguments: Any) -> None:
            self._count()
            real_insert(*arguments)

        monkeypatch.setattr(FrameStore, "insert", insert)

    def _count(self) -> None:
        if self.calls_left is not None:
            if self.calls >= self.calls_left:
                raise _Killed
            self.calls += 1

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(action: Callable[[], Any], **options: Any) -> Any:
            self._count()
            return real(action, **options)

        return call


def plain(value: Any) -> Any:
    """A document without ids and time stamps."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items() if k not in ("_id", "created_at", "last_modified_at")}
    return [plain(v) for v in value] if isinstance(value, list) else value


def state_of(dataset: fo.Dataset) -> tuple[list[Any], list[Any]]:
    """Everything of a dataset that a run may change, without ids and time stamps."""
    frames = dataset._frame_collection.find().sort([("_sample_id", 1), ("frame_number", 1)])
    samples = [plain(d) for d in dataset._sample_collection.find().sort("_id", 1)]
    for sample in samples:
        for key in ("_rand", "_dataset_id", "tags", "_media_type"):
            sample.pop(key)
        (sample.get("tracks_info") or {}).pop("written_at", None)
    return [plain(d) for d in frames], samples


def leftovers(dataset: fo.Dataset) -> list[Any]:
    """What is left of work on a dataset beside it."""
    key = {"_id": Key(dataset._doc.id).below}
    found = [d["_id"] for name in OURS[1:] for d in database.collection(name).find(key)]
    return found + list(database.collection(database.OWNERS).find({"dataset_id": dataset._doc.id}))


def _die_while_writing(dataset: fo.Dataset, tracks: pt.Tracks, mortal: _Mortal, calls: int) -> bool:
    """Writes until the given number of database calls; returns whether that was the whole work."""
    mortal.calls, mortal.calls_left = 0, calls
    owner = Owner(dataset, "some_run", beating=False)
    owner.__enter__()
    sample_id = dataset.first().id
    claims = Claims(FrameStore(dataset, "tracks"), owner)
    mark = SampleMark("writing", "points", tracks.num_points, 12, tracker="t", run_key="some_run")
    try:
        assert claims.take(sample_id) is None
        writer.store_tracks(
            dataset, sample_id, "tracks", tracks, SHAPE, frame_numbers=None, keep_hidden=False, mark=mark, claims=claims
        )
        claims.release(sample_id)
    except _Killed:
        return False
    finally:
        mortal.calls_left = None
        # what the number of a process that is gone looks like
        database.collection(database.OWNERS).update_one({"_id": owner.id}, {"$set": {"pid": 2**22 + 1}})
    return True


@pytest.mark.parametrize("old", [False, True], ids=["new", "replacing"])
def test_dying_at_any_step_leaves_the_old_or_the_new_state(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    first = random_tracks(np.random.default_rng(1), 12, 6, SIZE)
    second = random_tracks(np.random.default_rng(2), 9, 5, SIZE)
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample.frames[4]["weather"] = fo.Classification(label="rain")
    sample.frames[5] = fo.Frame()
    sample.save()
    pt.write_tracks(sample, "tracks", second)  # declares the fields
    sample_id = sample.id
    del sample
    monkeypatch.setattr(writer, "_POINTS_PER_WRITE", 20)
    mortal = _Mortal(monkeypatch)

    def reset() -> None:
        dataset._frame_collection.delete_many({"frame_number": {"$nin": [4, 5]}})
        dataset._frame_collection.update_many({}, {"$unset": {"tracks": ""}})
        dataset._sample_collection.update_many({}, {"$unset": {"tracks_info": ""}})
        if old:
            pt.write_tracks(dataset[sample_id], "tracks", first)

    reset()
    before = state_of(dataset)
    assert _die_while_writing(dataset, second, mortal, 10_000)
    recover(dataset)
    after = state_of(dataset)
    assert before != after
    seen = set()
    for calls in range(2, 100):
        reset()
        whole = _die_while_writing(dataset, second, mortal, calls)
        recover(dataset)
        state = state_of(dataset)
        assert state in (before, after), calls
        assert not leftovers(dataset), calls
        seen.add(state == after)
        if whole:
            break
    assert calls > 8
    assert whole
    assert seen == {False, True}


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


def test_an_owner_on_another_machine_is_dead_once_its_counter_stands_still(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    monkeypatch.setattr(owners, "BEAT_S", 0.0)
    collection = database.collection(database.OWNERS)
    with Owner(dataset, "far", beating=False) as owner:
        collection.update_one({"_id": owner.id}, {"$set": {"host": "elsewhere"}})
        watch = Watch()
        assert [watch.is_dead(owner.id) for _ in range(owners.LOOKS)] == [None] * owners.LOOKS
        collection.update_one({"_id": owner.id}, {"$inc": {"beat": 1}})
        assert watch.is_dead(owner.id) is False
        assert [watch.is_dead(owner.id) for _ in range(owners.LOOKS)] == [None] * (owners.LOOKS - 1) + [True]
    assert Watch().is_dead(owner.id)
    assert process_start(1) is not None
    assert process_start(2**22 + 1) is None


def test_a_field_deleted_while_it_is_written_leaves_readable_samples(
    make_dataset: MakeDataset, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(clip)
    tracks = random_tracks(np.random.default_rng(0), 12, 4, SIZE)
    real = FrameStore.insert

    def delete_in_the_middle(store: FrameStore, sample_id: str, documents: dict) -> None:
        if dataset.has_frame_field("tracks"):
            dataset.delete_frame_field("tracks")
        real(store, sample_id, documents)

    monkeypatch.setattr(FrameStore, "insert", delete_in_the_middle)
    with pytest.raises(FieldError, match="'tracks' was deleted"):
        pt.write_tracks(dataset.first(), "tracks", tracks)
    dataset.reload()
    assert dataset._frame_collection.count_documents({}) == 0
    assert dataset.view().first()["tracks_info"] is None


def test_a_sample_deleted_while_it_is_written_leaves_no_frames(
    make_dataset: MakeDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(*[media.video(tmp_path / f"{k}.mp4", 4) for k in range(2)])
    real = FrameStore.insert

    def delete_in_the_middle(store: FrameStore, sample_id: str, documents: dict) -> None:
        real(store, sample_id, documents)
        store._samples.delete_one({"_id": frame_store.ObjectId(sample_id)})

    monkeypatch.setattr(FrameStore, "insert", delete_in_the_middle)
    with pytest.raises(WriteError, match="deleted while"):
        pt.write_tracks(dataset.first(), "tracks", random_tracks(np.random.default_rng(0), 4, 4, SIZE))
    assert dataset._frame_collection.count_documents({}) == 0
    assert not leftovers(dataset)


def test_what_dead_runs_left_of_deleted_data_sets_goes(make_dataset: MakeDataset, clip: Path) -> None:
    gone, dataset = make_dataset(clip), make_dataset(clip)
    owner = Owner(gone, "dead", beating=False)
    owner.__enter__()
    Claims(FrameStore(gone, "tracks"), owner).take(gone.first().id)
    database.collection(database.OWNERS).update_one({"_id": owner.id}, {"$set": {"pid": 2**22 + 1}})
    left = leftovers(gone)
    assert len(left) == 2
    gone_id = gone._doc.id
    gone.delete()
    recover(dataset)
    key = {"_id": Key(gone_id).below}
    assert database.collection(database.CLAIMS).plain.count_documents(key) == 0
    assert database.collection(database.OWNERS).plain.count_documents({"dataset_id": gone_id}) == 0


def test_frame_numbers_as_ranges() -> None:
    assert ranges_of([]) == []
    assert ranges_of([1, 2, 3, 7, 9, 10]) == [[1, 3], [7, 7], [9, 10]]
    assert missing_numbers([1, 4], 5) == [2, 3, 5]
