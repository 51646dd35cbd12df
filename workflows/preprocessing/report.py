"""What a preprocessing run did, video by video, and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import fiftyone as fo

from ...store.runs.outcomes import DONE, FAILED, NOT_RUN, Failure, count_of, table_of
from ...tracker.errors import CollectionError

REUSED = "reused"
_MIB = 2**20


@dataclass(frozen=True)
class CopyOutcome:
    """What became of one video.

    Args:
        sample_id: of the source's sample
        filepath: of the source
        status: "done", "reused" (an earlier copy fits), "failed" or "not run" (after a cancellation)
        output_path: of the copy, None where there is none
        kind, message: of the error, for failed videos
        seconds: spent on this video
        num_frames: of the copy
        num_source_frames: of the source that decode
        size_bytes: of the copy
        source_bytes: of the source
        warnings: what the user should know, in words
    """

    sample_id: str
    filepath: str
    status: str
    output_path: str | None = None
    kind: str | None = None
    message: str | None = None
    seconds: float = 0.0
    num_frames: int = 0
    num_source_frames: int = 0
    size_bytes: int = 0
    source_bytes: int = 0
    warnings: tuple[str, ...] = ()


@dataclass
class PreprocessReport:
    """The result of `preprocess_dataset`.

    Args:
        run_key: the run record, None where nothing was run
        output_dir: folder of the copies
        target: "dataset" or "media_field"
        dataset_name: the data set of the copies; None for a media field, or where no copy was made
        media_field: the second media field; None for a new data set
        outcomes: one per sample, in the order of the collection
        seconds: of the whole run
        cancelled: whether it was ended early
        interrupted: whether its process died, or is still at it
        num_targets: samples it set out to look at
    """

    run_key: str | None
    output_dir: str
    target: str
    dataset_name: str | None = None
    media_field: str | None = None
    outcomes: list[CopyOutcome] = field(default_factory=list)
    seconds: float = 0.0
    cancelled: bool = False
    interrupted: bool = False
    num_targets: int = 0

    def _with(self, *statuses: str) -> list[CopyOutcome]:
        return [outcome for outcome in self.outcomes if outcome.status in statuses]

    @property
    def failures(self) -> list[Failure]:
        """The videos without a copy, with the reason."""
        return [Failure(o.sample_id, o.filepath, o.kind or "", o.message or "") for o in self._with(FAILED)]

    @property
    def num_samples(self) -> int:
        """Samples that have a copy now, made or reused."""
        return len(self._with(DONE, REUSED))

    @property
    def num_reused(self) -> int:
        """Samples whose earlier copy was reused."""
        return len(self._with(REUSED))

    @property
    def num_not_run(self) -> int:
        """Videos the run did not get to."""
        return max(self.num_targets - len(self.outcomes), 0) + len(self._with(NOT_RUN))

    @property
    def num_frames(self) -> int:
        """Frames of all copies."""
        return sum(o.num_frames for o in self._with(DONE, REUSED))

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(filepath, what the user should know) of all samples."""
        return [(o.filepath, warning) for o in self.outcomes for warning in o.warnings]

    @property
    def dataset(self) -> fo.Dataset:
        """The data set of the copies.

        Raises:
            CollectionError: if the run made none
        """
        if self.dataset_name is None or not fo.dataset_exists(self.dataset_name):
            raise CollectionError("This run has no data set of copies: it made a media field, or no copy at all")
        return fo.load_dataset(self.dataset_name)

    def __str__(self) -> str:
        copies = self._with(DONE, REUSED)
        before, after = (sum(getattr(o, name) for o in copies) / _MIB for name in ("source_bytes", "size_bytes"))
        source_frames = sum(o.num_source_frames for o in copies)
        place = f"the data set {self.dataset_name!r}" if self.target == "dataset" else f"the field {self.media_field!r}"
        parts = [
            f"Preprocessed {count_of(len(copies), 'video')} ({source_frames:,} frames to {self.num_frames:,}, "
            f"{before:.1f} MiB to {after:.1f} MiB) in {self.seconds:.1f} s into {self.output_dir}"
        ]
        if copies:
            parts[0] += f" and {place}"
        if self.num_reused:
            parts.append(f"{count_of(self.num_reused, 'earlier copy', 'earlier copies')} reused")
        if self.cancelled:
            parts.append(f"cancelled with {count_of(self.num_not_run, 'video')} to go")
        if self.interrupted:
            parts.append(f"interrupted, or still running, with {count_of(self.num_not_run, 'video')} to go")
        if self.failures:
            parts.append(count_of(len(self.failures), "failure"))
        return "; ".join(parts)

    def rows(self, *statuses: str) -> list[dict[str, Any]]:
        """One dictionary per video.

        Args:
            statuses: only videos with one of these; all where none is given
        """
        return [asdict(outcome) for outcome in (self._with(*statuses) if statuses else self.outcomes)]

    def table(self, *statuses: str) -> str:
        """The videos as a table in markdown; arguments as for `rows`."""
        columns = ("status", "filepath", "output_path", "num_frames", "size_bytes", "seconds", "kind", "message")
        return table_of(self.rows(*statuses), columns)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON-serialisable values, for the run record and the App."""
        return {
            "run_key": self.run_key,
            "output_dir": self.output_dir,
            "target": self.target,
            "dataset_name": self.dataset_name,
            "media_field": self.media_field,
            "seconds": self.seconds,
            "cancelled": self.cancelled,
            "interrupted": self.interrupted,
            "num_targets": self.num_targets,
            "outcomes": [asdict(outcome) for outcome in self.outcomes],
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> PreprocessReport:
        """The inverse of `to_dict`."""
        outcomes = [CopyOutcome(**{**o, "warnings": tuple(o.get("warnings", ()))}) for o in values["outcomes"]]
        return cls(**{**values, "outcomes": outcomes})
