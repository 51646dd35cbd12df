"""One sample of a propagation: its labels are read, carried, and written where nobody changed them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import is_outage, retried
from ...store.database.label_lists import LabelChange, LabelLists
from ...store.database.liveness import Owner
from ...store.database.locks import lock
from ...store.labels.objects import derived_id
from ...store.labels.shapes import geometry_of, list_of, without_mask
from ...store.labels.views import hides_labels, shown_samples
from ...store.runs.outcomes import DONE, FAILED, NO_PROMPT
from ...tracker.coordinates import frame_number_of
from ...tracker.errors import Cancelled, NoPromptError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.propagation import FilledFrame, PointSet
from ...tracker.video.frames import VideoFrames
from ..lifecycle.progress import ProgressReporter
from .memory import FilledStretch, ObjectMemory, memory_document, memory_field_of, memory_from
from .options import PropagateOptions
from .passes import Job, find_passes, run_pass
from .plan import Clip, ObjectPlan, SamplePlan, fingerprint, plan_sample
from .report import PropagationOutcome

# a person who draws while a run computes is waited for so often
_ROUNDS = 4
# what is derived belongs to no keyframe's own tags, and is no correction
_NOT_CARRIED = ("outside", "corrected", "tags")

Results = dict[tuple[str, str], list[FilledFrame]]
"""Frames of a stretch, by the object's identity and the stretch's digest."""


@dataclass
class SamplePropagation:
    """Carries the labels of sample after sample; what stays the same from one to the next.

    Args:
        samples: a dataset or view; a view that filters labels or frames chooses the objects
        options: what the run is told
        tracker: that follows the points
        owner: of the run
        cancelled: asked between chunks of tracking
    """

    samples: SampleCollection
    options: PropagateOptions
    tracker: Tracker
    owner: Owner
    cancelled: CancelCheck | None
    _given: LabelLists = field(init=False)
    _written: LabelLists = field(init=False)

    def __post_init__(self) -> None:
        dataset, options = self.samples._dataset, self.options
        self._given = LabelLists(dataset, list_of(dataset, options.field))
        self._written = LabelLists(dataset, list_of(dataset, options.target_field))

    @property
    def dataset(self) -> fo.Dataset:
        """The dataset of the samples, which labels are written to."""
        return self.samples._dataset

    def attempt(self, sample_id: str, filepath: str, reporter: ProgressReporter) -> PropagationOutcome:
        """Carries the labels of one sample; whatever goes wrong with it becomes a failure.

        Args:
            sample_id: the sample
            filepath: of its media
            reporter: told how far it is

        Raises:
            Cancelled: if the run was cancelled
        """
        started = time.monotonic()
        if self.cancelled is not None and self.cancelled():
            raise Cancelled("The run was cancelled")
        outcome = PropagationOutcome(sample_id, filepath, DONE)
        try:
            with lock(self.owner, f"labels {self.options.target_field} {sample_id}"):
                outcome = self._propagate(outcome, reporter)
        except Cancelled:
            raise
        except Exception as error:
            if is_outage(error):  # nothing is wrong with the sample
                raise
            status = NO_PROMPT if isinstance(error, NoPromptError) else FAILED
            message = str(error) or type(error).__name__
            outcome = replace(outcome, status=status, kind=type(error).__name__, message=message)
        return replace(outcome, seconds=time.monotonic() - started)

    def _propagate(self, outcome: PropagationOutcome, reporter: ProgressReporter) -> PropagationOutcome:
        sample_id = outcome.sample_id
        video = VideoFrames(outcome.filepath)
        clip = Clip(sample_id, video.size_px, video.num_frames)
        results: Results = {}
        for _ in range(_ROUNDS):
            plan = self.plan(clip)
            missing = [(one, job, filled) for one, job, filled in _jobs(plan) if (one, filled.digest) not in results]
            if not missing:
                break
            self._compute(missing, video, results, outcome.filepath, reporter)
        if not plan.objects:
            raise NoPromptError(f"The field {self.options.field!r} holds no labels to carry for this sample")
        changes, counts = _changes(plan, results, clip, self.options)
        self._written.apply(sample_id, changes)
        self._remember(sample_id, plan, results)
        self._written.refresh(sample_id)
        left = sum(_frames([(None, filled)]) for one, _, filled in _jobs(plan) if (one, filled.digest) not in results)
        if left:
            plan.warnings.append(
                f"labels were changed again and again meanwhile: {left} frames are left for another run"
            )
        return replace(
            outcome,
            num_objects=sum(bool(one.keyframes) for one in plan.objects),
            num_keyframes=plan.num_keyframes,
            num_unchanged=sum(_frames(one.stretches) for one in plan.objects) - plan.num_to_fill,
            warnings=tuple(plan.warnings),
            **counts,
        )

    def plan(self, clip: Clip) -> SamplePlan:
        """What is to be done in a sample, from its labels as they are now.

        Args:
            clip: the sample's
        """
        given = self._given.read(clip.sample_id)
        written = given if self.options.in_place else self._written.read(clip.sample_id)
        shown = self._shown(clip.sample_id)
        memory = memory_from(_stored_memory(self.dataset, clip.sample_id, self.options))
        return plan_sample(given, written, memory, clip, self.options, shown)

    def _shown(self, sample_id: str) -> Collection[Any] | None:
        """The ids of the labels that the view shows; None = all."""
        if not hides_labels(self.samples):
            return None
        view = shown_samples(self.samples, sample_id)
        ids = view.values(f"frames.{self._given.path}._id", unwind=True)
        return set(ids)

    def _compute(
        self,
        missing: list[tuple[str, Job, FilledStretch]],
        video: VideoFrames,
        results: Results,
        filepath: str,
        reporter: ProgressReporter,
    ) -> None:
        keys = {id(job): (one, filled.digest) for one, job, filled in missing}
        passes = find_passes([job for _, job, _ in missing])
        for number, one in enumerate(passes):

            def told(share: float, number: int = number) -> None:
                reporter.inside((number + share) / len(passes), filepath)

            found = run_pass(one, video, self.tracker, self.options.carrying, progress=told, cancelled=self.cancelled)
            results |= {keys[id(job)]: frames for job, frames in zip(one.jobs, found, strict=True)}

    @retried
    def _remember(self, sample_id: str, plan: SamplePlan, results: Results) -> None:
        stored = memory_from(_stored_memory(self.dataset, sample_id, self.options))
        for one in plan.objects:
            stale = {filled.digest for _, filled in one.stale}
            done = [
                filled
                for _, filled in one.stretches
                if filled.digest not in stale or (one.identity, filled.digest) in results
            ]
            copies = {str(copy["_id"]): fingerprint(copy) for copy in one.copies.values()}
            stored[one.identity] = ObjectMemory(tuple(done), copies)
            if not one.keyframes:
                del stored[one.identity]
        field_name = memory_field_of(self.options.target_field)
        self.dataset.set_values(field_name, {sample_id: memory_document(stored)}, key_field="id")


def _stored_memory(dataset: fo.Dataset, sample_id: str, options: PropagateOptions) -> Mapping[str, Any] | None:
    field_name = memory_field_of(options.target_field)
    if not dataset.has_sample_field(field_name):
        return None
    return dataset.select(sample_id).values(field_name)[0]


def _jobs(plan: SamplePlan) -> Iterator[tuple[str, Job, FilledStretch]]:
    """What has to be computed: (the object's identity, job, what it fills)."""
    for one in plan.objects:
        for stretch, filled in one.stale:
            yield one.identity, Job(stretch, one.keyframes, (filled.first, filled.last)), filled


def _frames(stretches: list[tuple[Any, FilledStretch]]) -> int:
    return sum(filled.last - filled.first + 1 for _, filled in stretches)


def _changes(
    plan: SamplePlan, results: Results, clip: Clip, options: PropagateOptions
) -> tuple[list[LabelChange], dict[str, int]]:
    """What is to be written, and its numbers for the outcome."""
    changes: list[LabelChange] = []
    counts = {"num_filled": 0, "num_interpolated": 0, "num_removed": 0}
    for one in plan.objects:
        changes += _prompt_changes(one, options)
        removed = list(one.removed)
        for _, filled in one.stale:
            frames = results.get((one.identity, filled.digest))
            if frames is None:
                continue
            made = {frame.t: frame for frame in frames if filled.first <= frame.t <= filled.last}
            for t in range(filled.first, filled.last + 1):
                before = one.derived.get(t)
                if t in made:
                    after = _derived(one, made[t], before, clip, options)
                    changes.append(LabelChange(frame_number_of(t), before, after))
                elif before is not None:
                    removed.append((t, before))
            counts["num_filled"] += len(made)
            counts["num_interpolated"] += sum(frame.interpolated for frame in made.values())
        changes += [LabelChange(frame_number_of(t), document, None) for t, document in removed]
        counts["num_removed"] += len(removed)
    return changes, counts


def _prompt_changes(one: ObjectPlan, options: PropagateOptions) -> Iterator[LabelChange]:
    """Copies into a field of its own; in place, an instance for prompts that have no identity."""
    for t, copy in one.copies.items():
        before = one.replaced_copies.get(t)
        if before != copy:
            yield LabelChange(frame_number_of(t), before, copy)
    if options.in_place and one.instance is not None:
        for t, document in one.prompts.items():
            if document.get("instance") is None:
                yield LabelChange(frame_number_of(t), document, {**document, "instance": one.instance})


def _derived(
    one: ObjectPlan, frame: FilledFrame, before: Mapping[str, Any] | None, clip: Clip, options: PropagateOptions
) -> dict[str, Any]:
    """The label of a frame, with all that the nearest prompt says of the object."""
    nearest = min(frame.sources, key=lambda t: abs(t - frame.t))
    carried = {key: value for key, value in without_mask(one.prompts[nearest]).items() if key not in _NOT_CARRIED}
    new_id = derived_id(clip.sample_id, options.target_field, one.identity, frame.t)
    document = {
        **carried,
        "_id": new_id if before is None else before["_id"],
        "tags": [] if before is None else before.get("tags") or [],
        **geometry_of(frame.shape, clip.size_px),
        "keyframe": False,
        "occluded": frame.occluded,
        "interpolated": frame.interpolated,
    }
    shape, confidence = frame.shape, round(frame.confidence, 4)
    document["confidence"] = [confidence] * len(shape.xy) if isinstance(shape, PointSet) else confidence
    return document if one.instance is None else {**document, "instance": one.instance}
