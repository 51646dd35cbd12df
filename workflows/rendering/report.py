"""What a rendering run made, file by file, and in words."""

from __future__ import annotations

from dataclasses import dataclass

from ...store.runs.outcomes import DONE, FAILED, SKIPPED, SampleOutcome, count_of
from ..lifecycle.report import SampleReport


@dataclass(frozen=True)
class RenderOutcome(SampleOutcome):
    """What became of one sample; further fields: `SampleOutcome`.

    Args:
        status: "done", "skipped" (its file is there), "failed" or "not run" (after a cancellation)
        output_path: of the file, None where there is none
        num_frames: of the file
    """

    output_path: str | None = None
    num_frames: int = 0


@dataclass(kw_only=True)
class RenderReport(SampleReport[RenderOutcome]):
    """The result of `render_dataset`; further fields: `SampleReport`. There is no run record: files say it all.

    Args:
        output_dir: folder of the files
        label_field: that was drawn
        media_field: that holds their paths; None where none was asked for
    """

    OUTCOME = RenderOutcome
    COLUMNS = ("filepath", "status", "output_path", "num_frames", "seconds", "message")

    output_dir: str
    label_field: str
    media_field: str | None = None

    def __str__(self) -> str:
        made, kept = len(self.outcomes_with(DONE)), len(self.outcomes_with(SKIPPED))
        parts = [f"{count_of(made, 'file')} made in {self.output_dir}"]
        if kept:
            parts.append(f"{kept} were there already")
        if self.failures:
            parts.append(f"{len(self.outcomes_with(FAILED))} failed")
        if self.num_not_run:
            parts.append(f"{self.num_not_run} not run")
        return ", ".join(parts)
