"""What a run has to do, told from stored labels alone."""

from __future__ import annotations

import copy
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from propagation_labels import CLIP, Labels, box, frames_to_compute

from point_tracking.workflows.propagation.planning.memory import is_remembered
from point_tracking.workflows.propagation.planning.plan import SamplePlan

OWN = {"output_field": "out"}
ONE = {"index": 1}


def _warned(plan: SamplePlan, *words: str) -> bool:
    return any(all(word in warning for word in words) for warning in plan.warnings)


# three values of keyframe


def test_labels_marked_as_keyframes_are_prompts_and_all_between_and_beside_is_filled() -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (20, box(keyframe=True, **ONE)))
    assert labels.computed() == [(1, 4), (6, 19), (21, 40)]
    assert labels.plan().num_keyframes == 2
    assert labels.plan().num_to_fill == 38


def test_labels_marked_as_derived_are_replaced_and_no_prompts() -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (8, box(0.6, keyframe=False, **ONE)))
    labels.run()
    assert labels.given[8][0]["bounding_box"][0] == pytest.approx(0.2)
    assert labels.frames(keyframe=True) == [5]


@pytest.mark.parametrize("said", [{}, {"keyframe": None}], ids=["absent", "none"])
def test_labels_that_say_nothing_are_prompts_and_stay(said: dict[str, Any]) -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (8, box(0.6, **said, **ONE)))
    plan = labels.plan()
    assert (plan.num_keyframes, plan.num_unmarked) == (2, 1)
    assert _warned(plan, "1 labels", "overwrite_unmarked=True")
    before = copy.deepcopy(labels.given[8][0])
    labels.run()
    assert labels.given[8][0] == before


def test_unmarked_labels_are_replaced_where_that_was_asked_for() -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (8, box(0.6, **ONE)))
    plan = labels.run(overwrite_unmarked=True)
    assert (plan.num_keyframes, plan.num_unmarked, plan.warnings) == (1, 1, [])
    assert labels.given[8][0]["keyframe"] is False


def test_unmarked_labels_of_an_object_without_keyframes_are_prompts_whatever_is_asked() -> None:
    labels = Labels((5, box(**ONE)), (8, box(**ONE)), (3, box(label="dog", keyframe=True, index=2)))
    plan = labels.plan(overwrite_unmarked=True)
    assert (plan.num_keyframes, plan.num_unmarked) == (3, 0)


def test_a_second_run_has_nothing_to_do() -> None:
    for options in ({}, OWN):
        labels = Labels((5, box(keyframe=True, **ONE)), (20, box(**ONE)), (9, box(label="dog")))
        labels.run(**options)
        plan = labels.run(**options)
        assert frames_to_compute(plan) == []
        assert labels.changes == []
        assert plan.num_unchanged == 38 + 39


# corrections


def test_only_the_stretches_beside_a_changed_keyframe_are_computed_again() -> None:
    labels = Labels(*((number, box(keyframe=True, **ONE)) for number in (1, 11, 21, 31)))
    labels.run()
    labels.edit(11, bounding_box=[0.5, 0.3, 0.25, 0.25])
    assert labels.computed() == [(2, 10), (12, 20)]


def test_a_derived_label_that_a_person_dragged_is_a_keyframe_from_then_on() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)))
    labels.run()
    dragged = copy.deepcopy(labels.edit(16, keyframe=True, bounding_box=[0.7, 0.3, 0.25, 0.25]))
    assert labels.computed() == [(2, 15), (17, 40)]
    labels.run()
    assert labels.given[16] == [dragged]


def test_a_deleted_prompt_takes_its_derived_labels_along() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (9, box(label="dog", keyframe=True, index=2)))
    labels.run()
    labels.given[1] = [one for one in labels.given[1] if one["label"] != "goat"]
    plan = labels.run()
    assert labels.frames(label="goat") == []
    assert len(labels.frames(label="dog")) == 40
    assert frames_to_compute(plan) == []


def test_the_frames_of_one_of_two_deleted_prompts_are_filled_from_the_other() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (21, box(0.5, keyframe=True, **ONE)))
    labels.run()
    labels.delete(21)
    assert labels.computed() == [(2, 40)]
    labels.run()
    assert labels.frames(index=1) == list(range(1, 41))
    assert all(one["bounding_box"][0] == pytest.approx(0.2) for found in labels.given.values() for one in found)


@pytest.mark.parametrize("options", [{}, OWN], ids=["in place", "own field"])
def test_derived_labels_that_a_person_deleted_stay_away_until_their_keyframes_change(options: dict[str, Any]) -> None:
    out = bool(options)
    labels = Labels((1, box(keyframe=True, **ONE)), (21, box(keyframe=True, **ONE)))
    labels.run(**options)
    labels.delete(5, 6, 30, out=out)
    labels.run(**options)
    assert labels.changes == []
    labels.edit(21, bounding_box=[0.5, 0.3, 0.25, 0.25])
    labels.run(**options)
    assert labels.frames(out=out) == list(range(1, 41))


def test_an_end_that_was_trimmed_stays_so_when_another_keyframe_changes() -> None:
    labels = Labels(*((number, box(keyframe=True, **ONE)) for number in (1, 11, 21)))
    labels.run()
    labels.delete(*range(35, 41))
    labels.edit(1, bounding_box=[0.5, 0.3, 0.25, 0.25])
    labels.run()
    assert labels.frames() == list(range(1, 35))


def test_a_keyframe_that_came_and_went_leaves_no_hole() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (31, box(keyframe=True, **ONE)))
    labels.run()
    labels.edit(16, keyframe=True, bounding_box=[0.5, 0.3, 0.25, 0.25])
    labels.run(frames=(1, 10))
    labels.delete(16)
    labels.run()
    assert labels.frames() == list(range(1, 41))


def test_a_wall_that_came_and_went_leaves_no_hole() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)))
    labels.run()
    labels.edit(16, keyframe=True, outside=True)
    labels.run()
    assert labels.frames() == list(range(1, 17))
    labels.delete(16)
    labels.run()
    assert labels.frames() == list(range(1, 41))


def test_frames_where_an_object_is_lost_lose_their_derived_labels() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), *((n, box(keyframe=False, **ONE)) for n in range(2, 31)))
    labels._lost = lambda t: t > 19
    labels.run()
    assert labels.frames() == list(range(1, 21))


# walls


@pytest.mark.parametrize("options", [{}, OWN], ids=["in place", "own field"])
def test_nothing_passes_a_frame_in_which_the_object_is_outside(options: dict[str, Any]) -> None:
    out = bool(options)
    labels = Labels(
        (1, box(keyframe=True, **ONE)), (15, box(keyframe=True, outside=True, **ONE)), (30, box(keyframe=True, **ONE))
    )
    labels.run(**options)
    assert labels.computed(**options) == []
    expected = [*range(1, 15), *range(16, 41)]
    assert labels.frames(out=out, outside=True) == ([] if out else [15])
    assert [n for n in labels.frames(out=out) if n != 15] == expected
    assert labels.given[15][0]["outside"] is True


def test_two_walls_leave_a_gap() -> None:
    labels = Labels(
        (1, box(keyframe=True, **ONE)),
        (11, box(keyframe=True, outside=True, **ONE)),
        (20, box(keyframe=True, outside=True, **ONE)),
        (31, box(keyframe=True, **ONE)),
    )
    labels.run(**OWN)
    assert labels.frames(out=True) == [*range(1, 11), *range(21, 41)]


def test_a_prompt_that_becomes_a_wall_takes_its_copy_along() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (15, box(keyframe=True, **ONE)))
    labels.run(**OWN)
    labels.edit(15, outside=True)
    labels.run(**OWN)
    assert labels.frames(out=True) == list(range(1, 15))


# what a run is about


def test_objects_that_a_view_hides_are_neither_read_nor_changed() -> None:
    for options in ({}, OWN):
        labels = Labels((1, box(keyframe=True, **ONE)), (5, box(label="dog", keyframe=True, index=2)))
        labels.run(**options)
        labels.edit(1, bounding_box=[0.5, 0.3, 0.25, 0.25])
        labels.edit(5, -1, bounding_box=[0.5, 0.3, 0.25, 0.25])
        lists = labels.out if options else labels.given
        hidden = copy.deepcopy([o for found in lists.values() for o in found if o["label"] == "goat"])
        shown = {o["_id"] for found in labels.given.values() for o in found if o["label"] == "dog"}
        shown |= {o["_id"] for found in labels.out.values() for o in found}
        plan = labels.run(shown, **options)
        assert [one.name for one in plan.objects] == ["dog 2"]
        assert [o for found in lists.values() for o in found if o["label"] == "goat"] == hidden


def test_a_view_that_shows_one_label_of_an_object_chooses_all_of_it() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (20, box(keyframe=True, **ONE)))
    plan = labels.run({labels.given[20][0]["_id"]})
    assert plan.num_keyframes == 2


def test_classes_choose_labels() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (5, box(label="dog", keyframe=True, index=2)))
    labels.run(classes=["dog"])
    assert labels.frames(label="goat") == [1]
    assert len(labels.frames(label="dog")) == 40
    assert labels.plan(classes=["cat"]).objects == []


def test_frames_outside_of_those_asked_for_are_not_touched() -> None:
    for options in ({}, OWN):
        labels = Labels((5, box(keyframe=True, **ONE)), (25, box(keyframe=True, **ONE)))
        labels.run(frames=(10, 30), **options)
        assert {change.frame_number for change in labels.changes} <= set(range(10, 31))
        out = bool(options)
        assert labels.frames(out=out, keyframe=False) == [*range(10, 25), *range(26, 31)]
        labels.run(**options)
        assert {change.frame_number for change in labels.changes} == {*range(1, 10), *range(31, 41)} - (
            {5} if not out else set()
        )
        labels.run(frames=(3, 12), **options)
        assert labels.changes == []


def test_a_run_on_some_frames_forgets_nothing_of_the_others() -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (25, box(keyframe=True, **ONE)))
    labels.run()
    labels.delete(35, 20)
    labels.run(frames=(1, 10), tracker="optical-flow", points_per_object=20)
    labels.run()
    assert 35 not in labels.frames()
    assert 20 not in labels.frames()


def test_forwards_only_leaves_what_is_before_the_first_keyframe_as_it_is() -> None:
    labels = Labels((11, box(keyframe=True, **ONE)), (3, box(0.6, keyframe=False, **ONE)))
    assert labels.computed(direction="forward") == [(12, 40)]
    before = copy.deepcopy(labels.given[3])
    labels.run(direction="forward")
    assert labels.given[3] == before
    assert labels.computed(direction="backward") == [(1, 10)]


def test_another_tracker_or_direction_computes_all_again() -> None:
    labels = Labels((11, box(keyframe=True, **ONE)))
    labels.run()
    assert (
        labels.computed(points_per_object=30)
        == labels.computed(direction="both", keep_lost=True)
        == [
            (1, 10),
            (12, 40),
        ]
    )


# which labels are one object


@pytest.mark.parametrize(
    "told",
    [{"instance": fo.Instance()}, {"index": 3}, {}],
    ids=["by instance", "by index", "by label"],
)
def test_one_object_is_told_by_instance_index_or_label(told: dict[str, Any]) -> None:
    labels = Labels((5, box(keyframe=True, **told)), (20, box(keyframe=True, **told)))
    plan = labels.run()
    assert len(plan.objects) == 1
    assert labels.frames() == list(range(1, 41))


def test_labels_alike_in_one_frame_are_objects_of_their_own_and_a_warning_says_so() -> None:
    labels = Labels((5, box()), (5, box(0.6)), (20, box()))
    plan = labels.run()
    assert len(plan.objects) == 3
    assert _warned(plan, "3 labels", "index")
    assert all(len(labels.given[n]) == 3 for n in range(1, 41))


def test_in_place_only_prompts_with_neither_index_nor_instance_get_an_instance() -> None:
    known = fo.Instance()
    labels = Labels((5, box(**ONE)), (5, box(label="dog")), (5, box(label="bird", instance=known)))
    before = copy.deepcopy(labels.given[5])
    plan = labels.run()
    assert plan.num_without_identity == 1
    goat, dog, bird = labels.given[5]
    assert (goat, bird) == (before[0], before[2])
    assert dog == {**before[1], "instance": dog["instance"]}
    derived = {one["label"]: one.get("instance") for one in labels.given[6]}
    assert derived == {"goat": None, "dog": dog["instance"], "bird": bird["instance"]}
    assert labels.run().num_without_identity == 0
    assert labels.changes == []


def test_a_label_drawn_later_by_name_alone_joins_the_object_of_that_name() -> None:
    labels = Labels((5, box()))
    labels.run()
    labels.draw(20, box(0.6, keyframe=True))
    plan = labels.run()
    assert len(plan.objects) == 1
    assert [one["bounding_box"][0] for one in labels.given[20]] == [0.6]
    assert labels.given[20][0]["instance"] == labels.given[5][0]["instance"]


def test_a_label_of_that_name_in_the_same_frame_is_another_object() -> None:
    labels = Labels((5, box()))
    labels.run()
    labels.draw(5, box(0.6))
    plan = labels.run()
    assert len(plan.objects) == 2
    assert all(len(labels.given[n]) == 2 for n in range(1, 41))
    assert len({str(one["instance"]["_id"]) for one in labels.given[9]}) == 2
    labels.run()
    assert labels.changes == []


def test_the_same_index_twice_in_a_frame_is_said_and_the_second_stays() -> None:
    labels = Labels((5, box(keyframe=True, **ONE)), (5, box(0.6, keyframe=True, **ONE)))
    second = copy.deepcopy(labels.given[5][1])
    plan = labels.run()
    assert _warned(plan, "1 labels are left out", "index 1", "frame 5")
    assert labels.given[5][1] == second
    assert plan.num_keyframes == 1


def test_a_derived_label_behind_a_drawn_one_of_its_object_goes() -> None:
    labels = Labels((5, box(keyframe=False, **ONE)), (5, box(0.6, keyframe=True, **ONE)))
    mine = copy.deepcopy(labels.given[5][1])
    plan = labels.run()
    assert plan.warnings == []
    assert labels.given[5] == [mine]


# labels that say nothing of where the object is


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bounding_box": [0.2, 0.2, 0, 0.1]}, "no area"),
        ({"bounding_box": [0.2, np.nan, 0.1, 0.1]}, "finite"),
        ({"bounding_box": []}, "finite"),
        ({"mask": np.zeros((4, 4), bool)}, "mask is empty"),
        ({"mask_path": "/nowhere/mask.png"}, "cannot be read"),
    ],
    ids=["no area", "nan", "no box", "empty mask", "missing mask"],
)
@pytest.mark.parametrize("options", [{}, OWN], ids=["in place", "own field"])
def test_a_label_that_cannot_be_carried_is_left_out_and_stays(
    values: dict[str, Any], words: str, options: dict[str, Any]
) -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (21, box(keyframe=True, **{**ONE, **values})))
    before = copy.deepcopy(labels.given[21])
    plan = labels.run(**options)
    assert _warned(plan, words, "frame 21")
    assert repr(labels.given[21]) == repr(before)
    assert plan.num_keyframes == 1
    assert labels.frames(out=bool(options)) == list(range(1, 41))
    labels.run(**options)
    assert labels.changes == []


def test_an_object_whose_every_label_is_bad_keeps_what_was_derived() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (9, box(label="dog")))
    labels.run()
    labels.edit(1, bounding_box=[0.2, 0.2, 0, 0])
    plan = labels.run()
    assert len(labels.frames(label="goat")) == 40
    assert _warned(plan, "no area", "'goat 1'")


def test_a_label_past_the_end_of_the_video_is_left_out() -> None:
    labels = Labels((1, box(keyframe=True, **ONE)), (CLIP.num_frames + 1, box(keyframe=True, **ONE)))
    plan = labels.run(**OWN)
    assert _warned(plan, "frame 41", "ends with frame 40")
    assert labels.frames(out=True) == list(range(1, 41))


def test_an_object_with_masks_in_some_keyframes_is_carried_as_a_box() -> None:
    mask = np.ones((4, 4), bool)
    labels = Labels((1, box(keyframe=True, mask=mask, **ONE)), (21, box(keyframe=True, **ONE)))
    plan = labels.run()
    assert _warned(plan, "carried as a box", "1 of its 2", "frame 21")
    assert labels.given[10][0].get("mask") is None
    assert labels.given[1][0]["mask"] is not None


def test_an_object_of_keypoints_of_different_length_is_left_out_with_its_name() -> None:
    labels = Labels(
        (1, fo.Keypoint(label="person", points=[[0.1, 0.1], [0.2, 0.2]], index=4)),
        (9, fo.Keypoint(label="person", points=[[0.1, 0.1]], index=4)),
        (9, fo.Keypoint(label="person", points=[[0.1, 0.1]], index=5)),
    )
    plan = labels.run()
    assert _warned(plan, "'person 4'", "different numbers of points")
    assert [one.name for one in plan.objects] == ["person 5"]


@pytest.mark.parametrize("points", [[], [[]], [[[0.1, 0.1]]]])
def test_a_polyline_without_a_line_is_left_out(points: list[Any]) -> None:
    labels = Labels((1, fo.Polyline(label="edge", points=points, index=4)))
    plan = labels.run()
    assert plan.objects == []
    assert _warned(plan, "'edge 4'", "frame 1")


# whatever a person draws


_FRAMES = st.integers(1, 40)
_SAID = st.sampled_from([True, None])
_PROMPTS = st.lists(
    st.tuples(_FRAMES, st.sampled_from(["goat", "dog"]), st.sampled_from([None, 1, 2]), _SAID, st.booleans()),
    min_size=1,
    max_size=8,
)
_EDITS = st.lists(st.tuples(st.sampled_from(["drag", "delete", "draw"]), _FRAMES), max_size=6)


@settings(max_examples=60)
@given(prompts=_PROMPTS, edits=_EDITS, own=st.booleans())
def test_what_is_drawn_is_never_lost_and_runs_come_to_rest(
    prompts: list[tuple[int, str, int | None, bool | None, bool]], edits: list[tuple[str, int]], own: bool
) -> None:
    options = OWN if own else {}
    labels = Labels()
    for number, name, index, said, outside in prompts:
        labels.draw(number, box(number / 80, label=name, index=index, keyframe=said, outside=outside))
    for kind, number in [("", 0), *edits]:
        lists = labels.out if own else labels.given
        found = lists.get(number, [])
        if kind == "draw":
            labels.draw(number, box(0.7, label="goat", index=1, keyframe=True), out=own)
        elif kind == "drag" and found:
            labels.edit(number, out=own, keyframe=True, bounding_box=[0.6, 0.1, 0.2, 0.2])
        elif kind == "delete" and found:
            found.pop()
        mine = _drawn_by_people(labels, own)
        labels.run(**options)
        now = _drawn_by_people(labels, own)
        assert {key: now.get(key) for key in mine} == mine
        labels.run(**options)
        assert labels.changes == []


def _drawn_by_people(labels: Labels, own: bool) -> dict[Any, Any]:
    """What a person drew, without the instance that a prompt may get; copies are as good as derived."""
    found = {}
    for lists, is_out in ((labels.given, False), (labels.out, True)):
        for number, documents in lists.items():
            for one in documents:
                is_copy = is_out and is_remembered(labels.memory, number - 1, one)
                if one.get("keyframe") is not False and not is_copy:
                    found[is_out, number, one["_id"]] = {k: v for k, v in one.items() if k != "instance"}
    return found
