"""What a propagation did, sample by sample and in words."""

from __future__ import annotations

from dataclasses import dataclass

from ...store.runs.outcomes import DONE, FAILED, NO_PROMPT, SampleOutcome, count_of, span_of
from ..lifecycle.report import SampleReport


@dataclass(frozen=True)
class PropagationOutcome(SampleOutcome):
    """What became of one sample; further fields: `SampleOutcome`.

    Args:
        status: "done", "failed", "no prompt" or "not run" (after a cancellation)
        num_objects: that were carried
        num_keyframes: that they were carried from
        num_filled: labels that were written between and beside them
        num_interpolated: of these, those where too few points were seen: plain interpolation
        num_removed: derived labels that had to go
        num_unchanged: frames that an earlier run had filled from the same keyframes, and that were left as they are
    """

    num_objects: int = 0
    num_keyframes: int = 0
    num_filled: int = 0
    num_interpolated: int = 0
    num_removed: int = 0
    num_unchanged: int = 0


@dataclass(kw_only=True)
class PropagationReport(SampleReport[PropagationOutcome]):
    """The result of `propagate_labels`; further fields: `SampleReport`.

    Args:
        field: with the prompts
        target_field: that was written
        tracker: that followed the points
    """

    FROM_RECORD = ("field", "target_field", "tracker")
    OUTCOME = PropagationOutcome
    COLUMNS = ("filepath", "status", "num_objects", "num_keyframes", "num_filled", "num_interpolated", "message")

    field: str = ""
    target_field: str = ""
    tracker: str = ""

    @property
    def num_samples(self) -> int:
        """Samples that were finished in this run."""
        return len(self.outcomes_with(DONE))

    @property
    def notes(self) -> list[str]:
        if not self.total("num_interpolated"):
            return []
        return [
            "Labels marked `interpolated` are straight parts between two keyframes: too few points of the object were "
            "seen there. Look at them first; a keyframe in the middle helps most.",
        ]

    @property
    def _state(self) -> str:
        if self.interrupted:
            return ", interrupted, or still running"
        return ", ended early" if self.cancelled else ""

    def __str__(self) -> str:
        objects, keyframes = count_of(self.total("num_objects"), "object"), self.total("num_keyframes")
        parts = [
            f"Carried {objects} from {count_of(keyframes, 'keyframe')} in {count_of(self.num_samples, 'sample')} "
            f"({span_of(self.seconds)})" + self._state
        ]
        filled, interpolated = self.total("num_filled"), self.total("num_interpolated")
        told = f"wrote {count_of(filled, 'label')} to frames.{self.target_field}"
        if interpolated:
            told += f", {interpolated:,} of them interpolated, since too few points were seen"
        if self.total("num_removed"):
            told += f", removed {count_of(self.total('num_removed'), 'derived label')}"
        parts.append(told)
        if self.total("num_unchanged"):
            parts.append(f"left {count_of(self.total('num_unchanged'), 'frame')} alone, whose keyframes did not change")
        for status, words in ((FAILED, "failed"), (NO_PROMPT, "had nothing to carry")):
            number = len(self.outcomes_with(status))
            if number:
                parts.append(f"{count_of(number, 'sample')} {words}")
        if self.num_not_run:
            parts.append(f"{count_of(self.num_not_run, 'sample')} to go")
        return "; ".join(parts)
