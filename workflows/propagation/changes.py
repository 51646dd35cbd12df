"""What is written of a plan: copies of prompts, derived labels, and what has to go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...store.database.label_lists import LabelChange
from ...store.labels.objects import derived_id
from ...store.labels.shapes import geometry_of, without_mask
from ...tracker.coordinates import frame_number_of
from ...tracker.propagation import FilledFrame, PointSet
from .options import PropagateOptions
from .planning.memory import FilledStretch
from .planning.plan import ObjectPlan, SamplePlan

# what is derived belongs to no keyframe's own tags, and is no correction
_NOT_CARRIED = ("outside", "corrected", "tags")


@dataclass(frozen=True)
class CarriedLabel:
    """What is known of an object in one frame, in the words of a label.

    Args:
        t: frame index
        values: the keys of the label that its keyframes do not tell
        sources: indices of the keyframes' frames
    """

    t: int
    values: Mapping[str, Any]
    sources: tuple[int, ...]

    @property
    def interpolated(self) -> bool:
        return self.values["interpolated"]


Results = dict[tuple[str, FilledStretch], list[CarriedLabel]]
"""What was computed, by the object's identity and what it was computed for."""


def carried_label(frame: FilledFrame, size_px: tuple[int, int]) -> CarriedLabel:
    """A frame of an object in the words of a label; a mask takes its least room so.

    Args:
        frame: as it was filled
        size_px: (width, height) of the displayed frame
    """
    shape, confidence = frame.shape, round(frame.confidence, 4)
    values = {
        **geometry_of(shape, size_px),
        "keyframe": False,
        "occluded": frame.occluded,
        "interpolated": frame.interpolated,
        "confidence": [confidence] * len(shape.xy) if isinstance(shape, PointSet) else confidence,
    }
    return CarriedLabel(frame.t, values, frame.sources)


def changes_of(
    plan: SamplePlan, results: Results, sample_id: str, options: PropagateOptions
) -> tuple[list[LabelChange], dict[str, int]]:
    """What is to be written of a plan.

    Args:
        plan: of the sample
        results: what was computed for it; stretches without any stay as they are
        sample_id: of the sample
        options: what the run is told

    Returns:
        the changes, and their numbers for the outcome
    """
    changes: list[LabelChange] = []
    counts = {"num_filled": 0, "num_interpolated": 0, "num_removed": 0}
    for one in plan.objects:
        changes += _prompt_changes(one, options)
        removed = list(one.removed)
        for _, filled in one.stale:
            labels = results.get((one.identity, filled))
            if labels is None:
                continue
            made = {label.t: label for label in labels}
            for t in range(filled.first, filled.last + 1):
                before = one.derived.get(t)
                if t in made:
                    after = _derived(one, made[t], before, plan, sample_id, options)
                    changes.append(LabelChange(frame_number_of(t), before, after))
                elif before is not None:
                    removed.append((t, before))
            counts["num_filled"] += len(made)
            counts["num_interpolated"] += sum(label.interpolated for label in made.values())
        changes += [LabelChange(frame_number_of(t), document, None) for t, document in removed]
        counts["num_removed"] += len(removed)
    return changes, counts


def _prompt_changes(one: ObjectPlan, options: PropagateOptions) -> Iterator[LabelChange]:
    """Copies into a field of its own; in place, an instance for prompts that have no identity."""
    for t, (before, copy) in one.copies.items():
        if before != copy:
            yield LabelChange(frame_number_of(t), before, copy)
    if options.in_place and one.instance is not None:
        for keyframe in one.keyframes:
            document = one.prompts[keyframe.t]
            if document.get("instance") is None:
                yield LabelChange(frame_number_of(keyframe.t), document, {**document, "instance": one.instance})


def _derived(
    one: ObjectPlan,
    carried: CarriedLabel,
    before: Mapping[str, Any] | None,
    plan: SamplePlan,
    sample_id: str,
    options: PropagateOptions,
) -> dict[str, Any]:
    """The label of a frame, with all that the nearest prompt says of the object."""
    nearest = min(carried.sources, key=lambda t: abs(t - carried.t))
    told = {key: value for key, value in without_mask(one.prompts[nearest]).items() if key not in _NOT_CARRIED}
    if before is not None:
        label_id = before["_id"]
    else:
        label_id = derived_id(sample_id, options.target_field, one.identity, carried.t)
        while label_id in plan.label_ids:  # a label that was derived here once is another object's now
            label_id = derived_id(label_id)
    tags = [] if before is None else before.get("tags") or []
    document = {**told, "_id": label_id, "tags": tags, **carried.values}
    return document if one.instance is None else {**document, "instance": one.instance}
