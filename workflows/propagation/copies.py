"""Prompts copied into an output field of its own, and told apart there from what a person drew."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...store.labels.objects import derived_id, instance_id_of
from .memory import Memory
from .options import PropagateOptions

# the id is remembered beside it, and a tag corrects nothing
_NOT_OF_CONTENT = ("_id", "tags")


def fingerprint(document: Mapping[str, Any], t: int) -> str:
    """Tells whether a label in a frame is still as it was written.

    Args:
        document: the label as it is stored
        t: index of its frame
    """
    # what FiftyOne adds when it saves a label that was loaded says nothing
    said = {key: value for key, value in document.items() if value is not None and value not in ({}, [])}
    content = sorted((key, repr(value)) for key, value in said.items() if key not in _NOT_OF_CONTENT)
    return hashlib.sha256(repr((t, content)).encode()).hexdigest()[:16]


def copy_of(
    document: Mapping[str, Any], instance: Mapping[str, Any] | None, sample_id: str, options: PropagateOptions
) -> dict[str, Any]:
    """A prompt as it stands in the output field.

    Args:
        document: the prompt
        instance: that it gets where it has none
        sample_id: of the sample
        options: what the run is told
    """
    new_id = derived_id(sample_id, options.target_field, document["_id"])
    copy = {**document, "_id": new_id, "keyframe": True}
    return copy if instance is None or instance_id_of(document) is not None else {**copy, "instance": dict(instance)}


def is_remembered(memory: Memory, t: int, document: Mapping[str, Any]) -> bool:
    """Whether a label is a copy that stands as an earlier run wrote it.

    Args:
        memory: of that run
        t: index of the label's frame
        document: the label
    """
    if document.get("keyframe") is False:
        return False
    label_id = str(document["_id"])
    prints = {known.get(label_id) for one in memory.values() for known in (one.copies, one.pending)} - {None}
    return bool(prints) and fingerprint(document, t) in prints
