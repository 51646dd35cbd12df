"""What a tracking run did, sample by sample, and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import fiftyone as fo

from ...store.runs.outcomes import DONE, NO_PROMPT, SKIPPED, Outcome, count_of
from ...store.runs.records import record_of
from ...tracker.errors import OutsideVideoError
from ...tracker.queries.ground import Ground
from ..lifecycle.report import SampleReport
from .marked_samples import marked_outcomes

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(kw_only=True)
class TrackReport(SampleReport[Outcome]):
    """The result of `track_dataset`; further fields: `SampleReport`.

    Args:
        label_field: where tracks were written
        tracker: its name
        stages: "read", "track" and "write" -> {"seconds": spent working in its threads,
            "utilisation": share of the run's time that its threads were at work}
    """

    FROM_RECORD = ("label_field", "tracker")
    OUTCOME = Outcome
    COLUMNS = ("status", "filepath", "num_points", "num_frames", "num_keypoints", "seconds", "kind", "message")

    label_field: str
    tracker: str
    stages: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def num_samples(self) -> int:
        """Samples tracked in this run."""
        return len(self.outcomes_with(DONE))

    @property
    def num_skipped(self) -> int:
        """Samples left alone because they were finished before."""
        return len(self.outcomes_with(SKIPPED))

    @property
    def num_no_prompt(self) -> int:
        """Samples with nothing to track from: no mask, no points of their own, none that lies in their video."""
        return len(self.outcomes_with(NO_PROMPT))

    @property
    def num_outside(self) -> int:
        """Those of them whose video lacks the frame or the position that was asked for."""
        return sum(o.kind == OutsideVideoError.__name__ for o in self.outcomes_with(NO_PROMPT))

    @property
    def num_points(self) -> int:
        """Tracks of this run."""
        return sum(o.num_points for o in self.outcomes_with(DONE))

    @property
    def num_frames(self) -> int:
        """Frames tracked in this run."""
        return sum(o.num_frames for o in self.outcomes_with(DONE))

    @property
    def num_keypoints(self) -> int:
        """Point positions stored in this run."""
        return sum(o.num_keypoints for o in self.outcomes_with(DONE))

    @property
    def ground(self) -> Ground:
        """How many tracks of this run began on featureless ground."""
        return Ground(sum(o.num_featureless for o in self.outcomes_with(DONE)), self.num_points)

    def __str__(self) -> str:
        parts = [
            f"Tracked {self.num_points:,} points in {count_of(self.num_samples, 'sample')} "
            f"({self.num_frames:,} frames, {self.num_keypoints:,} keypoints) "
            f"in {self.seconds:.1f} s with {self.tracker!r} into frames.{self.label_field}"
        ]
        if self.ground.is_worth_saying:
            parts.append(str(self.ground))
        if self.num_skipped:
            parts.append(f"{count_of(self.num_skipped, 'finished sample')} left alone")
        if self.num_no_prompt:
            outside = f" ({self.num_outside:,} lack the frame or position asked for)" if self.num_outside else ""
            parts.append(f"{count_of(self.num_no_prompt, 'sample')} without a prompt{outside}")
        not_run = self.num_not_run
        if self.cancelled:
            parts.append(f"cancelled with {count_of(not_run, 'sample')} to go")
        if self.interrupted:
            parts.append(f"interrupted, or still running, with {count_of(not_run, 'sample')} to go")
        if self.failures:
            parts.append(f"{count_of(len(self.failures), 'failure')}")
        return "; ".join(parts)

    def rows(self, *statuses: str) -> list[dict[str, Any]]:
        """One dictionary per sample, with the tracker; arguments as for `SampleReport.rows`."""
        return [{**row, "tracker": self.tracker} for row in super().rows(*statuses)]

    @classmethod
    def unfinished(cls, dataset: fo.Dataset, run_key: str) -> Self:
        """As of `Report`, with the samples that were finished last, which their marks tell."""
        report, record = super().unfinished(dataset, run_key), record_of(dataset, run_key)
        known = {outcome.sample_id for outcome in report.outcomes}
        onto_source = record.get("write_to") == "source"
        marked = marked_outcomes(dataset, report.label_field, run_key, onto_source=onto_source)
        report.outcomes += [outcome for outcome in marked if outcome.sample_id not in known]
        return report
