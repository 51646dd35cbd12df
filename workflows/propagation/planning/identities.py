"""Which objects a sample's labels are of, called the same from run to run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ....store.labels.objects import LabelledObject, ObjectLabel, derived_id, objects_of
from ....tracker.coordinates import frame_index_of
from ..options import PropagateOptions

Lists = Mapping[int, Sequence[Mapping[str, Any]]]
"""The labels of a sample, by frame number, as they are stored."""

IsCopy = Callable[[int, Mapping[str, Any]], bool]
"""Whether a label, in a frame with this index, is a copy that an earlier run made of a prompt."""


@dataclass(frozen=True, eq=False)
class KnownObject:
    """An object and its labels in one field.

    Args:
        identity: the id of the instance that its labels have or get; in place, label and index where they have those
        labelled: as `objects_of` found it
        labels: the one that counts in each frame: what is drawn before what is derived
        surplus: derived labels and copies in frames where another counts
    """

    identity: str
    labelled: LabelledObject
    labels: dict[int, ObjectLabel] = field(default_factory=dict)
    surplus: list[ObjectLabel] = field(default_factory=list)

    @property
    def has_keyframes(self) -> bool:
        return any(label.keyframe for label in self.labels.values())

    def drawn_frames(self, is_copy: IsCopy | None) -> set[int]:
        """Frames with a label that is neither derived nor a copy."""
        return {t for t, label in self.labels.items() if _rank(label, is_copy) < _COPY_RANK}

    @property
    def name(self) -> str:
        """What a person calls it."""
        index = "" if self.labelled.index is None else f" {self.labelled.index}"
        return f"{self.labelled.label or 'object'}{index}"

    def add(self, label: ObjectLabel, is_copy: IsCopy | None) -> None:
        """Adds a label, which counts in its frame if it outranks what is there."""
        there = self.labels.get(label.frame_index)
        if there is not None and _rank(label, is_copy) < _rank(there, is_copy):
            there, label = label, there
        self.labels[label.frame_index] = there or label
        if there is not None and _rank(label, is_copy) >= _COPY_RANK:
            self.surplus.append(label)


_COPY_RANK = 2


def _rank(label: ObjectLabel, is_copy: IsCopy | None) -> int:
    if label.keyframe is False:
        return _COPY_RANK + 1
    if is_copy is not None and is_copy(label.frame_index, label.document):  # pyright: ignore[reportArgumentType]
        return _COPY_RANK
    return 0 if label.keyframe else 1


def known_objects(
    lists: Lists,
    sample_id: str,
    options: PropagateOptions,
    warnings: list[str] | None = None,
    *,
    is_copy: IsCopy | None = None,
) -> dict[str, KnownObject]:
    """Tells the objects of a field apart.

    A label without an identity of its own is of the object that earlier runs gave an instance to because it is called
    the same, unless one frame holds drawn labels of both.

    Args:
        lists: the labels of the field
        sample_id: of the sample
        options: what the run is told
        warnings: receives what the user should know, in words
        is_copy: tells copies from what is drawn

    Returns:
        the objects, by their identity
    """
    found: dict[str, KnownObject] = {}
    labelled_objects = objects_of(_flat(lists, is_copy), warnings)
    # those that say themselves who they are come first
    for labelled in sorted(labelled_objects, key=lambda one: one.instance_id is None):
        identity = _identity(labelled, sample_id, options)
        one = KnownObject(identity, labelled)
        for label in (*labelled.labels, *labelled.doubles):
            one.add(label, is_copy)
        same = found.get(identity)
        if same is None:
            found[identity] = one
        elif same.drawn_frames(is_copy) & one.drawn_frames(is_copy):
            own = str(derived_id(sample_id, options.target_field, labelled.labels[0].document["_id"]))
            found[own] = KnownObject(own, labelled, one.labels, one.surplus)
        else:
            for label in (*one.labels.values(), *one.surplus):
                same.add(label, is_copy)
    return found


def _flat(lists: Lists, is_copy: IsCopy | None) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """All labels, those that count first within their frame."""
    for number, labels in lists.items():
        t = frame_index_of(number)
        ranked = sorted(labels, key=lambda label, t=t: _rank(ObjectLabel(t, label), is_copy))
        yield from ((t, label) for label in ranked)


def _identity(labelled: LabelledObject, sample_id: str, options: PropagateOptions) -> str:
    if labelled.instance_id is not None:
        return labelled.instance_id
    if options.in_place and labelled.key[0] == "index":
        return f"{labelled.key[1]} {labelled.key[2]}"
    key = labelled.labels[0].document["_id"] if labelled.key[0] == "alone" else labelled.key
    return str(derived_id(sample_id, options.target_field, key))
