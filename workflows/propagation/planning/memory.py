"""What a sample's carried labels were made from, so that a second run does no more than what was changed asks for.

It is kept in a field of the sample, `<output field>_propagation`. Copies of prompts in an output field of its own are
told apart from what a person drew there by their fingerprints.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from ....store.labels.objects import derived_id, instance_id_of
from ..options import PropagateOptions

# the id is remembered beside it, and a tag corrects nothing
_NOT_OF_CONTENT = ("_id", "tags")


@dataclass(frozen=True)
class FilledStretch:
    """Frames of an object that were filled from the same keyframes: a stretch, or a part of one.

    Args:
        first, last: frame indices, both included
        digest: of all they were computed from
    """

    first: int
    last: int
    digest: str

    @property
    def num_frames(self) -> int:
        return self.last - self.first + 1

    def without(self, frames: Iterable[FilledStretch] | np.ndarray) -> list[FilledStretch]:
        """What is left of it.

        Args:
            frames: that are taken away; stretches, or indices in any order
        """
        left = np.ones(self.num_frames, dtype=bool)
        if isinstance(frames, np.ndarray):
            inside = frames[(frames >= self.first) & (frames <= self.last)]
            left[inside - self.first] = False
        else:
            for other in frames:
                left[max(other.first - self.first, 0) : max(other.last - self.first + 1, 0)] = False
        edges = np.flatnonzero(np.diff(np.concatenate([[False], left, [False]]).astype(np.int8)))
        pairs = edges.reshape(-1, 2)  # (runs, 2): first, one past the last
        return [replace(self, first=self.first + int(a), last=self.first + int(b) - 1) for a, b in pairs]


@dataclass(frozen=True)
class ObjectMemory:
    """What was written for one object.

    Args:
        stretches: that were filled
        copies: of prompts in a field of their own: label id -> fingerprint of the label as it was written
        pending: the same of copies that a run was about to write when it died
    """

    stretches: tuple[FilledStretch, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    pending: Mapping[str, str] = field(default_factory=dict)

    def missing(self, wanted: FilledStretch) -> list[FilledStretch]:
        """The parts that were not yet filled from the same keyframes."""
        return wanted.without([one for one in self.stretches if one.digest == wanted.digest])

    def without(self, frames: np.ndarray) -> ObjectMemory:
        """The same, but for what it knows of some frames."""
        return replace(self, stretches=tuple(part for one in self.stretches for part in one.without(frames)))

    def with_filled(self, filled: Iterable[FilledStretch]) -> ObjectMemory:
        """The same, and what was filled since."""
        return replace(self, stretches=tuple(sorted([*self.stretches, *filled], key=lambda one: one.first)))


Memory = dict[str, ObjectMemory]
"""What was written for a sample, by the identity of its objects."""


def memory_field_of(output_field: str) -> str:
    """The sample field that remembers what labels in a field were made from."""
    return f"{output_field}_propagation"


def memory_from(stored: Mapping[str, Any] | None) -> Memory:
    """Reads what `memory_document` made; nothing where nothing is stored."""
    found: Memory = {}
    for row in (stored or {}).get("objects", ()):
        stretches = tuple(FilledStretch(**stretch) for stretch in row["stretches"])
        found[row["identity"]] = ObjectMemory(stretches, dict(row["copies"]), dict(row.get("pending") or {}))
    return found


def memory_document(memory: Memory) -> dict[str, Any]:
    """What is stored of it; a list, since what an object is called may be no key in MongoDB."""
    rows = [
        {
            "identity": identity,
            "stretches": [asdict(stretch) for stretch in one.stretches],
            "copies": dict(one.copies),
            "pending": dict(one.pending),
        }
        for identity, one in memory.items()
    ]
    return {"objects": rows}


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
