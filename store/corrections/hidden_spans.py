"""Where a person hid tracks: kept in the sample's mark, so that a rerun does not show them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

Span: TypeAlias = tuple[int, int, int]
"""Index of the track, first frame index, and the one to stop before."""


def hidden_spans(mark: Mapping[str, Any] | None) -> list[Span]:
    """The spans that a sample's mark holds."""
    return [(int(index), int(first), int(stop)) for index, first, stop in (mark or {}).get("hidden") or ()]


def with_hidden(spans: Iterable[Span], indices: Iterable[int], first: int, stop: int) -> list[Span]:
    """The same with some tracks hidden in some frames; those of a track that lie within are one with it."""
    hidden = set(indices)
    kept = [one for one in spans if not (one[0] in hidden and first <= one[1] and one[2] <= stop)]
    return sorted([*kept, *((index, first, stop) for index in hidden)])


def without_hidden(spans: Iterable[Span], seen: Iterable[tuple[int, int]]) -> list[Span]:
    """The same without those that a later correction contradicts.

    Args:
        spans: as they are
        seen: (index, frame index) of tracks that a person placed
    """
    places = set(seen)
    return [span for span in spans if not any(index == span[0] and span[1] <= t < span[2] for index, t in places)]


def is_hidden(spans: Sequence[Span], index: int, t: int) -> bool:
    """Whether a person hid a track in a frame."""
    return any(one == index and first <= t < stop for one, first, stop in spans)
