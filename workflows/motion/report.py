"""What a description of motion found, sample by sample and in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...store.runs.outcomes import DONE, SKIPPED, SampleOutcome, count_of
from ...tracker.queries.ground import Ground
from ..lifecycle.report import SampleReport


@dataclass(frozen=True)
class MotionOutcome(SampleOutcome):
    """What became of one sample; further fields: `SampleOutcome`.

    Args:
        status: "done", "skipped" (described already, and its tracks did not change), "failed" or "not run"
        camera: what the camera does
        num_cuts: cuts
        num_events: spans that were stored
        num_points: points that were looked at
        num_featureless: of these, on featureless ground at some time
    """

    camera: str | None = None
    num_cuts: int = 0
    num_events: int = 0
    num_points: int = 0
    num_featureless: int = 0


@dataclass(kw_only=True)
class MotionReport(SampleReport[MotionOutcome]):
    """The result of `describe_motion`; further fields: `SampleReport`.

    Args:
        label_field: whose tracks were looked at; None = a helper grid
        motion_field, events_field: sample fields that were written
        views: names of saved views
        brain_keys: of the index and the map of like motion, where they were asked for
        not_indexed: why these could not be made, though they were asked for
    """

    FROM_RECORD = ("label_field",)
    OUTCOME = MotionOutcome
    COLUMNS = ("filepath", "status", "camera", "num_cuts", "num_events", "num_points", "num_featureless", "message")

    label_field: str | None = None
    motion_field: str = ""
    events_field: str = ""
    views: list[str] | None = None
    brain_keys: list[str] | None = None
    not_indexed: str | None = None

    @property
    def notes(self) -> list[str]:
        """Where it is, and how to look at it."""
        told = [f"There is nothing to sort by: {self.not_indexed}"] if self.not_indexed else []
        if self.brain_keys:
            similarity, embeddings = self.brain_keys
            told.append(
                f"To sort by like motion (`{similarity}`), select a sample, press the button for sorting by similarity "
                f"and *Show similar samples*; the panel *Embeddings* shows `{embeddings}`."
            )
        return [
            *told,
            f"Filter by the fields of `{self.motion_field}` in the sidebar, open a sample to see the "
            f"names of `{self.events_field}` come and go (its tab *Annotate* shows them on the time line), or choose "
            "one of the saved views.",
        ]

    def __str__(self) -> str:
        done = self.outcomes_with(DONE)
        cameras = Counter(outcome.camera for outcome in done)
        told = ", ".join(f"{number} {kind}" for kind, number in cameras.most_common())
        parts = [
            f"Described the motion of {count_of(len(done), 'sample')} in {self.seconds:.1f} s"
            + (f": {told}" if told else "")
        ]
        skipped = len(self.outcomes_with(SKIPPED))
        if skipped:
            parts.append(f"{count_of(skipped, 'sample')} left alone")
        ground = Ground(int(self.total("num_featureless")), int(self.total("num_points")))
        if ground.is_worth_saying:
            parts.append(str(ground))
        if self.cancelled:
            parts.append(f"cancelled with {count_of(self.num_not_run, 'sample')} to go")
        if self.interrupted:
            parts.append("interrupted, or still running")
        if self.failures:
            parts.append(count_of(len(self.failures), "failure"))
        return "; ".join(parts)
