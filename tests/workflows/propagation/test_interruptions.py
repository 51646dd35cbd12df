"""Propagations that are killed, ended, or lose their database: nothing that a person drew is lost."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bson
import fiftyone as fo
import moving_object
import pytest
from killable import lines_until, start_run
from mortal import Mortal
from moving_object import NUM_FRAMES, bounding_box, box
from own_server import OwnServer
from run_states import leftovers
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.store.database import label_lists
from point_tracking.workflows.lifecycle.recovery import recover

MakeLabelled = Callable[..., fo.Dataset]
NUM_SAMPLES = 4
SCRIPT = Path(__file__).parent / "propagations_to_kill.py"
OTHER = {"label": "other", "keyframe": None, "index": None}
SLOWLY = {"pause_s": 0.02, "batch": 3}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """A function that starts a propagation in a process of its own."""
    with start_run(tmp_path, SCRIPT) as begin:
        yield begin


@pytest.fixture
def dataset(labelled: MakeLabelled) -> fo.Dataset:
    """Each sample has an object with an index, one with a name alone, and one label that the App derived."""
    labels = {
        1: [box(0), box(0, **OTHER)],
        9: [box(8, label="derived", index=5, keyframe=False)],
        12: [box(11, note="drawn by hand"), box(11, **OTHER)],
    }
    made = labelled(*(labels for _ in range(NUM_SAMPLES)))
    made.persistent = True
    return made


def _drawn(dataset: fo.Dataset, field: str = "box") -> dict[Any, bytes]:
    """All that is no derived label, byte for byte, but for the instance that a prompt without a name may get."""
    found = {}
    for frame in dataset._frame_collection.find():
        for label in (frame.get(field) or {}).get("detections", []):
            if label.get("keyframe") is not False:
                bare = {key: value for key, value in label.items() if key != "instance"}
                found[frame["_sample_id"], frame["frame_number"], label["_id"]] = bson.encode(bare)
    return found


def _places(dataset: fo.Dataset, field: str) -> dict[Any, Any]:
    """What stands where, without what differs from run to run."""
    return {
        (frame["_sample_id"], frame["frame_number"]): sorted(
            (one["label"], str(one.get("keyframe")), [round(value, 6) for value in one["bounding_box"]])
            for one in (frame.get(field) or {}).get("detections", [])
        )
        for frame in dataset._frame_collection.find()
    }


def _restore(dataset: fo.Dataset, state: tuple[list[Any], list[Any]]) -> None:
    """Brings all documents of a dataset back."""
    for collection, documents in zip((dataset._sample_collection, dataset._frame_collection), state, strict=True):
        collection.delete_many({})
        collection.insert_many(documents)
    dataset.reload()
    fo.Sample._reload_docs(dataset._sample_collection_name)
    fo.Frame._reload_docs(dataset._frame_collection_name)


def _state(dataset: fo.Dataset) -> tuple[list[Any], list[Any]]:
    return list(dataset._sample_collection.find()), list(dataset._frame_collection.find())


@pytest.mark.parametrize("target", ["box", "all"])
@pytest.mark.parametrize("corrected", [False, True], ids=["first run", "after corrections"])
def test_dying_at_any_step_loses_nothing_and_the_next_run_finishes(
    labelled: MakeLabelled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, corrected: bool
) -> None:
    path = moving_object.clip(tmp_path / "short.mp4", 8)
    labels = {1: [box(0), box(0, **OTHER)], 3: box(2, label="derived", index=5, keyframe=False), 6: box(5)}
    dataset = labelled(labels, path=path)
    monkeypatch.setattr(label_lists, "_BATCH", 2)

    def run(drag: float = 0.0) -> Any:
        if drag:
            sample = dataset.first()
            sample.frames[6]["box"].detections[0].bounding_box = [drag, 0.1, 0.2, 0.2]
            sample.save()
        return pt.propagate_labels(dataset, "box", target, tracker=DriftTracker(), progress=False)

    if corrected:
        run()
        dataset.reload()
        sample = dataset.first()
        dragged = sample.frames[4][target].detections[0]
        dragged.bounding_box, dragged["keyframe"] = [0.5, 0.5, 0.2, 0.2], True
        sample.frames[1]["box"].detections[0].bounding_box = bounding_box(1)
        sample.save()
    before, persons = _state(dataset), {**_drawn(dataset), **_corrections(dataset, target)}
    run()
    finished = _places(dataset, target)
    run(drag=0.4)
    dragged_later = _places(dataset, target)
    mortal = Mortal(monkeypatch)
    for calls in range(6, 200, 3):
        _restore(dataset, before)
        died = mortal.dies(run, calls)
        now = {**_drawn(dataset), **_drawn(dataset, target)}
        assert {key: now.get(key) for key in persons} == persons, calls
        if calls % 2:
            run()
            assert _places(dataset, target) == finished, calls
        else:  # what the dead run wrote is no correction
            run(drag=0.4)
            assert _places(dataset, target) == dragged_later, calls
        assert leftovers(dataset) == []
        if not died:
            break
    assert not died
    assert calls > 20


def _corrections(dataset: fo.Dataset, target: str) -> dict[Any, bytes]:
    """Keyframes in an output of its own that are no copies."""
    return {key: value for key, value in _drawn(dataset, target).items() if key[1] == 4}


def test_killed_at_random_moments_all_keyframes_stay_as_they_are_and_a_new_run_finishes(
    dataset: fo.Dataset, start: Callable[..., subprocess.Popen]
) -> None:
    undisturbed = dataset.clone()
    pt.propagate_labels(undisturbed, "box", tracker=DriftTracker(), progress=False)
    drawn = _drawn(dataset)
    rng = random.Random(3)
    written = [dataset.count("frames.box.detections")]
    for _ in range(3):
        process = start(dataset, **SLOWLY, options={"field": "box"})
        lines_until(process, 0)
        time.sleep(rng.uniform(0.1, 0.9))
        process.kill()
        process.wait()
        dataset.reload()
        now = _drawn(dataset)
        assert {key: now.get(key) for key in drawn} == drawn
        written.append(dataset.count("frames.box.detections"))
    assert written == sorted(written)
    assert any(written[0] < number < undisturbed.count("frames.box.detections") for number in written)
    report = pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    assert report.failures == []
    assert _places(dataset, "box") == _places(undisturbed, "box")
    assert _drawn(dataset) == drawn
    assert leftovers(dataset) == []
    dataset.reload()
    reports: list[Any] = [pt.load_report(dataset, key) for key in dataset.list_runs()]
    assert all(one.interrupted for one in reports[:-1])
    undisturbed.delete()


def test_a_lock_that_a_dead_run_held_is_taken_over(dataset: fo.Dataset, start: Callable[..., subprocess.Popen]) -> None:
    process = start(dataset, pause_s=60.0, options={"field": "box"})
    lines_until(process, 0)
    deadline = time.monotonic() + 30
    while not any("labels box" in str(one) for one in leftovers(dataset)) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert any("labels box" in str(one) for one in leftovers(dataset))
    recover(dataset)
    assert leftovers(dataset) == []
    dataset.reload()
    (key,) = dataset.list_runs()
    found: Any = pt.load_report(dataset, key)
    assert (found.interrupted, found.field, found.target_field, found.num_not_run) == (True, "box", "box", NUM_SAMPLES)


def test_sigterm_ends_it_in_order(dataset: fo.Dataset, start: Callable[..., subprocess.Popen]) -> None:
    drawn = _drawn(dataset)
    process = start(dataset, **SLOWLY, options={"field": "box"})
    lines_until(process, 1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 128 + signal.SIGTERM
    dataset.reload()
    assert leftovers(dataset) == []
    (key,) = dataset.list_runs()
    report: Any = pt.load_report(dataset, key)
    assert report.cancelled
    assert not report.interrupted
    assert 1 <= report.num_samples < NUM_SAMPLES
    assert {k: v for k, v in _drawn(dataset).items() if k in drawn} == drawn


def test_a_database_that_is_away_for_a_while_is_waited_for(
    tmp_path: Path, thing_path: Path, start: Callable[..., subprocess.Popen]
) -> None:
    server = OwnServer(tmp_path / "own-database")
    env = {"FIFTYONE_DATABASE_URI": f"mongodb://127.0.0.1:{server.port}", "FIFTYONE_DATABASE_NAME": "away"}
    try:
        process = start("away", env=env, **SLOWLY, paths=[str(thing_path)] * 4, options={"field": "box"})
        lines_until(process, 1)
        server.kill()
        time.sleep(2)  # several attempts fail
        server.start()
        assert process.stdout is not None
        written = process.stdout.read()
        assert process.wait(timeout=60) == 0, (tmp_path / "stderr-0.txt").read_text()
        outcomes = json.loads(written.splitlines()[-1])["outcomes"]
        assert [(one["status"], one["message"]) for one in outcomes] == [("done", None)] * 4
        assert [one["num_filled"] for one in outcomes] == [NUM_FRAMES - 1] * 4
    finally:
        server.kill()
