"""What a rendering run made, file by file, and in words."""

from __future__ import annotations

from dataclasses import dataclass

from ...store.runs.outcomes import DONE, SKIPPED, SampleOutcome, count_of
from ..lifecycle.report import SampleReport

_MIB = 2**20


@dataclass(frozen=True)
class RenderOutcome(SampleOutcome):
    """What became of one sample; further fields: `SampleOutcome`.

    Args:
        status: "done", "skipped" (its file is there), "failed" or "not run" (after a cancellation)
        output_path: of the file, None where there is none
        num_frames: of the file
        size_bytes: of the file
        modified_ns: when it was written, as its file system says; tells it from another one of its name
    """

    output_path: str | None = None
    num_frames: int = 0
    size_bytes: int = 0
    modified_ns: int = 0


@dataclass(kw_only=True)
class RenderReport(SampleReport[RenderOutcome]):
    """The result of `render_dataset`; further fields: `SampleReport`.

    Args:
        output_dir: folder of the files; None where they lie beside their videos
        label_field: that was drawn
        media_field: that holds their paths; None where none was asked for
    """

    FROM_RECORD = ("output_dir", "label_field", "media_field")
    OUTCOME = RenderOutcome
    COLUMNS = ("filepath", "status", "output_path", "num_frames", "seconds", "message")

    label_field: str
    output_dir: str | None = None
    media_field: str | None = None

    def __str__(self) -> str:
        made = self.outcomes_with(DONE)
        size_mib = sum(outcome.size_bytes for outcome in made) / _MIB
        drawn = f"Drew {self.label_field} of {count_of(len(made), 'sample')} in {self.seconds:.1f} s"
        place = "beside their videos" if self.output_dir is None else f"into {self.output_dir}"
        parts = [f"{drawn} {place} ({size_mib:.1f} MiB)"]
        kept = len(self.outcomes_with(SKIPPED))
        if kept:
            parts.append(f"{count_of(kept, 'file')} {'was' if kept == 1 else 'were'} there already")
        if self.media_field is not None and made:
            parts.append(f"the App offers them as media {self.media_field!r}")
        if self.cancelled:
            parts.append(f"cancelled with {count_of(self.num_not_run, 'sample')} to go")
        if self.interrupted:
            parts.append(f"interrupted, or still running, with {count_of(self.num_not_run, 'sample')} to go")
        if self.failures:
            parts.append(count_of(len(self.failures), "failure"))
        return "; ".join(parts)
