"""Which labels of a video are of one object: said here once, for tracking, propagation and correction.

An object is told by the `instance` of its labels; else by their label and `index`; else by
their label, where no frame holds two of it; else each label is an object of its own.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import fiftyone as fo
from bson import ObjectId

from ...tracker.coordinates import frame_number_of

# a label as FiftyOne stores it, or as the object that FiftyOne makes of it
LabelDocument = Mapping[str, Any] | fo.Label
ObjectKey = tuple[Any, ...]
# the list of labels in a label field's document
LISTS = {"Detections": "detections", "Keypoints": "keypoints", "Polylines": "polylines"}


@dataclass(frozen=True, eq=False)
class ObjectLabel:
    """A label of an object in one frame.

    Args:
        frame_index: of its frame, from 0
        document: the label as it was given
    """

    frame_index: int
    document: LabelDocument

    @property
    def frame_number(self) -> int:
        """Of its frame, from 1."""
        return frame_number_of(self.frame_index)

    @property
    def keyframe(self) -> bool | None:
        """True = drawn where the person saw it; False = derived from others; None = nothing is said of it."""
        value = attribute_of(self.document, "keyframe")
        return bool(value) if isinstance(value, bool | int) else None


@dataclass(frozen=True, eq=False)
class LabelledObject:
    """An object and its labels.

    Args:
        key: ("instance", id), ("index", label, index), ("label", label) or ("alone", number)
        labels: at most one per frame, by frame
        doubles: further labels in frames that have one already, by frame
    """

    key: ObjectKey
    labels: list[ObjectLabel] = field(default_factory=list)
    doubles: list[ObjectLabel] = field(default_factory=list)

    @property
    def label(self) -> str | None:
        """What it is called in its first label that says so."""
        return self._first("label")

    @property
    def index(self) -> int | None:
        """Its index in its first label that has one."""
        return self._first("index")

    @property
    def instance_id(self) -> str | None:
        """The id of its instance."""
        return instance_id_of(self.labels[0].document)

    @property
    def keyframes(self) -> list[ObjectLabel]:
        """The labels that are marked as keyframes."""
        return [label for label in self.labels if label.keyframe]

    def _first(self, name: str) -> Any:
        values = (attribute_of(label.document, name) for label in self.labels)
        return next((value for value in values if value is not None), None)


def objects_of(labels: Iterable[tuple[int, LabelDocument]], warnings: list[str] | None = None) -> list[LabelledObject]:
    """Tells the labels of a video's objects apart.

    Args:
        labels: (frame index from 0, label) in any order of frames; of the same frame in the order of its list
        warnings: receives what the user should know, in words

    Returns:
        the objects in the order of their first frames
    """
    ordered = sorted(labels, key=lambda pair: pair[0])
    own_keys = [_own_key(document) for _, document in ordered]
    alone = _labels_alone(ordered, own_keys)
    found: dict[ObjectKey, LabelledObject] = {}
    for number, ((frame_index, document), own) in enumerate(zip(ordered, own_keys, strict=True)):
        name = attribute_of(document, "label")
        key = own or (("alone", number) if name in alone else ("label", name))
        labelled = found.setdefault(key, LabelledObject(key))
        taken = bool(labelled.labels) and labelled.labels[-1].frame_index == frame_index
        (labelled.doubles if taken else labelled.labels).append(ObjectLabel(frame_index, document))
    objects = list(found.values())
    if warnings is not None:
        warnings.extend(_doubts(objects))
    return objects


def labels_in(value: Mapping[str, Any] | fo.Label | None) -> Sequence[LabelDocument]:
    """The labels in what a label field holds for a frame or sample: those of its list, or itself."""
    if value is None:
        return ()
    cls = value.get("_cls") if isinstance(value, Mapping) else type(value).__name__
    if cls in LISTS:
        return attribute_of(value, LISTS[cls]) or ()
    # where a frame has nothing, a view that filters makes {"detections": None} of it
    return () if cls is None else (value,)


def attribute_of(document: LabelDocument, name: str) -> Any:
    """An attribute of a label, declared or not; None where it has none of that name."""
    if isinstance(document, Mapping):
        return document.get(name)
    return getattr(document, name, None)


def instance_id_of(document: LabelDocument) -> str | None:
    """The id of a label's instance; None where it has none."""
    instance = attribute_of(document, "instance")
    if instance is None:
        return None
    number = instance.get("_id") if isinstance(instance, Mapping) else instance.id
    return None if number is None else str(number)


def derived_id(*names: object) -> ObjectId:
    """An id for something of that name, the same whenever it is asked for."""
    return ObjectId(hashlib.sha256("\n".join(map(str, names)).encode()).hexdigest()[:24])


def instance_document(instance_id: str) -> dict[str, Any]:
    """What a label's document says of its instance."""
    return {"_id": ObjectId(instance_id), "_cls": "Instance"}


def _own_key(document: LabelDocument) -> ObjectKey | None:
    """Which object a label is of, as far as it says so itself."""
    instance = instance_id_of(document)
    if instance is not None:
        return "instance", instance
    index = attribute_of(document, "index")
    return None if index is None else ("index", attribute_of(document, "label"), index)


def _labels_alone(ordered: Sequence[tuple[int, LabelDocument]], own_keys: Sequence[ObjectKey | None]) -> set[Any]:
    """What labels are called of which a frame holds two that do not say which object they are of."""
    nameless = (pair for pair, key in zip(ordered, own_keys, strict=True) if key is None)
    counts = Counter((frame_index, attribute_of(document, "label")) for frame_index, document in nameless)
    return {name for (_, name), number in counts.items() if number > 1}


def _doubts(objects: Sequence[LabelledObject]) -> list[str]:
    """What may be meant otherwise, in words."""
    doubts = []
    alone = [labelled for labelled in objects if labelled.key[0] == "alone"]
    # in a single frame they are as many objects indeed
    if len({labelled.labels[0].frame_index for labelled in alone}) > 1:
        doubts.append(
            f"{len(alone)} labels have neither an index nor an instance, and some frames hold several with the same "
            "label, so each of them is taken for an object of its own. Give the labels of one object the same index"
        )
    drawn = [(labelled, double) for labelled in objects for double in labelled.doubles if double.keyframe is not False]
    if drawn:
        (labelled, first), number = drawn[0], len(drawn)
        doubts.append(
            f"{number} labels are left out: their frame holds another label of the same object "
            f"({_called(labelled)} in frame {first.frame_number}). Give each object an index of its own"
        )
    return doubts


def _called(labelled: LabelledObject) -> str:
    """An object by the names a person knows it by."""
    name = f"label {labelled.label!r}"
    if labelled.key[0] == "instance":
        return f"{name}, instance {labelled.key[1]}"
    return name if labelled.index is None else f"{name}, index {labelled.index}"
