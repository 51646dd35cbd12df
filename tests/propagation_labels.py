"""A sample's labels without a database, and runs on them that know where objects are without looking."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import fiftyone as fo

from point_tracking.store.database.label_lists import LabelChange
from point_tracking.tracker.propagation import Box, FilledFrame, Keyframe
from point_tracking.workflows.propagation.changes import Results, carried_label, changes_of
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.memory import Memory, memory_document, memory_from
from point_tracking.workflows.propagation.planning.plan import SamplePlan, plan_sample
from point_tracking.workflows.propagation.planning.prompts import Clip

Document = dict[str, Any]
CLIP = Clip("5" * 24, (160, 120), 40)
_UNSAID = object()


def box(x: float = 0.2, *, label: str | None = "goat", keyframe: Any = _UNSAID, **more: Any) -> fo.Detection:
    """A box with its left edge at x; nothing is said of keyframes unless it is given."""
    said = {} if keyframe is _UNSAID else {"keyframe": keyframe}
    return fo.Detection(**{"bounding_box": [x, 0.3, 0.25, 0.25], "label": label, **said, **more})


class Labels:
    """The labels of one sample in an input and an output field.

    Args:
        *labels: (frame number, label) in the input
        lost: tells the frames in which no run finds an object
    """

    def __init__(self, *labels: tuple[int, fo.Label], lost: Callable[[int], bool] = lambda t: False) -> None:
        self.given: dict[int, list[Document]] = {}
        self.out: dict[int, list[Document]] = {}
        self.memory: Memory = {}
        self.changes: list[LabelChange] = []
        self._lost = lost
        for number, label in labels:
            self.draw(number, label)

    def draw(self, number: int, label: fo.Label, *, out: bool = False) -> Document:
        """Adds a label to a frame."""
        document = label.to_dict()
        (self.out if out else self.given).setdefault(number, []).append(document)
        return document

    def edit(self, number: int, place: int = 0, *, out: bool = False, **values: Any) -> Document:
        """Changes a label, as the App does."""
        document = (self.out if out else self.given)[number][place]
        document.update(values)
        return document

    def delete(self, *numbers: int, out: bool = False) -> None:
        """Deletes all labels of some frames."""
        for number in numbers:
            (self.out if out else self.given)[number] = []

    def plan(self, shown: Collection[Any] | None = None, **options: Any) -> SamplePlan:
        """What a run would do."""
        checked = PropagateOptions(field="box", **options)
        return plan_sample(
            self.given, self.given if checked.in_place else self.out, self.memory, CLIP, checked, shown=shown
        )

    def run(self, shown: Collection[Any] | None = None, **options: Any) -> SamplePlan:
        """Plans, carries and writes; every object stays where its earlier keyframe has it."""
        checked = PropagateOptions(field="box", **options)
        plan = self.plan(shown, **options)
        results: Results = {}
        for one in plan.objects:
            shapes = {keyframe.t: keyframe.shape for keyframe in one.keyframes}
            for stretch, filled in one.stale:
                frames = [
                    FilledFrame(t, shapes[stretch.sources[0]], False, 1.0, 0.5, False, False, stretch.sources)
                    for t in range(filled.first, filled.last + 1)
                    if not self._lost(t)
                ]
                results[one.identity, filled] = [carried_label(frame, CLIP.size_px) for frame in frames]
        self.changes, _ = changes_of(plan, results, CLIP.sample_id, checked)
        lists = self.given if checked.in_place else self.out
        for change in self.changes:
            _apply(lists.setdefault(change.frame_number, []), change)
        for one in plan.objects:
            self.memory[one.identity] = one.memory.with_filled([filled for _, filled in one.stale])
            if not one.keyframes:
                del self.memory[one.identity]
        self.memory = memory_from(memory_document(self.memory))
        return plan

    def frames(self, *, out: bool = False, **values: Any) -> list[int]:
        """Numbers of the frames with a label that has these values."""
        lists = self.out if out else self.given
        return sorted(n for n, found in lists.items() for one in found if values.items() <= one.items())

    def computed(self, **options: Any) -> list[tuple[int, int]]:
        """First and last frame number of what a run would compute."""
        return frames_to_compute(self.plan(**options))


def frames_to_compute(plan: SamplePlan) -> list[tuple[int, int]]:
    """First and last frame number of all that a plan computes, object by object."""
    return [(filled.first + 1, filled.last + 1) for one in plan.objects for _, filled in one.stale]


def drawn(x_px: float, t: int) -> Keyframe:
    """A keyframe with a box."""
    return Keyframe(t, Box([x_px, 10, x_px + 30, 40]))


def _apply(found: list[Document], change: LabelChange) -> None:
    if change.before is None:
        assert change.after is not None
        found.append(dict(change.after))
    elif change.after is None:
        found.remove(dict(change.before))
    else:
        found[found.index(dict(change.before))] = dict(change.after)
