"""The App's Annotate tab is open while labels are carried: its stale edits land on the right labels.

The tab saves changes to places in a frame's list as it last saw it, with the time at which the sample was changed last;
where that is another one by now, it takes the new time and sends the same changes again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import moving_object
import pytest
from fiftyone.server.routes.sample import Sample as SampleRoute
from moving_object import NUM_FRAMES, box
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.plan import SamplePlan
from point_tracking.workflows.propagation.planning.prompts import Clip
from point_tracking.workflows.propagation.stored_labels import StoredLabels

MakeLabelled = Callable[..., fo.Dataset]
DRAGGED = [0.5, 0.5, 0.2, 0.2]


class _Tab:
    """An open tab: what it saw of a sample when it was opened."""

    def __init__(self, dataset: fo.Dataset, field: str = "box") -> None:
        self._field = field
        self._client = TestClient(Starlette(routes=[Route("/{dataset_id}/{sample_id}", SampleRoute)]))
        sample = dataset.first()
        self._path = f"/{dataset._doc.id}/{sample.id}"
        self._token = sample.last_modified_at.isoformat()
        self.frames = {number: frame.to_dict() for number, frame in sample.frames.items()}
        self.conflicts = 0

    def drag(self, number: int, label: str) -> None:
        """Moves a label to `DRAGGED` where the tab believes it is."""
        labels = self.frames[number][self._field]["detections"]
        place = next(k for k, one in enumerate(labels) if one["label"] == label)
        path = f"/frames/{number}/{self._field}/detections/{place}"
        said = "replace" if "keyframe" in labels[place] else "add"
        self._save(
            [
                {"op": "replace", "path": f"{path}/bounding_box", "value": DRAGGED},
                {"op": said, "path": f"{path}/keyframe", "value": True},
            ]
        )

    def _save(self, operations: list[dict[str, Any]]) -> None:
        for _ in range(2):
            headers = {"If-Match": self._token, "Content-Type": "application/json-patch+json"}
            answer = self._client.patch(self._path, json=operations, headers=headers)
            if answer.status_code != 412:
                break
            self.conflicts += 1
            self._token = answer.headers["ETag"]
        assert answer.status_code == 200, answer.text


def _boxes(dataset: fo.Dataset, number: int) -> dict[str, list[float]]:
    dataset.reload()
    return {one.label: one.bounding_box for one in dataset.first().frames[number].box.detections}


def _run(dataset: fo.Dataset, **options: Any) -> pt.PropagationReport:
    return pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False, **options)


@pytest.fixture
def dataset(labelled: MakeLabelled) -> fo.Dataset:
    """Two objects; in frame 12 the second comes first, and the first was derived by the App."""
    return labelled(
        {
            1: [box(0, label="one", index=1), box(0, label="two", index=2)],
            12: [box(0, label="two", index=2), box(0, label="one", index=1, keyframe=False)],
        }
    )


def test_an_edit_of_frames_seen_before_our_write_lands_on_the_right_object(dataset: fo.Dataset) -> None:
    tab = _Tab(dataset)
    _run(dataset)
    carried = {number: _boxes(dataset, number) for number in range(1, NUM_FRAMES + 1)}
    tab.drag(12, "one")
    assert tab.conflicts == 1  # our write was noticed
    assert _boxes(dataset, 12) == {"two": carried[12]["two"], "one": DRAGGED}
    assert all(_boxes(dataset, n) == carried[n] for n in range(1, NUM_FRAMES + 1) if n != 12)
    report = _run(dataset)
    assert report.outcomes[0].num_keyframes == 4
    assert _boxes(dataset, 12)["one"] == DRAGGED
    assert _boxes(dataset, 13)["one"][0] == pytest.approx(DRAGGED[0] + 1 / 160, abs=1e-6)
    assert _boxes(dataset, 13)["two"] == carried[13]["two"]


def test_ids_and_places_stay_and_new_labels_come_last(dataset: fo.Dataset) -> None:
    sample = dataset.first()
    sample.frames[12].box.detections.append(box(0, label="three", index=3))
    sample.save()
    seen = [(one.id, one.label) for one in dataset.first().frames[12].box.detections]
    _run(dataset)
    dataset.reload()
    assert [(one.id, one.label) for one in dataset.first().frames[12].box.detections] == seen
    first = [one.label for one in dataset.first().frames[1].box.detections]
    assert first == ["one", "two", "three"]


def test_an_edit_and_our_write_of_the_same_frame_lose_nothing(dataset: fo.Dataset) -> None:
    _run(dataset)
    tab, before = _Tab(dataset), _boxes(dataset, 5)
    sample = dataset.first()
    sample.frames[1].box.detections[1].bounding_box = [0.3, 0.3, 0.1, 0.1]
    sample.save()
    _run(dataset)  # "two" is carried anew in all frames
    ours = _boxes(dataset, 5)
    assert (ours["one"], ours["two"] != before["two"]) == (before["one"], True)
    tab.drag(5, "one")
    assert _boxes(dataset, 5) == {"one": DRAGGED, "two": ours["two"]}


def test_a_run_that_has_nothing_to_do_does_not_disturb_the_tab(dataset: fo.Dataset) -> None:
    _run(dataset)
    tab = _Tab(dataset)
    _run(dataset)
    tab.drag(5, "one")
    assert tab.conflicts == 0


def test_an_edit_corrects_its_own_label_alone(dataset: fo.Dataset) -> None:
    _run(dataset, output_field="all")
    dataset.reload()
    tab = _Tab(dataset, "all")
    tab.drag(1, "one")
    plan = _plan(dataset)
    assert plan.num_corrected == 1
    assert {filled.last + 1 for one in plan.objects for _, filled in one.stale} == {NUM_FRAMES}
    assert [one.name for one in plan.objects if one.stale] == ["one 1"]


def _plan(dataset: fo.Dataset) -> SamplePlan:
    """What the next run would do."""
    options = PropagateOptions(field="box", output_field="all", tracker=DriftTracker())
    return StoredLabels(dataset, options).plan(Clip(dataset.first().id, moving_object.SIZE, NUM_FRAMES))
