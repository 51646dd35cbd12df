"""What a propagation has to do in one sample, told from its stored labels alone: nothing is read or written here.

Each object has prompts, which are never changed, and derived labels, which may be replaced:

- `keyframe=True`: a prompt;
- `keyframe=False`: derived, by an earlier run or by the App;
- not said: drawn by a person or a model, and a prompt too, unless `overwrite_unmarked` says otherwise.

Where the output is a field of its own, prompts are copied there. A keyframe in it that is no such copy was put there by
a person: it is a prompt itself, and outranks the input's in its frame.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...store.labels.objects import (
    LabelledObject,
    ObjectLabel,
    derived_id,
    instance_document,
    instance_id_of,
    objects_of,
)
from ...store.labels.shapes import shape_of
from ...tracker.coordinates import frame_index_of
from ...tracker.errors import PointTrackingError
from ...tracker.propagation import Keyframe, Stretch, digest_stretch, find_stretches
from .memory import FilledStretch, Memory, ObjectMemory
from .options import PropagateOptions

Lists = Mapping[int, Sequence[Mapping[str, Any]]]
"""The labels of a sample, by frame number, as they are stored."""


@dataclass(frozen=True)
class Clip:
    """What the labels belong to.

    Args:
        sample_id: of the sample
        size_px: (width, height) of the displayed frame
        num_frames: T
    """

    sample_id: str
    size_px: tuple[int, int]
    num_frames: int


@dataclass
class ObjectPlan:
    """What is to be done for one object.

    Args:
        identity: what it is called from run to run
        instance: that its labels get; None where they have another identity
        prompts: frame index -> label that is a prompt, as it is stored
        keyframes: the prompts' shapes, in order of time
        derived: frame index -> label in the output that may be replaced
        copies: frame index -> copy of a prompt as it shall stand in the output
        replaced_copies: frame index -> what stands there now
        stretches: all that can be filled, with what they are computed from
        stale: those of them that have to be computed
        removed: (frame index, label) in the output that have to go
    """

    identity: str
    instance: dict[str, Any] | None
    prompts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    keyframes: list[Keyframe] = field(default_factory=list)
    derived: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    copies: dict[int, dict[str, Any]] = field(default_factory=dict)
    replaced_copies: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    stretches: list[tuple[Stretch, FilledStretch]] = field(default_factory=list)
    stale: list[tuple[Stretch, FilledStretch]] = field(default_factory=list)
    removed: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)

    @property
    def num_to_fill(self) -> int:
        """Frames that are going to be computed."""
        return sum(filled.last - filled.first + 1 for _, filled in self.stale)


@dataclass
class SamplePlan:
    """What is to be done in one sample.

    Args:
        objects: those the run is about
        warnings: what the user should know, in words
        num_unmarked: labels that do not say whether they are keyframes, of objects that have keyframes
        num_without_identity: prompts in place that get an instance
        num_corrected: keyframes that a person put into an output field of its own
    """

    objects: list[ObjectPlan] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    num_unmarked: int = 0
    num_without_identity: int = 0
    num_corrected: int = 0

    @property
    def num_keyframes(self) -> int:
        return sum(len(one.keyframes) for one in self.objects)

    @property
    def num_to_fill(self) -> int:
        """Frames of all objects that are going to be computed."""
        return sum(one.num_to_fill for one in self.objects)

    @property
    def num_unchanged(self) -> int:
        """Frames of all objects that an earlier run filled from the same keyframes."""
        every = sum(filled.last - filled.first + 1 for one in self.objects for _, filled in one.stretches)
        return every - self.num_to_fill


def plan_sample(
    given: Lists,
    written: Lists,
    memory: Memory,
    clip: Clip,
    options: PropagateOptions,
    shown: Collection[Any] | None = None,
) -> SamplePlan:
    """Tells what is to be done.

    Args:
        given: labels of the input field
        written: labels of the output field; the same where labels are filled in place
        memory: of earlier runs
        clip: what the labels belong to
        options: what the run is told
        shown: ids of the labels that a view shows; objects without any are left alone. None = all

    Returns:
        the plan
    """
    plan = SamplePlan()
    found = objects_of(_flat(given), plan.warnings)
    chosen = [one for one in found if _is_chosen(one, options, shown)]
    if options.in_place:
        for labelled in chosen:
            _add(plan, _in_place(labelled, plan, clip, options), memory, clip, options)
        return plan
    written_objects = {_identity(one, clip, options): one for one in objects_of(_flat(written))}
    for labelled in chosen:
        identity = _identity(labelled, clip, options)
        there = written_objects.pop(identity, None)
        one = _with_copies(identity, labelled, there, memory.get(identity, ObjectMemory()), plan, clip, options)
        _add(plan, one, memory, clip, options)
    gone = set(memory) - {_identity(one, clip, options) for one in found}
    for identity, labelled in written_objects.items():
        # what a person drew in the output alone, and what is left of objects whose prompts were all deleted
        if identity in gone or (identity not in memory and labelled.keyframes and _is_chosen(labelled, options, shown)):
            remembered = memory.get(identity, ObjectMemory())
            _add(plan, _with_copies(identity, None, labelled, remembered, plan, clip, options), memory, clip, options)
    return plan


def fingerprint(document: Mapping[str, Any]) -> str:
    """Tells whether a label is still as it was written."""
    content = sorted((key, repr(value)) for key, value in document.items() if key != "_id")
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _flat(lists: Lists) -> Iterable[tuple[int, Mapping[str, Any]]]:
    return [(frame_index_of(number), label) for number, labels in lists.items() for label in labels]


def _is_chosen(labelled: LabelledObject, options: PropagateOptions, shown: Collection[Any] | None) -> bool:
    if options.classes is not None and labelled.label not in options.classes:
        return False
    return shown is None or any(label.document["_id"] in shown for label in labelled.labels)


def _identity(labelled: LabelledObject, clip: Clip, options: PropagateOptions) -> str:
    """The id of the instance that the object's labels have or get; in place, index and label where they have those."""
    if labelled.instance_id is not None:
        return labelled.instance_id
    if options.in_place and labelled.key[0] == "index":
        return f"{labelled.key[1]} {labelled.key[2]}"
    key = labelled.labels[0].document["_id"] if labelled.key[0] == "alone" else labelled.key
    return str(derived_id(clip.sample_id, options.target_field, key))


def _instance(identity: str, labelled: LabelledObject, options: PropagateOptions) -> dict[str, Any] | None:
    if options.in_place and labelled.instance_id is None and labelled.key[0] == "index":
        return None
    return instance_document(identity)


def _in_place(labelled: LabelledObject, plan: SamplePlan, clip: Clip, options: PropagateOptions) -> ObjectPlan:
    identity = _identity(labelled, clip, options)
    one = ObjectPlan(identity, _instance(identity, labelled, options))
    unmarked_too = not (options.overwrite_unmarked and labelled.keyframes)
    for label in labelled.labels:
        is_prompt = bool(label.keyframe) or (label.keyframe is None and unmarked_too)
        (one.prompts if is_prompt else one.derived)[label.frame_index] = label.document
    plan.num_unmarked += _count_unmarked(labelled)
    if one.instance is not None and labelled.instance_id is None:
        plan.num_without_identity += len(one.prompts)
    return one


def _count_unmarked(labelled: LabelledObject) -> int:
    return sum(label.keyframe is None for label in labelled.labels) if labelled.keyframes else 0


def _with_copies(
    identity: str,
    labelled: LabelledObject | None,
    there: LabelledObject | None,
    remembered: ObjectMemory,
    plan: SamplePlan,
    clip: Clip,
    options: PropagateOptions,
) -> ObjectPlan:
    """An object with an output field of its own.

    Args:
        labelled: in the input; None where it is gone from there, or never was
        there: in the output
    """
    one = ObjectPlan(identity, instance_document(identity))
    prompts = {} if labelled is None else _prompts_of(labelled, options)
    if labelled is not None:
        plan.num_unmarked += _count_unmarked(labelled)
    wanted = {t: _copy(document, one.instance, clip, options) for t, document in prompts.items()}
    for label in () if there is None else there.labels:
        t, document = label.frame_index, label.document
        if label.keyframe is False:
            one.derived[t] = document
        elif _is_copy(label, remembered, wanted.get(t)):
            one.replaced_copies[t] = document
        else:
            plan.num_corrected += 1
            wanted.pop(t, None)
            one.prompts[t] = document
    for t, copy in wanted.items():
        stored = one.replaced_copies.get(t) or one.derived.pop(t, None)
        if stored is not None:
            one.replaced_copies[t] = stored
            copy["_id"] = stored["_id"]
        one.copies[t] = copy
        one.prompts[t] = prompts[t]
    one.removed += [(t, document) for t, document in one.replaced_copies.items() if t not in one.copies]
    return one


def _prompts_of(labelled: LabelledObject, options: PropagateOptions) -> dict[int, Mapping[str, Any]]:
    marked_only = options.overwrite_unmarked and bool(labelled.keyframes)
    return {
        label.frame_index: label.document
        for label in labelled.labels
        if label.keyframe or (label.keyframe is None and not marked_only)
    }


def _is_copy(label: ObjectLabel, remembered: ObjectMemory, copy: Mapping[str, Any] | None) -> bool:
    """Whether a keyframe in the output is ours: as it was written, or as it would be written now."""
    now = fingerprint(label.document)
    written = remembered.copies.get(str(label.document["_id"]))
    return now == written or (copy is not None and now == fingerprint(copy))


def _copy(
    document: Mapping[str, Any], instance: dict[str, Any] | None, clip: Clip, options: PropagateOptions
) -> dict[str, Any]:
    new_id = derived_id(clip.sample_id, options.target_field, document["_id"])
    copy = {**document, "_id": new_id, "keyframe": True}
    return copy if instance is None or instance_id_of(document) is not None else {**copy, "instance": instance}


def _add(plan: SamplePlan, one: ObjectPlan, memory: Memory, clip: Clip, options: PropagateOptions) -> None:
    """Adds an object with what has to be computed for it."""
    one.keyframes = _keyframes(one, clip, plan.warnings)
    if not one.keyframes and one.identity not in memory:
        return  # nothing to go from, and nothing of ours
    try:
        stretches = find_stretches(one.keyframes, clip.num_frames, options.direction)
    except PointTrackingError as error:
        plan.warnings.append(f"one object is left out: {error}")
        return
    known = memory.get(one.identity, ObjectMemory()).digests
    first, last = _frames(options, clip)
    for stretch in stretches:
        low, high = max(stretch.first, first), min(stretch.last, last)
        if low > high:
            continue
        made_with = {**options.made_with, "video": (clip.size_px, clip.num_frames), "filled": (low, high)}
        filled = FilledStretch(low, high, digest_stretch(stretch, one.keyframes, made_with))
        one.stretches.append((stretch, filled))
        if filled.digest not in known:
            one.stale.append((stretch, filled))
    # what another direction reaches is left as an earlier run made it
    within = find_stretches(one.keyframes, clip.num_frames)
    reached = {t for stretch in within for t in range(stretch.first, stretch.last + 1)}
    one.removed += [(t, document) for t, document in one.derived.items() if t not in reached and first <= t <= last]
    plan.objects.append(one)


def _keyframes(one: ObjectPlan, clip: Clip, warnings: list[str]) -> list[Keyframe]:
    keyframes = []
    for t, document in sorted(one.prompts.items()):
        if t >= clip.num_frames:
            warnings.append(f"the label in frame {t + 1} lies past the end of the video ({clip.num_frames} frames)")
            continue
        try:
            shape = None if document.get("outside") is True else shape_of(document, clip.size_px)
        except PointTrackingError as error:
            warnings.append(f"the label {document.get('label')!r} in frame {t + 1} is left out: {error}")
            continue
        keyframes.append(Keyframe(t, shape))
    return keyframes


def _frames(options: PropagateOptions, clip: Clip) -> tuple[int, int]:
    """First and last frame index that are filled."""
    if options.frames is None:
        return 0, clip.num_frames - 1
    first, last = (frame_index_of(number) for number in options.frames)
    return first, min(last, clip.num_frames - 1)
