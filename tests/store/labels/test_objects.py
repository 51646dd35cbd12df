"""Which labels are of one object."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import pytest
from bson import ObjectId
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.store.labels.objects import LabelledObject, instance_id_of, labels_in, objects_of

INSTANCES = [ObjectId(), ObjectId()]


def box(label: str | None = "goat", index: int | None = None, instance: ObjectId | None = None, **facts: Any) -> dict:
    """A stored Detection."""
    linked = {} if instance is None else {"instance": {"_cls": "Instance", "_id": instance}}
    return {"_cls": "Detection", "label": label, "index": index, **linked, **facts}


def found(*labels: tuple[int, Any]) -> tuple[list[list[int]], list[str]]:
    """The frames of each object, and what is said."""
    warnings: list[str] = []
    objects = objects_of(labels, warnings)
    return [[label.frame_index for label in labelled.labels] for labelled in objects], warnings


boxes = st.builds(
    box,
    label=st.sampled_from(["goat", "kid", None]),
    index=st.sampled_from([None, 1, 2]),
    instance=st.sampled_from([None, *INSTANCES]),
    keyframe=st.sampled_from([None, True, False]),
)
labelled_frames = st.lists(st.tuples(st.integers(0, 5), boxes), max_size=20)


def shape_of(objects: list[LabelledObject]) -> set[tuple[tuple[int, ...], ...]]:
    """The labels of each object by identity, whatever the order of objects."""
    return {tuple(sorted((x.frame_index, id(x.document)) for x in (*o.labels, *o.doubles))) for o in objects}


@given(labelled_frames)
def test_every_label_is_of_one_object_and_an_object_has_one_per_frame(labels: list[tuple[int, Any]]) -> None:
    objects = objects_of(labels)
    kept = [label for labelled in objects for label in (*labelled.labels, *labelled.doubles)]
    assert sorted(id(label.document) for label in kept) == sorted(id(document) for _, document in labels)
    for labelled in objects:
        frames = [label.frame_index for label in labelled.labels]
        assert frames == sorted(set(frames))
        assert {label.frame_index for label in labelled.doubles} <= set(frames)


@given(labelled_frames)
def test_the_order_in_which_frames_come_changes_nothing(labels: list[tuple[int, Any]]) -> None:
    by_frame = sorted(labels, key=lambda pair: -pair[0])
    assert shape_of(objects_of(labels)) == shape_of(objects_of(by_frame))


@given(labelled_frames)
def test_two_labels_that_say_the_same_are_of_one_object(labels: list[tuple[int, Any]]) -> None:
    key_of = {id(x.document): o.key for o in objects_of(labels) for x in (*o.labels, *o.doubles)}
    for _, one in labels:
        for _, other in labels:
            same = key_of[id(one)] == key_of[id(other)]
            if instance_id_of(one) or instance_id_of(other):
                assert same == (instance_id_of(one) == instance_id_of(other))
            elif one["index"] or other["index"]:
                assert same == ((one["label"], one["index"]) == (other["label"], other["index"]))


def test_an_instance_tells_before_an_index() -> None:
    one, other = INSTANCES
    assert found((0, box("goat", 1, one)), (1, box("kid", 2, one)), (2, box("goat", 1, other)))[0] == [[0, 1], [2]]


def test_label_and_index_tell_together() -> None:
    assert found((0, box("goat", 1)), (0, box("kid", 1)), (3, box("goat", 1)))[0] == [[0, 3], [0]]


def test_without_either_a_label_tells_where_no_frame_holds_two_of_it() -> None:
    objects, warnings = found((4, box("goat")), (0, box("goat")), (0, box("kid")))
    assert (objects, warnings) == ([[0, 4], [0]], [])


def test_else_each_label_is_an_object_of_its_own_and_their_number_is_said() -> None:
    objects, warnings = found((0, box("goat")), (0, box("goat")), (1, box("goat")), (1, box("kid")))
    assert objects == [[0], [0], [1], [1]]
    (warning,) = warnings
    assert warning.startswith("3 labels have neither an index nor an instance")


def test_several_without_an_index_in_one_frame_alone_are_no_doubt() -> None:
    assert found((2, box()), (2, box())) == ([[2], [2]], [])


def test_a_derived_label_beside_another_of_its_object_is_no_doubt() -> None:
    warnings: list[str] = []
    (labelled,) = objects_of([(6, box(index=3)), (6, box(index=3, keyframe=False))], warnings)
    assert (len(labelled.doubles), warnings) == (1, [])


def test_the_same_index_twice_in_a_frame_keeps_the_first_and_says_so() -> None:
    first, second = box(index=3), box(index=3)
    warnings: list[str] = []
    (labelled,) = objects_of([(6, first), (6, second), (7, box(index=3))], warnings)
    assert labelled.labels[0].document is first
    assert [x.document for x in labelled.doubles] == [second]
    (warning,) = warnings
    assert warning.startswith("1 labels are left out")
    assert "label 'goat', index 3 in frame 7" in warning


@pytest.mark.parametrize(("value", "state"), [(True, True), (False, False), (None, None), ("yes", None)])
def test_a_keyframe_has_three_states(value: object, state: bool | None) -> None:
    (labelled,) = objects_of([(0, box(keyframe=value))])
    assert labelled.labels[0].keyframe is state
    assert len(labelled.keyframes) == (state is True)


def test_labels_as_objects_and_as_documents_are_told_alike() -> None:
    instance = fo.Instance()
    labels = [
        fo.Detection(label="goat", bounding_box=[0, 0, 1, 1], instance=instance, keyframe=True),
        fo.Detection(label="kid", bounding_box=[0, 0, 1, 1], index=4),
        fo.Detection(label="kid", bounding_box=[0, 0, 1, 1]),
    ]
    documents = [label.to_dict() for label in labels]
    one, other = objects_of(enumerate(labels)), objects_of(enumerate(documents))
    assert [o.key for o in one] == [o.key for o in other]
    facts = [(o.label, o.index, o.instance_id, o.labels[0].keyframe, o.labels[0].frame_number) for o in one]
    assert facts == [(o.label, o.index, o.instance_id, o.labels[0].keyframe, o.labels[0].frame_number) for o in other]
    assert facts[0] == ("goat", None, str(instance.id), True, 1)


def test_labels_of_lists_single_labels_and_nothing() -> None:
    lines = fo.Polylines(polylines=[fo.Polyline(), fo.Polyline()])
    values = (lines, lines.to_dict(), lines.polylines[0], None, {"polylines": None})
    assert [len(labels_in(value)) for value in values] == [2, 2, 1, 0, 0]


class Counted(dict):
    """A label that counts how often it is asked."""

    asked = 0

    def get(self, *arguments: Any) -> Any:
        Counted.asked += 1
        return super().get(*arguments)


def test_what_many_labels_cost_grows_with_their_number() -> None:
    assert len(objects_of([(t, Counted(box(index=k))) for t in range(50) for k in range(100)])) == 100
    assert Counted.asked < 50 * 100 * 10
