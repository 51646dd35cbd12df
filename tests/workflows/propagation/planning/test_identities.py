"""Objects are called the same from run to run."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
from propagation_labels import CLIP, box

from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.identities import KnownObject, known_objects

IN_PLACE = PropagateOptions(field="box")
OWN = PropagateOptions(field="box", output_field="out")


def _known(*labels: tuple[int, fo.Label], options: PropagateOptions = OWN, **more: Any) -> dict[str, KnownObject]:
    lists: dict[int, list[Any]] = {}
    for number, label in labels:
        lists.setdefault(number, []).append(label.to_dict())
    return known_objects(lists, CLIP.sample_id, options, **more)


def test_an_instance_is_the_identity() -> None:
    known = fo.Instance()
    for options in (IN_PLACE, OWN):
        assert list(_known((5, box(instance=known, index=3)), options=options)) == [str(known.id)]


def test_label_and_index_are_the_identity_in_place_and_elsewhere_an_id_is_derived_from_them() -> None:
    assert list(_known((5, box(index=3)), options=IN_PLACE)) == ["goat 3"]
    (one,), (again,) = _known((5, box(index=3))), _known((9, box(index=3)), (5, box(index=3)))
    assert one == again
    assert len(one) == 24
    assert list(_known((5, box(index=4)))) != [one]


def test_labels_alone_in_their_frames_are_called_by_their_own_id() -> None:
    labels = [(5, box()), (5, box(0.6)), (6, box())]
    first, second = _known(*labels), _known(*reversed(labels))
    assert len(first) == 3
    assert set(first) == set(second)


def test_a_nameless_label_joins_the_object_that_was_given_an_instance_for_its_name() -> None:
    (identity,) = _known((5, box()))
    given = fo.Instance.from_dict({"_id": identity, "_cls": "Instance"})
    joined = _known((5, box(instance=given)), (9, box()))
    assert list(joined) == [identity]
    assert sorted(joined[identity].labels) == [4, 8]
    assert len(_known((5, box(instance=given)), (5, box()), (9, box()))) == 2


def test_what_is_drawn_counts_before_what_is_derived_whatever_comes_first() -> None:
    for order in (1, -1):
        labels = [(5, box(0.1, keyframe=False, index=3)), (5, box(0.4, keyframe=True, index=3))][::order]
        (one,) = _known(*labels).values()
        assert one.labels[4].document["bounding_box"][0] == 0.4
        assert [label.document["bounding_box"][0] for label in one.surplus] == [0.1]


def test_a_drawn_label_counts_before_a_copy_and_a_second_drawn_one_is_no_surplus() -> None:
    labels = [(5, box(0.1, keyframe=True, index=3)), (5, box(0.4, keyframe=True, index=3))]
    warnings: list[str] = []
    (one,) = _known(*labels, warnings=warnings).values()
    assert (one.labels[4].document["bounding_box"][0], one.surplus) == (0.1, [])
    assert "1 labels are left out" in warnings[0]
    (one,) = _known(*labels, is_copy=lambda t, label: label["bounding_box"][0] == 0.1).values()
    assert one.labels[4].document["bounding_box"][0] == 0.4
    assert len(one.surplus) == 1
    assert one.drawn_frames(lambda t, label: True) == set()


def test_a_person_calls_it_by_label_and_index() -> None:
    names = [one.name for one in _known((5, box(index=3)), (6, box(label=None)), (7, box(label="dog"))).values()]
    assert names == ["goat 3", "object", "dog"]
