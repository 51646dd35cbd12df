"""What a plan is made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import pytest
from moving_object import NUM_FRAMES, SIZE, box
from run_states import raw_frames
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import FieldError
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.memory import FilledStretch, ObjectMemory
from point_tracking.workflows.propagation.planning.plan import SamplePlan
from point_tracking.workflows.propagation.planning.prompts import Clip
from point_tracking.workflows.propagation.stored_labels import StoredLabels

MakeLabelled = Callable[..., fo.Dataset]


def _plan(samples: Any, **options: Any) -> SamplePlan:
    checked = PropagateOptions(field="box", tracker=DriftTracker(), **options)
    return StoredLabels(samples, checked).plan(Clip(samples.first().id, SIZE, NUM_FRAMES))


@pytest.mark.parametrize("output", [None, "all"])
def test_it_tells_before_a_run_what_the_run_will_do_and_writes_nothing(
    labelled: MakeLabelled, output: str | None
) -> None:
    labels = {1: [box(0), box(0, label="other", index=None)], 12: box(11)}
    dataset = labelled(labels)
    before, schema = raw_frames(dataset), list(dataset.get_frame_field_schema(flat=True))
    plan = _plan(dataset, output_field=output)
    assert (raw_frames(dataset), list(dataset.get_frame_field_schema(flat=True))) == (before, schema)
    assert (plan.num_keyframes, len(plan.objects), plan.num_without_identity) == (3, 2, 0 if output else 1)
    report = pt.propagate_labels(dataset, "box", output, tracker=DriftTracker(), progress=False)
    outcome = report.outcomes[0]
    assert (outcome.num_keyframes, outcome.num_objects, outcome.num_filled) == (3, 2, plan.num_to_fill)
    after = _plan(dataset, output_field=output)
    assert (after.num_to_fill, after.num_unchanged) == (0, plan.num_to_fill)


def test_what_a_view_hides_in_either_field_is_not_planned(labelled: MakeLabelled) -> None:
    dataset = labelled({1: [box(0), box(0, label="other", index=2)]})
    pt.propagate_labels(dataset, "box", "all", tracker=DriftTracker(), progress=False)
    label = fo.ViewField("label")
    for field in ("box", "all"):
        for view in (
            dataset.filter_labels(f"frames.{field}", label == "other"),
            dataset.filter_labels(f"frames.{field}", label == "other").match_frames(fo.ViewField("frame_number") < 5),
        ):
            assert [one.name for one in _plan(view, output_field="all").objects] == ["other 2"]
    hidden = dataset.filter_labels("frames.box", label == "none", only_matches=False)
    assert _plan(hidden, output_field="all").objects == []
    assert len(_plan(dataset.match(fo.ViewField("filepath") != ""), output_field="all").objects) == 2


@pytest.fixture
def dataset(labelled: MakeLabelled) -> fo.Dataset:
    dataset = labelled({1: box(0)})
    pt.propagate_labels(dataset, "box", tracker=DriftTracker(), progress=False)
    return dataset


def test_what_is_remembered_is_read_back(dataset: fo.Dataset) -> None:
    stored = StoredLabels(dataset, PropagateOptions(field="box"))
    (known,) = stored.memory(dataset.first().id).values()
    assert [(one.first, one.last) for one in known.stretches] == [(1, NUM_FRAMES - 1)]
    memory = {"thing 1": ObjectMemory((FilledStretch(1, 3, "a"),), {"b": "c"})}
    stored.remember(dataset.first().id, memory)
    assert stored.memory(dataset.first().id) == memory


def test_fields_that_were_deleted_are_noticed(dataset: fo.Dataset) -> None:
    stored = StoredLabels(dataset, PropagateOptions(field="box"))
    assert stored.check_declared().path == "box.detections"
    dataset.delete_sample_field("box_propagation")
    with pytest.raises(FieldError, match="'box_propagation' was deleted"):
        stored.check_declared()
    dataset.delete_frame_field("box")
    with pytest.raises(FieldError, match="'box' was deleted"):
        stored.check_declared()
    assert StoredLabels(dataset, PropagateOptions(field="box")).output() is None
