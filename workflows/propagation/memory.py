"""What a sample's carried labels were made from, so that a second run does no more than what was changed asks for.

It is kept in a field of the sample, `<output field>_propagation`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class FilledStretch:
    """A stretch of frames of an object that was filled.

    Args:
        first, last: frame indices, both included
        digest: of all it was computed from
    """

    first: int
    last: int
    digest: str


@dataclass(frozen=True)
class ObjectMemory:
    """What was written for one object.

    Args:
        stretches: that were filled
        copies: of prompts in a field of their own: label id -> fingerprint of the label as it was written
    """

    stretches: tuple[FilledStretch, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)

    @property
    def digests(self) -> set[str]:
        """Of all stretches."""
        return {stretch.digest for stretch in self.stretches}


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
        found[row["identity"]] = ObjectMemory(stretches, dict(row["copies"]))
    return found


def memory_document(memory: Memory) -> dict[str, Any]:
    """What is stored of it; a list, since what an object is called may be no key in MongoDB."""
    rows = [{"identity": name, **asdict(one)} for name, one in memory.items()]
    return {"objects": [{**row, "stretches": list(row["stretches"])} for row in rows]}
