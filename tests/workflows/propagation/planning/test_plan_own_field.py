"""What a run has to do whose output is a field of its own: copies of prompts, and what people do with them."""

from __future__ import annotations

import copy

import fiftyone as fo
import pytest
from propagation_labels import Labels, box, frames_to_compute

OWN = {"output_field": "out"}
ONE = {"index": 1}


def test_prompts_are_copied_and_the_input_is_not_changed() -> None:
    labels = Labels((5, box(weather="rain", **ONE)), (20, box(0.4, keyframe=True, tags=["hard"], **ONE)))
    before = copy.deepcopy(labels.given)
    labels.run(**OWN)
    assert labels.given == before
    assert labels.frames(out=True, keyframe=True) == [5, 20]
    assert labels.out[5][0]["bounding_box"] == before[5][0]["bounding_box"]
    assert labels.out[5][0]["weather"] == labels.out[7][0]["weather"] == "rain"
    assert labels.out[20][0]["tags"] == ["hard"]
    assert labels.out[21][0]["tags"] == []
    assert labels.out[5][0]["_id"] != before[5][0]["_id"]


def test_instances_are_derived_so_that_reruns_elsewhere_agree() -> None:
    runs = [Labels((5, box(**ONE)), (9, box(label="dog", **ONE)), (20, box(**ONE))) for _ in range(2)]
    instances = []
    for labels in runs:
        labels.run(**OWN)
        instances.append({(o["label"], str(o["instance"]["_id"])) for found in labels.out.values() for o in found})
    assert instances[0] == instances[1]
    assert len(instances[0]) == 2


def test_a_prompts_own_instance_is_kept() -> None:
    known = fo.Instance()
    labels = Labels((5, box(instance=known)), (20, box(instance=known)))
    labels.run(**OWN)
    assert {str(one["instance"]["_id"]) for found in labels.out.values() for one in found} == {str(known.id)}


def test_a_changed_prompt_changes_its_copy() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    ids = [labels.out[n][0]["_id"] for n in range(1, 41)]
    labels.edit(21, bounding_box=[0.5, 0.3, 0.25, 0.25])
    plan = labels.run(**OWN)
    assert plan.num_corrected == 0
    assert labels.out[21][0]["bounding_box"][0] == 0.5
    assert [labels.out[n][0]["_id"] for n in range(1, 41)] == ids


def test_a_copy_that_a_person_dragged_is_a_prompt_and_outranks_the_input() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    dragged = copy.deepcopy(labels.edit(21, out=True, bounding_box=[0.6, 0.3, 0.25, 0.25]))
    plan = labels.run(**OWN)
    assert (plan.num_corrected, frames_to_compute(plan)) == (1, [(2, 20), (22, 40)])
    labels.edit(21, bounding_box=[0.1, 0.3, 0.25, 0.25])
    labels.run(**OWN)
    assert labels.out[21] == [dragged]


def test_a_keyframe_that_a_person_added_in_the_output_is_a_prompt() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    labels.edit(11, out=True, keyframe=True, bounding_box=[0.6, 0.3, 0.25, 0.25])
    plan = labels.run(**OWN)
    assert (plan.num_corrected, frames_to_compute(plan)) == (1, [(2, 10), (12, 20)])
    assert labels.out[11][0]["bounding_box"][0] == 0.6


def test_a_keyframe_drawn_beside_a_derived_label_takes_its_place() -> None:
    for instance in (None, "same"):
        labels = Labels((1, box(**ONE)), (21, box(**ONE)))
        labels.run(**OWN)
        own = fo.Instance.from_dict(labels.out[11][0]["instance"]) if instance else None
        mine = labels.draw(11, box(0.6, keyframe=True, instance=own, **ONE), out=True)
        labels.run(**OWN)
        assert labels.out[11] == [mine]


def test_a_keyframe_drawn_beside_a_copy_takes_its_place() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    mine = labels.draw(21, box(0.6, keyframe=True, **ONE), out=True)
    plan = labels.run(**OWN)
    assert labels.out[21] == [mine]
    assert plan.num_corrected == 1


def test_a_tag_on_a_copy_corrects_nothing_and_stays() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    labels.edit(21, out=True, tags=["seen"])
    plan = labels.run(**OWN)
    assert (plan.num_corrected, frames_to_compute(plan)) == (0, [])
    labels.edit(21, bounding_box=[0.1, 0.3, 0.25, 0.25])
    labels.run(**OWN)
    assert labels.out[21][0]["tags"] == ["seen"]
    assert labels.out[21][0]["bounding_box"][0] == 0.1


def test_a_copy_that_a_person_deleted_stays_away_until_its_prompt_changes() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    labels.delete(21, out=True)
    labels.run(**OWN)
    assert 21 not in labels.frames(out=True)
    labels.edit(21, bounding_box=[0.1, 0.3, 0.25, 0.25])
    labels.run(**OWN)
    assert 21 in labels.frames(out=True)


def test_a_field_that_was_cleared_is_filled_anew() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    labels.out.clear()
    labels.run(**OWN)
    assert labels.frames(out=True) == list(range(1, 41))


def test_a_prompt_that_was_deleted_takes_copy_and_derived_labels_along() -> None:
    labels = Labels((1, box(**ONE)), (21, box(0.5, **ONE)), (9, box(label="dog")))
    labels.run(**OWN)
    labels.delete(21)
    labels.run(**OWN)
    assert labels.frames(out=True, index=1, keyframe=True) == [1]
    assert labels.out[21][0]["bounding_box"][0] == pytest.approx(0.2)
    labels.delete(1)
    labels.run(**OWN)
    assert labels.frames(out=True, index=1) == []
    assert len(labels.frames(out=True, label="dog")) == 40


def test_a_persons_keyframe_outlives_all_prompts_of_the_input() -> None:
    labels = Labels((1, box(**ONE)), (9, box(label="dog")))
    labels.run(**OWN)
    mine = copy.deepcopy(labels.edit(21, out=True, keyframe=True, bounding_box=[0.6, 0.3, 0.25, 0.25]))
    labels.delete(1)
    for _ in range(2):
        labels.run(**OWN)
        assert [one for one in labels.out[21] if one["label"] == "goat"] == [mine]
        assert labels.frames(out=True, label="goat", keyframe=True) == [21]


def test_an_object_that_a_person_drew_in_the_output_alone_is_carried() -> None:
    labels = Labels((1, box(**ONE)))
    labels.run(**OWN)
    mine = labels.draw(21, box(label="bird", keyframe=True, instance=fo.Instance()), out=True)
    plan = labels.run(**OWN)
    assert plan.num_corrected == 1
    assert labels.frames(out=True, label="bird") == list(range(1, 41))
    assert labels.out[21][1] == mine
    labels.run(**OWN)
    assert labels.changes == []


def test_copies_of_a_run_that_died_are_known_again() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    labels.run(**OWN)
    labels.edit(21, bounding_box=[0.5, 0.3, 0.25, 0.25])
    (one,) = labels.plan(**OWN).objects
    meanwhile = one.memory_while_writing
    standing = copy.deepcopy(labels.out)
    labels.run(**OWN)
    for out in (standing, labels.out):  # before the new copy was written, and after
        dead = Labels(lost=lambda t: False)
        dead.given, dead.out, dead.memory = copy.deepcopy(labels.given), copy.deepcopy(out), {one.identity: meanwhile}
        dead.edit(21, bounding_box=[0.7, 0.3, 0.25, 0.25])
        plan = dead.run(**OWN)
        assert plan.num_corrected == 0
        assert dead.out[21][0]["bounding_box"][0] == 0.7
        assert frames_to_compute(plan) == [(2, 20), (22, 40)]


def test_copies_that_a_run_died_before_writing_are_written_by_the_next() -> None:
    labels = Labels((1, box(**ONE)), (21, box(**ONE)))
    (one,) = labels.plan(**OWN).objects
    labels.memory[one.identity] = one.memory_while_writing
    labels.draw(3, box(keyframe=False, instance=fo.Instance.from_dict(dict(one.instance or {}))), out=True)
    labels.run(**OWN)
    assert labels.frames(out=True, keyframe=True) == [1, 21]
