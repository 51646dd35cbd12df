"""What a run did, sample by sample, and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from ...store.runs.outcomes import DONE, FAILED, NOT_RUN, SKIPPED, Failure, Outcome, count_of, table_of


@dataclass
class TrackReport:
    """The result of `track_dataset`.

    Args:
        run_key: the run record, None where nothing was run
        label_field: where tracks were written
        tracker: its name
        outcomes: one per sample, in the order of the run
        seconds: of the whole run
        cancelled: whether it was ended early
        stages: "read", "track" and "write" -> {"seconds": spent working in its threads,
            "utilisation": share of the run's time that its threads were at work}
        interrupted: whether its process died, or is still at it
        num_targets: samples it set out to look at
    """

    run_key: str | None
    label_field: str
    tracker: str
    outcomes: list[Outcome] = field(default_factory=list)
    seconds: float = 0.0
    cancelled: bool = False
    stages: dict[str, dict[str, float]] = field(default_factory=dict)
    interrupted: bool = False
    num_targets: int = 0

    def _with(self, *statuses: str) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    @property
    def failures(self) -> list[Failure]:
        """The samples that could not be tracked, with the reason."""
        return [
            Failure(o.sample_id, o.filepath, o.kind or "", o.message or "") for o in self.outcomes if o.status == FAILED
        ]

    @property
    def num_samples(self) -> int:
        """Samples tracked in this run."""
        return len(self._with(DONE))

    @property
    def num_skipped(self) -> int:
        """Samples left alone because they were finished before."""
        return len(self._with(SKIPPED))

    @property
    def num_not_run(self) -> int:
        """Samples the run did not get to."""
        return max(self.num_targets - len(self.outcomes), 0) + len(self._with(NOT_RUN))

    @property
    def num_points(self) -> int:
        """Tracks of this run."""
        return sum(o.num_points for o in self._with(DONE))

    @property
    def num_frames(self) -> int:
        """Frames tracked in this run."""
        return sum(o.num_frames for o in self._with(DONE))

    @property
    def num_keypoints(self) -> int:
        """Point positions stored in this run."""
        return sum(o.num_keypoints for o in self._with(DONE))

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(filepath, what the user should know) of all samples."""
        return [(o.filepath, warning) for o in self.outcomes for warning in o.warnings]

    def __str__(self) -> str:
        parts = [
            f"Tracked {self.num_points:,} points in {count_of(self.num_samples, 'sample')} "
            f"({self.num_frames:,} frames, {self.num_keypoints:,} keypoints) "
            f"in {self.seconds:.1f} s with {self.tracker!r} into frames.{self.label_field}"
        ]
        if self.num_skipped:
            parts.append(f"{count_of(self.num_skipped, 'finished sample')} left alone")
        not_run = self.num_not_run
        if self.cancelled:
            parts.append(f"cancelled with {count_of(not_run, 'sample')} to go")
        if self.interrupted:
            parts.append(f"interrupted, or still running, with {count_of(not_run, 'sample')} to go")
        if self.failures:
            parts.append(f"{count_of(len(self.failures), 'failure')}")
        return "; ".join(parts)

    def rows(self, *statuses: str) -> list[dict[str, Any]]:
        """One dictionary per sample, with the tracker.

        Args:
            statuses: only samples with one of these; all where none is given
        """
        chosen = self._with(*statuses) if statuses else self.outcomes
        return [{**asdict(outcome), "tracker": self.tracker} for outcome in chosen]

    def table(self, *statuses: str) -> str:
        """The samples as a table in markdown; arguments as for `rows`."""
        columns = ("status", "filepath", "num_points", "num_frames", "num_keypoints", "seconds", "kind", "message")
        return table_of(self.rows(*statuses), columns)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values, for the run record and the App."""
        return {
            "run_key": self.run_key,
            "label_field": self.label_field,
            "tracker": self.tracker,
            "seconds": self.seconds,
            "cancelled": self.cancelled,
            "stages": self.stages,
            "interrupted": self.interrupted,
            "num_targets": self.num_targets,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> TrackReport:
        """The inverse of `to_dict`."""
        outcomes = [Outcome(**{**o, "warnings": tuple(o.get("warnings", ()))}) for o in values["outcomes"]]
        return cls(**{**values, "outcomes": outcomes})
