"""What a sample's carried labels were made from, so that a second run does no more than what was changed asks for.

It is kept in a field of the sample, `<output field>_propagation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np


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
        found[row["identity"]] = ObjectMemory(stretches, dict(row["copies"]), dict(row["pending"]))
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
