"""One sample, while a person or another run is at work on it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import fiftyone as fo
import pytest
from bson import ObjectId
from moving_object import NUM_FRAMES, bounding_box, box
from propagation_labels import Document
from run_states import leftovers
from trackers import DriftTracker

import point_tracking as pt

MakeLabelled = Callable[..., fo.Dataset]
FIRST, LAST = 1, NUM_FRAMES
DRAWN = [0.5, 0.5, 0.2, 0.2]


class _Person:
    """Does something once while a tracker works, or again each time it does."""

    def __init__(self, act: Callable[[], Any], times: int = 1) -> None:
        self._act = act
        self._times = times
        self.acted = 0

    def __call__(self, frame_index: int) -> None:
        if frame_index == 3 and self.acted < self._times:
            self.acted += 1
            self._act()


def _set(dataset: fo.Dataset, number: int, **values: Any) -> None:
    """Changes the first label of a frame as the App does: on the server, by its place."""
    key = {"_sample_id": ObjectId(dataset.first().id), "frame_number": number}
    change = {f"box.detections.0.{name}": value for name, value in values.items()}
    assert dataset._frame_collection.update_one(key, {"$set": change}).matched_count


def _draw(dataset: fo.Dataset, number: int, label: fo.Detection) -> None:
    key = {"_sample_id": ObjectId(dataset.first().id), "frame_number": number}
    found = {"_cls": "Detections", "detections": [label.to_dict()]}
    dataset._frame_collection.update_one(key, {"$set": {"box": found}}, upsert=True)


def _stored(dataset: fo.Dataset, field: str = "box") -> dict[int, list[Document]]:
    return {d["frame_number"]: (d.get(field) or {}).get("detections", []) for d in dataset._frame_collection.find()}


def _run(dataset: fo.Dataset, *, on_frame: Any = None, **options: Any) -> pt.PropagationReport:
    return pt.propagate_labels(dataset, "box", tracker=DriftTracker(on_frame), progress=False, **options)


def test_a_keyframe_that_is_moved_during_the_run_wins_and_is_used(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0), 12: box(11)})
    report = _run(dataset, on_frame=_Person(lambda: _set(dataset, 12, bounding_box=DRAWN)))
    assert report.failures == []
    found = _stored(dataset)
    assert found[12][0]["bounding_box"] == DRAWN
    assert found[13][0]["bounding_box"][0] == pytest.approx(0.5 + 1 / 160, abs=1e-6)
    assert _run(dataset).outcomes[0].num_filled == 0


def test_a_derived_label_that_is_dragged_during_the_run_wins_and_is_used(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    _run(dataset)
    _set(dataset, FIRST, label="thing", bounding_box=bounding_box(1))
    person = _Person(lambda: _set(dataset, 12, bounding_box=DRAWN, keyframe=True))
    report = _run(dataset, on_frame=person)
    found = _stored(dataset)
    assert person.acted == 1
    assert (found[12][0]["bounding_box"], found[12][0]["keyframe"]) == (DRAWN, True)
    assert found[13][0]["bounding_box"][0] == pytest.approx(0.5 + 1 / 160, abs=1e-6)
    assert report.outcomes[0].num_keyframes == 2


def test_a_keyframe_that_is_drawn_during_the_run_wins_and_is_used(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)})
    _run(dataset, on_frame=_Person(lambda: _draw(dataset, 12, box(0, bounding_box=DRAWN))))
    found = _stored(dataset)
    assert [one["bounding_box"] for one in found[12]] == [DRAWN]
    assert [len(labels) for labels in found.values()] == [1] * NUM_FRAMES
    assert found[LAST][0]["bounding_box"][0] == pytest.approx(0.5 + 12 / 160, abs=1e-6)


def test_labels_that_are_deleted_during_the_run_take_their_derived_ones_along(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0), 12: box(11, label="other", index=2)})

    def delete() -> None:
        key = {"_sample_id": ObjectId(dataset.first().id), "frame_number": FIRST}
        dataset._frame_collection.update_one(key, {"$set": {"box.detections": []}})

    _run(dataset, on_frame=_Person(delete))
    labels = [one["label"] for found in _stored(dataset).values() for one in found]
    assert labels == ["other"] * NUM_FRAMES


def test_whoever_draws_all_the_time_is_not_waited_for_for_ever(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0), 12: box(11, label="other", index=2)})
    x = [0.1]

    def drag() -> None:
        x[0] += 0.01
        _set(dataset, FIRST, bounding_box=[x[0], 0.2, 0.2, 0.2])

    person = _Person(drag, times=100)
    report = _run(dataset, on_frame=person)
    assert person.acted < 8
    assert "changed again and again" in report.warnings[0][1]
    assert "23 frames" in report.warnings[0][1]
    found = [one["label"] for labels in _stored(dataset).values() for one in labels]
    assert found.count("other") == NUM_FRAMES
    assert _run(dataset).outcomes[0].num_filled == NUM_FRAMES - 1
    assert dataset.count_values("frames.box.detections.label") == {"thing": NUM_FRAMES, "other": NUM_FRAMES}


def test_prompts_changed_during_a_run_into_a_field_of_its_own_are_copied_as_they_are_then(
    labelled: MakeLabelled,
) -> None:
    dataset = labelled({FIRST: box(0), 12: box(11)})
    _run(dataset, output_field="all", on_frame=_Person(lambda: _set(dataset, 12, bounding_box=DRAWN)))
    copies = _stored(dataset, "all")
    assert copies[12][0]["bounding_box"] == DRAWN
    assert (copies[12][0]["keyframe"], copies[13][0]["keyframe"]) == (True, False)
    assert _run(dataset, output_field="all").outcomes[0].num_filled == 0


def test_a_sample_that_is_deleted_during_the_run_leaves_nothing(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)}, {FIRST: box(0)})
    gone = dataset.first().id
    report = _run(dataset, on_frame=_Person(lambda: dataset.delete_samples(gone)))
    assert [(outcome.status, outcome.kind) for outcome in report.outcomes] == [("failed", "WriteError"), ("done", None)]
    assert dataset._frame_collection.count_documents({"_sample_id": ObjectId(gone)}) == 0
    assert leftovers(dataset) == []


@pytest.mark.parametrize("name", ["frames.all", "all_propagation"])
def test_a_field_that_is_deleted_during_the_run_is_not_written_to(labelled: MakeLabelled, name: str) -> None:
    dataset = labelled({FIRST: box(0)})
    delete = dataset.delete_frame_field if name.startswith("frames.") else dataset.delete_sample_field
    person = _Person(lambda: delete(name.removeprefix("frames.")))
    report = _run(dataset, output_field="all", on_frame=person)
    assert [failure.kind for failure in report.failures] == ["FieldError"]
    dataset.reload()
    assert len(list(dataset.first().frames.values())) == 1  # what is stored can be read
    assert _run(dataset, output_field="all").outcomes[0].num_filled == NUM_FRAMES - 1


def test_a_tracker_that_fails_fails_its_sample_alone_and_changes_nothing(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0)}, {FIRST: box(0)})

    def fail() -> None:
        raise RuntimeError("no more memory")

    report = _run(dataset, on_frame=_Person(fail))
    assert [(one.status, one.kind, one.message) for one in report.outcomes] == [
        ("failed", "RuntimeError", "no more memory"),
        ("done", None, None),
    ]
    assert dataset.count("frames.box.detections") == 1 + NUM_FRAMES


def test_two_runs_at_once_on_one_sample_make_one_label_for_each_frame(labelled: MakeLabelled) -> None:
    dataset = labelled({FIRST: box(0), 12: box(11)}, {FIRST: box(0), 12: box(11)})
    together = threading.Barrier(2, timeout=60)

    class Both:
        started = False

        def __call__(self, frame_index: int) -> None:
            if not self.started:
                self.started = True
                together.wait()

    reports: list[pt.PropagationReport] = []
    threads = [
        threading.Thread(target=lambda: reports.append(_run(dataset, output_field="all", on_frame=Both())))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [report.failures for report in reports] == [[], []]
    assert {report.run_key for report in reports} == {"propagate_all", "propagate_all_2"}
    dataset.reload()
    assert (
        dataset.values("frames.all.detections.keyframe")
        == [[[number in (FIRST, 12)] for number in range(FIRST, LAST + 1)]] * 2
    )
    assert leftovers(dataset) == []
    again = _run(dataset, output_field="all")
    assert [outcome.num_filled for outcome in again.outcomes] == [0, 0]


def test_in_place_prompts_with_an_index_are_not_touched_and_one_with_no_name_gets_an_instance(
    labelled: MakeLabelled,
) -> None:
    dataset = labelled({FIRST: [box(0), fo.Detection(label="other", bounding_box=DRAWN)]})
    before = _stored(dataset)[FIRST]
    _run(dataset)
    after = _stored(dataset)[FIRST]
    assert after[0] == before[0]
    assert after[1] == {**before[1], "instance": after[1]["instance"]}
    assert {str(found[1]["instance"]["_id"]) for found in _stored(dataset).values()} == {
        str(after[1]["instance"]["_id"])
    }
