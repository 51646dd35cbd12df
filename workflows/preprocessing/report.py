"""What a preprocessing run did, video by video, and in words."""

from __future__ import annotations

from dataclasses import dataclass

import fiftyone as fo

from ...store.runs.outcomes import DONE, SampleOutcome, count_of
from ...tracker.errors import CollectionError
from ..lifecycle.report import SampleReport

REUSED = "reused"
_MIB = 2**20


@dataclass(frozen=True)
class CopyOutcome(SampleOutcome):
    """What became of one video; further fields: `SampleOutcome`.

    Args:
        status: "done", "reused" (an earlier copy fits), "failed" or "not run" (after a cancellation)
        output_path: of the copy, None where there is none
        num_frames: of the copy
        num_source_frames: of the source that decode
        size_bytes: of the copy
        source_bytes: of the source
    """

    output_path: str | None = None
    num_frames: int = 0
    num_source_frames: int = 0
    size_bytes: int = 0
    source_bytes: int = 0


@dataclass(kw_only=True)
class PreprocessReport(SampleReport[CopyOutcome]):
    """The result of `preprocess_dataset`; further fields: `SampleReport`.

    Args:
        output_dir: folder of the copies
        target: "dataset" or "media_field"
        dataset_name: the dataset of the copies; None for a media field, or where no copy was made
        media_field: the second media field; None for a new dataset
    """

    FROM_RECORD = ("output_dir", "target", "media_field")
    OUTCOME = CopyOutcome
    COLUMNS = ("status", "filepath", "output_path", "num_frames", "size_bytes", "seconds", "kind", "message")

    output_dir: str
    target: str
    dataset_name: str | None = None
    media_field: str | None = None

    @property
    def num_samples(self) -> int:
        """Samples that have a copy now, made or reused."""
        return len(self.outcomes_with(DONE, REUSED))

    @property
    def num_reused(self) -> int:
        """Samples whose earlier copy was reused."""
        return len(self.outcomes_with(REUSED))

    @property
    def num_frames(self) -> int:
        """Frames of all copies."""
        return sum(o.num_frames for o in self.outcomes_with(DONE, REUSED))

    @property
    def dataset(self) -> fo.Dataset:
        """The dataset of the copies.

        Raises:
            CollectionError: if the run made none
        """
        if self.dataset_name is None or not fo.dataset_exists(self.dataset_name):
            raise CollectionError("This run has no dataset of copies: it made a media field, or no copy at all")
        return fo.load_dataset(self.dataset_name)

    def __str__(self) -> str:
        copies = self.outcomes_with(DONE, REUSED)
        before, after = (sum(getattr(o, name) for o in copies) / _MIB for name in ("source_bytes", "size_bytes"))
        source_frames = sum(o.num_source_frames for o in copies)
        place = f"the dataset {self.dataset_name!r}" if self.target == "dataset" else f"the field {self.media_field!r}"
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
