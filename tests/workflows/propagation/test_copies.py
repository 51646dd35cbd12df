"""Prompts copied into a field of their own."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import pytest
from propagation_labels import CLIP, box

from point_tracking.workflows.propagation.copies import copy_of, fingerprint, is_remembered
from point_tracking.workflows.propagation.memory import ObjectMemory
from point_tracking.workflows.propagation.options import PropagateOptions

OPTIONS = PropagateOptions(field="box", output_field="out")
INSTANCE = fo.Instance().to_dict()


@pytest.mark.parametrize(
    "change",
    [{"bounding_box": [0, 0, 1, 1]}, {"label": "dog"}, {"keyframe": False}, {"outside": True}, {"weather": "rain"}],
)
def test_whatever_a_person_changes_changes_the_fingerprint(change: dict[str, Any]) -> None:
    document = box(keyframe=True).to_dict()
    assert fingerprint({**document, **change}, 3) != fingerprint(document, 3)


def test_id_tags_and_order_do_not_and_the_frame_does() -> None:
    document = box(keyframe=True).to_dict()
    same = {**dict(reversed(document.items())), "_id": 1, "tags": ["x"]}
    assert fingerprint(same, 3) == fingerprint(document, 3)
    assert fingerprint(document, 4) != fingerprint(document, 3)


def test_what_fiftyone_adds_when_it_saves_says_nothing() -> None:
    document = box(keyframe=True).to_dict()
    more = {**document, "attributes": {}, "occluded": None, "points": []}
    assert fingerprint(more, 3) == fingerprint(document, 3)


def test_a_copy_is_a_keyframe_with_an_id_of_its_own_that_is_always_the_same() -> None:
    document = box(weather="rain", index=3).to_dict()
    one, again = (copy_of(document, INSTANCE, CLIP.sample_id, OPTIONS) for _ in range(2))
    assert one == again
    assert one["_id"] != document["_id"]
    expected = {**document, "_id": one["_id"], "keyframe": True, "instance": INSTANCE}
    assert one == expected
    assert copy_of(document, INSTANCE, "6" * 24, OPTIONS)["_id"] != one["_id"]


def test_a_prompts_own_instance_stays() -> None:
    own = fo.Instance()
    assert copy_of(box(instance=own).to_dict(), INSTANCE, CLIP.sample_id, OPTIONS)["instance"] == own.to_dict()


def test_a_copy_is_known_as_long_as_nobody_changed_it() -> None:
    document = box(keyframe=True).to_dict()
    known = {str(document["_id"]): fingerprint(document, 3)}
    assert is_remembered({"a": ObjectMemory((), {str(document["_id"]): "old"}, known)}, 3, document)
    memory = {"a": ObjectMemory(), "b": ObjectMemory((), known)}
    assert is_remembered(memory, 3, document)
    assert not is_remembered(memory, 3, {**document, "bounding_box": [0, 0, 1, 1]})
    assert not is_remembered(memory, 3, {**document, "keyframe": False})
    assert not is_remembered(memory, 3, box(keyframe=True).to_dict())
    assert not is_remembered({}, 3, document)
