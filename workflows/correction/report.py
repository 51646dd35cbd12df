"""What a correction did, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass

from ...store.runs.outcomes import FAILED, SampleOutcome, count_of, span_of
from ..lifecycle.report import SampleReport


@dataclass(frozen=True)
class CorrectionOutcome(SampleOutcome):
    """What became of the sample; further fields: `SampleOutcome`.

    Args:
        status: "done" or "failed"
        num_stored: corrections that were stored, or replaced
        num_tracks: that were tracked again
        num_corrections: that they were tracked from
        num_frames: that were written
    """

    num_stored: int = 0
    num_tracks: int = 0
    num_corrections: int = 0
    num_frames: int = 0


@dataclass(kw_only=True)
class CorrectionReport(SampleReport[CorrectionOutcome]):
    """The result of `correct_tracks`; further fields: `SampleReport`.

    Args:
        label_field: that was corrected
        tracker: that tracked again; empty where nothing was
    """

    FROM_RECORD = ("label_field", "tracker")
    OUTCOME = CorrectionOutcome
    COLUMNS = ("filepath", "status", "num_tracks", "num_corrections", "num_frames", "message")

    label_field: str = ""
    tracker: str | None = ""

    def __str__(self) -> str:
        lines = []
        if self.total("num_stored"):
            lines.append(f"Stored {count_of(self.total('num_stored'), 'correction')} in frames.{self.label_field}")
        if self.total("num_tracks"):
            lines.append(
                f"Tracked {count_of(self.total('num_tracks'), 'track')} again from "
                f"{count_of(self.total('num_corrections'), 'correction')} ({span_of(self.seconds)}); wrote "
                f"{count_of(self.total('num_frames'), 'frame')}"
            )
        if self.outcomes_with(FAILED):
            lines.append("; ".join(failure.message for failure in self.failures))
        if self.interrupted:
            lines.append("Interrupted, or still running")
        return "; ".join(lines) or "Nothing was corrected"
