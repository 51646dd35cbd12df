"""One sample of a propagation: its labels are read, carried, and written where nobody changed them meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import fiftyone as fo
from fiftyone.core.collections import SampleCollection

from ...store.database.connection import is_outage
from ...store.database.liveness import Owner
from ...store.database.locks import lock
from ...store.runs.outcomes import DONE, FAILED, NO_PROMPT
from ...store.tracks.videos import playback_warnings, store_metadata
from ...tracker.errors import Cancelled, NoPromptError
from ...tracker.models.base import CancelCheck, Tracker
from ...tracker.video.frames import VideoFrames
from ..lifecycle.progress import ProgressReporter
from .changes import Results, carried_label, changes_of
from .options import PropagateOptions
from .passes import Job, find_passes, run_pass
from .planning.memory import FilledStretch
from .planning.plan import SamplePlan
from .planning.prompts import Clip
from .report import PropagationOutcome
from .stored_labels import StoredLabels

# a person may draw while a run computes: it looks again so often
_ROUNDS = 4


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
    _stored: StoredLabels = field(init=False)

    def __post_init__(self) -> None:
        self._stored = StoredLabels(self.samples, self.options)

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
        for round_number in range(_ROUNDS + 1):
            # no other run writes between looking and writing; a person may, and wins label by label
            with lock(self.owner, f"labels {self.options.target_field} {sample_id}"):
                plan = self._stored.plan(clip)
                missing = [
                    (identity, job, filled)
                    for identity, job, filled in _jobs(plan)
                    if (identity, filled) not in results
                ]
                if not missing or round_number == _ROUNDS:
                    counts = self._write(plan, results, clip)
                    break
            self._compute(missing, video, results, outcome.filepath, reporter)
        if missing:
            left = sum(filled.num_frames for *_, filled in missing)
            plan.warnings.append(
                f"keyframes were changed again and again meanwhile: {left} frames are left for another run"
            )
        store_metadata(self.dataset, sample_id, video)
        return replace(
            outcome,
            num_objects=sum(bool(one.keyframes) for one in plan.objects),
            num_keyframes=plan.num_keyframes,
            num_unchanged=plan.num_unchanged,
            warnings=(*plan.warnings, *video.warnings, *playback_warnings(video)),
            **counts,
        )

    def _compute(
        self,
        missing: Sequence[tuple[str, Job, FilledStretch]],
        video: VideoFrames,
        results: Results,
        filepath: str,
        reporter: ProgressReporter,
    ) -> None:
        wanted = {id(job): (identity, filled) for identity, job, filled in missing}
        passes = find_passes([job for _, job, _ in missing])
        for number, one in enumerate(passes):

            def told(share: float, number: int = number) -> None:
                reporter.inside((number + share) / len(passes), filepath)

            done = run_pass(one, video, self.tracker, self.options.carrying, progress=told, cancelled=self.cancelled)
            for job, frames in done:
                identity, filled = wanted[id(job)]
                results[identity, filled] = [
                    carried_label(frame, video.size_px) for frame in frames if filled.first <= frame.t <= filled.last
                ]

    def _write(self, plan: SamplePlan, results: Results, clip: Clip) -> dict[str, int]:
        """Writes what was computed; whenever it ends, the next run knows what stands there.

        Raises:
            NoPromptError: if there is nothing to carry
            FieldError, WriteError: if the field or the sample was deleted
        """
        written = self._stored.check_declared()
        if not plan.objects:
            written.check_sample(clip.sample_id)
            reasons = "".join(f"; {warning}" for warning in plan.warnings)
            classes = f" of the classes {', '.join(self.options.classes)}" if self.options.classes else ""
            raise NoPromptError(
                f"The field {self.options.field!r} holds no labels{classes} to carry for this sample{reasons}"
            )
        changes, counts = changes_of(plan, results, clip.sample_id, self.options)
        before = self._stored.memory(clip.sample_id)
        meanwhile = before | {one.identity: one.memory_while_writing for one in plan.objects}
        after = dict(before)
        for one in plan.objects:
            done = [filled for _, filled in one.stale if (one.identity, filled) in results]
            after[one.identity] = one.memory.with_filled(done)
            if not one.keyframes:
                del after[one.identity]
        if changes:
            self._stored.remember(clip.sample_id, meanwhile)
            written.apply(clip.sample_id, changes)
        if changes or after != before:
            self._stored.remember(clip.sample_id, after)
            written.refresh(clip.sample_id)
        return counts


def _jobs(plan: SamplePlan) -> Iterator[tuple[str, Job, FilledStretch]]:
    """What has to be computed: (the object's identity, job, what it fills)."""
    for one in plan.objects:
        for stretch, filled in one.stale:
            yield one.identity, Job(stretch, one.keyframes, (filled.first, filled.last)), filled
