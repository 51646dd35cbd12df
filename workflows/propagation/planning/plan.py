"""What a propagation has to do in one sample, told from its stored labels alone: nothing is read or written here.

Each object has prompts, which are never changed, and derived labels, which may be replaced:

- `keyframe=True`: a prompt;
- `keyframe=False`: derived, by an earlier run or by the App;
- not said: drawn by a person or a model, and a prompt too, unless `overwrite_unmarked` says otherwise.

Where the output is a field of its own, prompts are copied there. A keyframe in it that is no such copy was put there by
a person: it is a prompt itself, and outranks the input's in its frame.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ....store.labels.objects import ObjectLabel, instance_document
from ....tracker.errors import PointTrackingError
from ....tracker.propagation import Keyframe, Stretch, digest_stretch, find_stretches
from ..options import PropagateOptions
from .identities import KnownObject, Lists, known_objects
from .memory import FilledStretch, Memory, ObjectMemory, copy_of, fingerprint, is_remembered
from .prompts import Clip, frames_to_fill, keyframes_of


@dataclass
class ObjectPlan:
    """What is to be done for one object.

    Args:
        identity: what it is called from run to run
        name: what a person calls it
        instance: that its labels get; None where they have another identity
        prompts: frame index -> label that is a prompt, as it is stored
        keyframes: the prompts' shapes, in order of time
        kept: indices of frames whose label in the output is a prompt, and stays
        derived: frame index -> label in the output that may be replaced
        copies: frame index -> (what stands there now or None, copy of a prompt as it shall stand there)
        stretches: all that can be filled, with what they are computed from
        stale: those of them, and parts of them, that have to be computed
        removed: (frame index, label) in the output that have to go
        memory: of earlier runs, as far as it will still be true when this one has written
        copies_before: ids and fingerprints of copies that stand in the output until then
    """

    identity: str
    name: str
    instance: dict[str, Any] | None
    prompts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    keyframes: list[Keyframe] = field(default_factory=list)
    kept: set[int] = field(default_factory=set)
    derived: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    copies: dict[int, tuple[Mapping[str, Any] | None, dict[str, Any]]] = field(default_factory=dict)
    stretches: list[FilledStretch] = field(default_factory=list)
    stale: list[tuple[Stretch, FilledStretch]] = field(default_factory=list)
    removed: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    memory: ObjectMemory = field(default_factory=ObjectMemory)
    copies_before: Mapping[str, str] = field(default_factory=dict)

    @property
    def num_to_fill(self) -> int:
        """Frames that are going to be computed."""
        return sum(filled.num_frames for _, filled in self.stale)

    @property
    def memory_while_writing(self) -> ObjectMemory:
        """What is known as long as it is not known whether old or new copies stand in the output."""
        new = {str(copy["_id"]): fingerprint(copy, t) for t, (_, copy) in self.copies.items()}
        return ObjectMemory(self.memory.stretches, self.copies_before, new)


@dataclass
class SamplePlan:
    """What is to be done in one sample.

    Args:
        objects: those the run is about
        warnings: what the user should know, in words
        num_unmarked: labels that do not say whether they are keyframes, of objects that have keyframes
        num_without_identity: prompts in place that get an instance
        num_corrected: keyframes that a person put into an output field of its own
        label_ids: of all labels in the output
    """

    objects: list[ObjectPlan] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    num_unmarked: int = 0
    num_without_identity: int = 0
    num_corrected: int = 0
    label_ids: frozenset[Any] = frozenset()

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
        return sum(filled.num_frames for one in self.objects for filled in one.stretches) - self.num_to_fill


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
        shown: ids of the labels in both fields that a view shows; objects without any are left alone. None = all

    Returns:
        the plan
    """
    plan = SamplePlan(label_ids=frozenset(label["_id"] for labels in written.values() for label in labels))
    if not plan.label_ids:
        memory = {}  # somebody cleared the field: it is filled anew
    found = known_objects(given, clip.sample_id, options, plan.warnings)
    if options.in_place:
        for known in found.values():
            if _is_chosen(known, options, shown):
                _add(plan, _in_place(known, plan, clip, options), known.surplus, memory, clip, options)
    else:
        _plan_copies(plan, found, written, memory, clip, options, shown)
    if plan.num_unmarked and not options.overwrite_unmarked:
        plan.warnings.append(
            f"{plan.num_unmarked} labels of objects with keyframes do not say whether they are keyframes themselves, "
            "so they stay and are carried from. To have them replaced, pass overwrite_unmarked=True"
        )
    return plan


def _plan_copies(
    plan: SamplePlan,
    found: dict[str, KnownObject],
    written: Lists,
    memory: Memory,
    clip: Clip,
    options: PropagateOptions,
    shown: Collection[Any] | None,
) -> None:
    """All objects with an output field of its own."""
    is_copy = partial(is_remembered, memory)
    output = known_objects(written, clip.sample_id, options, plan.warnings, is_copy=is_copy)
    for identity, known in found.items():
        there = output.pop(identity, None)
        if _is_chosen(known, options, shown) and (there is None or _is_shown(there, shown)):
            one = _with_copies(known, there, memory, plan, clip, options)
            _add(plan, one, () if there is None else there.surplus, memory, clip, options)
    for identity, there in output.items():
        # what a person drew in the output alone, and what is left of objects whose prompts were all deleted
        if (identity in memory or there.has_keyframes) and _is_chosen(there, options, shown):
            one = _with_copies(None, there, memory, plan, clip, options)
            _add(plan, one, there.surplus, memory, clip, options)


def _is_shown(known: KnownObject, shown: Collection[Any] | None) -> bool:
    return shown is None or any(label.document["_id"] in shown for label in known.labels.values())  # pyright: ignore[reportIndexIssue]


def _is_chosen(known: KnownObject, options: PropagateOptions, shown: Collection[Any] | None) -> bool:
    return (options.classes is None or known.labelled.label in options.classes) and _is_shown(known, shown)


def _in_place(known: KnownObject, plan: SamplePlan, clip: Clip, options: PropagateOptions) -> ObjectPlan:
    has_index_alone = known.labelled.instance_id is None and known.labelled.key[0] == "index"
    one = ObjectPlan(known.identity, known.name, None if has_index_alone else instance_document(known.identity))
    one.prompts = _prompts_of(known, plan, options)
    one.kept = set(one.prompts)
    one.derived = {t: label.document for t, label in known.labels.items() if t not in one.prompts}
    one.keyframes = keyframes_of(one.prompts, one.name, clip, plan.warnings)
    if one.instance is not None:
        drawn = {keyframe.t for keyframe in one.keyframes}
        plan.num_without_identity += sum(one.prompts[t].get("instance") is None for t in drawn)
    return one


def _prompts_of(known: KnownObject, plan: SamplePlan, options: PropagateOptions) -> dict[int, Mapping[str, Any]]:
    unmarked = [t for t, label in known.labels.items() if label.keyframe is None]
    plan.num_unmarked += len(unmarked) if known.has_keyframes else 0
    left_out = set(unmarked) if options.overwrite_unmarked and known.has_keyframes else set()
    return {
        t: label.document  # pyright: ignore[reportReturnType]
        for t, label in known.labels.items()
        if label.keyframe is not False and t not in left_out
    }


def _with_copies(
    known: KnownObject | None,
    there: KnownObject | None,
    memory: Memory,
    plan: SamplePlan,
    clip: Clip,
    options: PropagateOptions,
) -> ObjectPlan:
    """An object with an output field of its own.

    Args:
        known: in the input; None where it is gone from there, or never was
        there: in the output
    """
    base = known or there
    assert base is not None
    one = ObjectPlan(base.identity, base.name, instance_document(base.identity))
    inputs = {} if known is None else _prompts_of(known, plan, options)
    wanted = {t: copy_of(document, one.instance, clip.sample_id, options) for t, document in inputs.items()}
    standing: dict[int, Mapping[str, Any]] = {}
    for t, label in ({} if there is None else there.labels).items():
        document: Any = label.document
        if label.keyframe is False:
            one.derived[t] = document
        elif is_remembered(memory, t, document) or (t in wanted and _is_like(document, wanted[t], t)):
            standing[t] = document
        elif label.keyframe is None and options.overwrite_unmarked and inputs:
            one.derived[t] = document
        else:
            one.prompts[t] = document
            one.kept.add(t)
    plan.num_corrected += len(one.kept)
    one.prompts = {**inputs, **one.prompts}
    one.keyframes = keyframes_of(one.prompts, one.name, clip, plan.warnings)
    confirmed = memory.get(one.identity, ObjectMemory()).copies
    one.copies_before = {**confirmed, **{str(found["_id"]): fingerprint(found, t) for t, found in standing.items()}}
    _plan_own_copies(one, wanted, standing, frozenset(confirmed.values()), clip, options)
    return one


def _is_like(document: Mapping[str, Any], copy: Mapping[str, Any], t: int) -> bool:
    return fingerprint(document, t) == fingerprint(copy, t)


def _plan_own_copies(
    one: ObjectPlan,
    wanted: Mapping[int, dict[str, Any]],
    standing: dict[int, Mapping[str, Any]],
    written: Collection[str],
    clip: Clip,
    options: PropagateOptions,
) -> None:
    """Which copies are written, and what becomes of those that stand there.

    Args:
        wanted: frame index -> copy of a prompt
        standing: frame index -> copy in the output as it was written
        written: fingerprints of all copies that were
    """
    first, last = frames_to_fill(options, clip)
    drawn = {keyframe.t for keyframe in one.keyframes if keyframe.shape is not None} - one.kept
    for t in sorted(drawn & wanted.keys()):
        if not first <= t <= last:
            continue
        before, copy = standing.pop(t, None) or one.derived.pop(t, None), wanted[t]
        if before is not None:
            copy = {**copy, "_id": before["_id"], "tags": before.get("tags") or []}
        elif fingerprint(copy, t) in written:
            continue  # a person deleted it
        one.copies[t] = (before, copy)
    # what no longer has a prompt is as good as derived: it is filled, or has to go
    gone = {t: document for t, document in standing.items() if first <= t <= last}
    one.derived |= gone
    dropped = {str(document["_id"]) for document in gone.values()}
    copies = {name: known for name, known in one.copies_before.items() if name not in dropped}
    copies |= {str(copy["_id"]): fingerprint(copy, t) for t, (_, copy) in one.copies.items()}
    one.memory = ObjectMemory((), copies)


def _add(
    plan: SamplePlan,
    one: ObjectPlan,
    surplus: Iterable[ObjectLabel],
    memory: Memory,
    clip: Clip,
    options: PropagateOptions,
) -> None:
    """Adds an object with what has to be computed for it."""
    remembered = memory.get(one.identity)
    if not one.keyframes and (one.prompts or remembered is None):
        return  # nothing to go from; what is there stays
    try:
        stretches = find_stretches(one.keyframes, clip.num_frames, options.direction)
        reachable = find_stretches(one.keyframes, clip.num_frames)
    except PointTrackingError as error:
        plan.warnings.append(f"{one.name!r} is left out: {error}")
        return
    remembered = remembered or ObjectMemory()
    first, last = frames_to_fill(options, clip)
    made_with = {**options.made_with, "video": (clip.size_px, clip.num_frames)}
    kept = np.array(sorted(one.kept), dtype=int)
    forgotten = np.zeros(clip.num_frames, dtype=bool)
    for stretch in stretches:
        low, high = max(stretch.first, first), min(stretch.last, last)
        if low > high:
            continue
        whole = FilledStretch(low, high, digest_stretch(stretch, one.keyframes, made_with))
        for part in whole.without(kept):
            one.stretches.append(part)
            one.stale += [(stretch, piece) for piece in remembered.missing(part)]
    for _, piece in one.stale:
        forgotten[piece.first : piece.last + 1] = True
    # what another direction reaches is left as an earlier run made it
    unreached = np.zeros(clip.num_frames, dtype=bool)
    unreached[first : last + 1] = True
    for stretch in reachable:
        unreached[stretch.first : stretch.last + 1] = False
    forgotten |= unreached
    forgotten[[keyframe.t for keyframe in one.keyframes]] = True
    one.memory = replace(one.memory, stretches=remembered.without(np.flatnonzero(forgotten)).stretches)
    one.removed += [(t, document) for t, document in one.derived.items() if t < clip.num_frames and unreached[t]]
    one.removed += [
        (label.frame_index, label.document)  # pyright: ignore[reportArgumentType]
        for label in surplus
        if first <= label.frame_index <= last
    ]
    plan.objects.append(one)
