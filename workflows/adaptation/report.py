"""What an adaptation did: scores before and after, whether it was kept, and under which terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...store.runs.outcomes import Failure, count_of, table_of
from ...tracker.models.published_weights.terms import use_allowed
from ..lifecycle.report import Report

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class SkippedClips:
    """Clips of a video that were not trained on.

    Args:
        filepath: of the video
        reason: why
        count: clips
    """

    filepath: str
    reason: str
    count: int


@dataclass(kw_only=True)
class AdaptationReport(Report):
    """The result of `adapt_tracker`; further fields: `Report`.

    Args:
        name: of the new tracker
        tracker: that was adapted
        teachers: name -> {"license", "commercial_use", "batches"}
        kept: whether it is better, and stored
        reason: why it was kept or not, in words
        before, after: "returned", "visible" (shares), "median_px", "motion_px" (pixels of the
            256 x 256 frame) on held-out videos; empty where it did not come to that
        path: of the weights, None where nothing was kept
        license: SPDX expression of the result: the terms of the start and all teachers
        commercial_use: whether these allow it
        num_videos: that were trained on
        num_held_out: that were judged by
        num_points: sent forward and back on held-out videos
        steps, clips: of training
        skipped: clips that were not used
        failures: held-out videos that could not be judged by
    """

    FROM_RECORD = ("name", "tracker")

    name: str
    tracker: str
    teachers: dict[str, dict[str, Any]] = field(default_factory=dict)
    kept: bool = False
    reason: str = ""
    before: dict[str, float | None] = field(default_factory=dict)
    after: dict[str, float | None] = field(default_factory=dict)
    path: str | None = None
    license: str | None = None
    commercial_use: bool | None = None
    num_videos: int = 0
    num_held_out: int = 0
    num_points: int = 0
    steps: int = 0
    clips: int = 0
    skipped: list[SkippedClips] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    @property
    def num_skipped(self) -> int:
        """Clips that were not used."""
        return sum(one.count for one in self.skipped)

    @property
    def terms(self) -> str:
        """The licence of the result in words."""
        return f"{self.license}: {use_allowed(bool(self.commercial_use))}"

    @property
    def warnings(self) -> list[tuple[str, str]]:
        """(filepath, why clips of it were not used)."""
        return [(one.filepath, f"{count_of(one.count, 'clip')} not used: {one.reason}") for one in self.skipped]

    @property
    def notes(self) -> list[str]:
        """What the scores of the table mean, and which decides."""
        if not self.before:
            return []
        return [
            "*points returned*: points of held-out videos are followed to where the start saw them last and back; the "
            "share that ends within 1, 2, 4, 8 and 16 px of where it began, mean. This decides; *visible* and *motion* "
            "must stay comparable, since points that are hidden or stand still are not tracked better."
        ]

    def table(self) -> str:
        """The scores as a table in markdown; empty where there are none."""
        if not self.before:
            return ""
        rows = [
            {
                "held-out videos": when,
                "points returned (%)": _percent(scores.get("returned")),
                "visible (%)": _percent(scores.get("visible")),
                "median return error (px of 256)": scores.get("median_px"),
                "median motion (px of 256)": scores.get("motion_px"),
            }
            for when, scores in (("before", self.before), ("after", self.after))
            if scores
        ]
        return table_of(rows, list(rows[0]))

    def __str__(self) -> str:
        if self.cancelled:
            outcome = "was cancelled; nothing was stored"
        elif self.interrupted:
            outcome = "was interrupted, or is still running"
        elif self.kept:
            outcome = f"is stored as {self.name!r}: {self.reason}. Terms: {self.terms}"
        else:
            outcome = f"was not stored: {self.reason}"
        parts = [
            f"{self.tracker!r}, adapted on {count_of(self.num_videos, 'video')} in {self.seconds:.0f} s "
            f"({count_of(self.steps, 'step')}), {outcome}",
            f"judged by {count_of(self.num_points, 'point')} in {count_of(self.num_held_out, 'held-out video')}",
        ]
        if self.num_held_out == 1 and not self.cancelled:
            parts.append("one video is weak evidence")
        if self.skipped:
            parts.append(f"{count_of(self.num_skipped, 'clip')} not used")
        if self.failures:
            parts.append(f"{count_of(len(self.failures), 'held-out video')} that cannot be judged by")
        table = self.table()
        return "; ".join(parts) + (f"\n\n{table}" if table else "")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        skipped = [SkippedClips(**one) for one in values.get("skipped", ())]
        failures = [Failure(**one) for one in values.get("failures", ())]
        return super().from_dict({**values, "skipped": skipped, "failures": failures})


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
