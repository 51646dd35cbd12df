"""What became of an export or import, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ...store.runs.outcomes import DONE, FAILED, NOT_RUN, SKIPPED, Failure, count_of

# what an export leaves out because it was told to
BELOW_CONFIDENCE, TOO_SHORT, BEYOND_TOP, NOT_TRACKED = (
    "positions below min_confidence",
    "tracks shorter than min_length",
    "tracks beyond top",
    "frames that were not tracked",
)
_LISTED = 5


@dataclass(frozen=True)
class FileOutcome:
    """What became of one file.

    Args:
        path: of the file
        sample_id: of the sample
        filepath: of its video
        status: "done", "skipped" (the file is there already), "failed" or "not run" (after a cancellation)
        num_tracks: tracks in the file
        num_labels: labels (of point tracks: positions) written or read
        num_filled: of these, how many lie between the file's keyframes
        left_out: what the other side cannot hold, and how often
        warnings: what the user should know, in words
        kind, message: of the error, where it failed
    """

    path: str
    sample_id: str
    filepath: str
    status: str = DONE
    num_tracks: int = 0
    num_labels: int = 0
    num_filled: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    warnings: tuple[str, ...] = ()
    kind: str | None = None
    message: str | None = None

    def with_warnings(self, warnings: Iterable[str]) -> FileOutcome:
        """The same with more to say."""
        return replace(self, warnings=(*self.warnings, *warnings))


def _with_path(outcome: FileOutcome) -> str:
    """What went wrong, with the file where the message does not name it."""
    message = outcome.message or ""
    return message if outcome.path in message else f"{outcome.path}: {message}"


def listed(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:_LISTED]) + (f" and {len(names) - _LISTED} more" if len(names) > _LISTED else "")


@dataclass
class ExchangeReport:
    """What became of an export or import; `print(report)` says it in words.

    Args:
        format: of the files
        verb: "exported" or "imported"
        outcomes: one per file, or per sample of a file that holds many
        cancelled: whether it was ended before its end
        others: clips of the files that are of other videos, and were left alone
    """

    format: str
    verb: str
    outcomes: list[FileOutcome] = field(default_factory=list)
    cancelled: bool = False
    others: list[str] = field(default_factory=list)
    # read where reports of runs are shown: there is no record of an exchange
    run_key: None = None

    @property
    def failures(self) -> list[Failure]:
        """The files that failed, with the reason."""
        failed = [outcome for outcome in self.outcomes if outcome.status == FAILED]
        return [Failure(o.sample_id, o.filepath, o.kind or "", _with_path(o)) for o in failed]

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(file, what the user should know) of all files."""
        return [(outcome.path, warning) for outcome in self.outcomes for warning in outcome.warnings]

    @property
    def left_out(self) -> Counter[str]:
        """What the other side cannot hold, and how often, over all files."""
        return sum((outcome.left_out for outcome in self.outcomes), Counter())

    @property
    def summary(self) -> str:
        """How many files, tracks and labels, in words."""
        done = [outcome for outcome in self.outcomes if outcome.status == DONE]
        tracks, labels = sum(o.num_tracks for o in done), sum(o.num_labels for o in done)
        files = len({outcome.path for outcome in done})
        videos = f" of {count_of(len(done), 'video')}" if len(done) > files else ""
        lines = [
            f"{self.verb} as {self.format}: {count_of(files, 'file')}{videos}, {count_of(tracks, 'track')}, "
            f"{count_of(labels, 'label')}"
        ]
        for status, words in ((SKIPPED, "left alone: there already"), (NOT_RUN, "not reached: cancelled")):
            number = sum(outcome.status == status for outcome in self.outcomes)
            if number:
                lines.append(f"{count_of(number, 'file')} {words}")
        if self.others:
            lines.append(f"{count_of(len(self.others), 'clip')} of other videos left alone: {listed(self.others)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        done = [outcome for outcome in self.outcomes if outcome.status == DONE]
        lines = [self.summary]
        filled = sum(o.num_filled for o in done)
        if filled:
            lines.append(f"{count_of(filled, 'label')} of these lie between the file's keyframes")
        lines += [f"left out: {number:,} x {what}" for what, number in sorted(self.left_out.items())]
        lines += [f"{path}: {warning}" for path, warning in self.warnings]
        lines += [f"failed: {failure.message}" for failure in self.failures]
        return "\n".join(lines)
