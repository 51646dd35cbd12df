"""Dying in the middle of a write, at every single step of it, and what the next run makes of it."""

from __future__ import annotations

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from killable import lines_until
from mortal import GONE_PID, Mortal
from run_states import leftovers, state_of, undisturbed, without_ids
from trackers import DriftTracker, random_tracks

import point_tracking as pt
from point_tracking.store.database import connection as database
from point_tracking.store.database.claims import Claims
from point_tracking.store.database.frame_documents import FrameStore
from point_tracking.store.database.keys import Key
from point_tracking.store.database.liveness import Owner
from point_tracking.store.tracks import writer
from point_tracking.store.tracks.sample_status import SampleMark
from point_tracking.store.tracks.videos import VideoShape
from point_tracking.workflows.lifecycle.kinds import load_report
from point_tracking.workflows.lifecycle.recovery import recover

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE
SHAPE = VideoShape(SIZE, 12)


def _die_while_writing(dataset: fo.Dataset, tracks: pt.Tracks, mortal: Mortal, calls: int) -> bool:
    """Writes until the given number of database calls; returns whether that was the whole work."""
    owner = Owner(dataset, "some_run", beating=False)
    owner.__enter__()
    sample_id = dataset.first().id
    claims = Claims(FrameStore(dataset, "tracks"), owner)
    mark = SampleMark("writing", "points", tracks.num_points, 12, tracker="t", run_key="some_run")

    def write() -> None:
        assert claims.take(sample_id) is None
        writer.store_tracks(
            dataset, sample_id, "tracks", tracks, SHAPE, frame_numbers=None, keep_hidden=False, mark=mark, claims=claims
        )
        claims.release(sample_id)

    return not mortal.dies(write, calls)


NUM_CLIPS = 8  # of the fixture `clips`


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
    mortal = Mortal(monkeypatch)
    real_insert = FrameStore.insert

    def insert(*arguments: Any) -> None:
        mortal.count()
        real_insert(*arguments)

    monkeypatch.setattr(FrameStore, "insert", insert)

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


def test_what_dead_runs_left_of_deleted_data_sets_goes(make_dataset: MakeDataset, clip: Path) -> None:
    gone, dataset = make_dataset(clip), make_dataset(clip)
    owner = Owner(gone, "dead", beating=False)
    owner.__enter__()
    Claims(FrameStore(gone, "tracks"), owner).take(gone.first().id)
    database.collection(database.OWNERS).update_one({"_id": owner.id}, {"$set": {"pid": GONE_PID}})
    left = leftovers(gone)
    assert len(left) == 2
    gone_id = gone._doc.id
    gone.delete()
    recover(dataset)
    key = {"_id": Key(gone_id).below}
    assert database.collection(database.CLAIMS).plain.count_documents(key) == 0
    assert database.collection(database.OWNERS).plain.count_documents({"dataset_id": gone_id}) == 0


def test_killed_five_times_and_continued_it_ends_like_an_undisturbed_run(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    expected = undisturbed(clips, make_dataset, grid_size=3)
    dataset = make_dataset(*clips)
    rng = random.Random(5)
    killed = []
    for attempt in range(5):
        process = start(dataset, pause_s=0.02, options={"grid_size": 3, "skip_existing": True})
        # from its first moment to about one sample further
        time.sleep(rng.uniform(0.02, 0.45))
        process.kill()
        process.wait()
        dataset.reload()
        done = dataset.values("tracks_info.state").count("done") if dataset.has_sample_field("tracks_info") else 0
        killed.append(done)
        del attempt
    report = pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, skip_existing=True)
    assert report.failures == []
    assert report.num_samples + report.num_skipped == NUM_CLIPS
    assert killed == sorted(killed)
    assert without_ids(state_of(dataset)) == expected
    assert not leftovers(dataset)
    reports: list[Any] = [load_report(dataset, key) for key in dataset.list_runs()]
    assert sum(r.num_samples for r in reports) == NUM_CLIPS
    assert all(r.interrupted for r in reports[:-1])
    by_run = dataset.count_values("tracks_info.run_key")
    assert by_run == {r.run_key: r.num_samples for r in reports if r.num_samples}


def test_old_tracks_outlive_a_run_that_was_killed_while_replacing_them(
    make_dataset: MakeDataset, clips: list[Path], start: Callable[..., subprocess.Popen]
) -> None:
    expected = undisturbed(clips, make_dataset, grid_size=3)
    dataset = make_dataset(*clips)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=2, progress=False)
    process = start(dataset, pause_s=0.02, options={"grid_size": 3, "overwrite": True})
    lines_until(process, 3)
    process.kill()
    process.wait()
    recover(dataset)
    # every sample has all of its old tracks or all of its new ones, before any is tracked again
    for sample in dataset.view():
        tracks = pt.read_tracks(sample, "tracks")
        assert tracks.num_points in (4, 9)
        assert tracks.visible[0].all()
    found: Any = load_report(dataset, "track_tracks_2")
    assert found.interrupted
    assert found.num_samples >= 3
    assert found.num_not_run == NUM_CLIPS - found.num_samples
    assert "interrupted" in str(found)
    pt.track_dataset(dataset, tracker=DriftTracker(), grid_size=3, overwrite=True, progress=False)
    assert without_ids(state_of(dataset)) == expected
    assert not leftovers(dataset)
