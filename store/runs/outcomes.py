"""What becomes of the samples of a run, and how reports put it into words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DONE = "done"
SKIPPED = "skipped"
FAILED = "failed"
NOT_RUN = "not run"
# there was nothing to track from; tried again by `skip_existing`, and no failure
NO_PROMPT = "no prompt"


@dataclass(frozen=True)
class Failure:
    """A sample that could not be tracked.

    Args:
        sample_id: of the sample
        filepath: of its media
        kind: name of the error's type
        message: what was found, what is allowed, what to do
    """

    sample_id: str
    filepath: str
    kind: str
    message: str


@dataclass(frozen=True)
class SampleOutcome:
    """What became of one sample, in every workflow.

    Args:
        sample_id: of the sample
        filepath: of its media
        status: as the workflow calls it
        kind, message: of the error, for failed samples; what was missing, for those without a prompt
        seconds: spent on this sample
        warnings: what the user should know, in words
    """

    sample_id: str
    filepath: str
    status: str
    kind: str | None = field(default=None, kw_only=True)
    message: str | None = field(default=None, kw_only=True)
    seconds: float = field(default=0.0, kw_only=True)
    warnings: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True)
class Outcome(SampleOutcome):
    """What became of one sample that was tracked; further fields: `SampleOutcome`.

    Args:
        status: "done", "skipped", "failed", "no prompt" or "not run" (after a cancellation)
        num_points: tracks
        num_frames: frames tracked
        num_keypoints: point positions stored
        plan: how the tracker cut its work, where it says (`info["plan"]` of its tracks)
        megapixels: of a displayed frame; 0 where that is not known
        destination_id: of the sample that tracks are written to, where that is another one: the source
            of a preprocessed copy
        num_featureless: points that lie on featureless ground in the frame they are asked for in
        num_passes: through the video, of trackers that need one for each frame that holds queries
    """

    num_points: int = 0
    num_frames: int = 0
    num_keypoints: int = 0
    plan: dict[str, Any] = field(default_factory=dict)
    destination_id: str | None = None
    megapixels: float = 0.0
    num_featureless: int = 0
    num_passes: int = 1


def table_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """A table in markdown.

    Args:
        rows: of values
        columns: keys of the rows
    """

    def cell(value: Any) -> str:
        text = f"{value:.1f}" if isinstance(value, float) else "" if value is None else str(value)
        return text.replace("|", "\\|").replace("\n", " ")

    lines = [columns, ["---"] * len(columns), *([cell(row[name]) for name in columns] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun, e.g. "1 sample", "1,200 samples"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def span_of(seconds: float) -> str:
    """A span of time for people: "20 s", "5 min", "2 h 10 min"."""
    if seconds < 90:
        return f"{max(round(seconds / 5) * 5, 5)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
