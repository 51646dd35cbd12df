"""Which stage a run is in, how far it has come, and the learning rate there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..configs import TrainingStage


@dataclass
class Progress:
    """Where a run is.

    Args:
        step: steps done
        stage: index of the stage
        stage_step: steps of the stage that are done
        stage_seconds: time spent in the stage
        seconds: time spent in all
        clips: clips seen by all processes
        skipped: steps left out for gradients that are no numbers
        skipped_in_a_row: the last of them
        validated: share of the run at the last validation
    """

    step: int = 0
    stage: int = 0
    stage_step: int = 0
    stage_seconds: float = 0.0
    seconds: float = 0.0
    clips: int = 0
    skipped: int = 0
    skipped_in_a_row: int = 0
    validated: float = 0.0


@dataclass(frozen=True)
class Schedule:
    """The stages of a run over its budget.

    Args:
        stages: one after the other
        minutes: budget of the run
        steps: budget in steps, where there is none in minutes
    """

    stages: tuple[TrainingStage, ...]
    minutes: float | None
    steps: int | None

    def stage(self, progress: Progress) -> TrainingStage | None:
        """The stage a run is in; None where all are done."""
        return self.stages[progress.stage] if progress.stage < len(self.stages) else None

    def advance(self, progress: Progress) -> None:
        """Goes on to the next stage where one is done."""
        while self.stage(progress) is not None and self.stage_share(progress) >= 1:
            progress.stage += 1
            progress.stage_step, progress.stage_seconds = 0, 0.0

    def stage_share(self, progress: Progress) -> float:
        """How much of the stage is done, from 0."""
        if self.stage(progress) is None:
            return 1.0
        done = progress.stage_seconds if self.minutes is not None else progress.stage_step
        return done / self._budget(progress.stage)

    def share_done(self, progress: Progress) -> float:
        """How much of the run is done, from 0 to 1."""
        shares = [stage.share for stage in self.stages]
        here = 0.0
        if progress.stage < len(shares):
            here = shares[progress.stage] * min(self.stage_share(progress), 1.0)
        return (sum(shares[: progress.stage]) + here) / sum(shares)

    def _budget(self, stage: int) -> float:
        """Of a stage, in seconds or steps."""
        shares = [one.share for one in self.stages]
        if self.minutes is not None:
            return 60 * self.minutes * shares[stage] / sum(shares)
        assert self.steps is not None
        start, end = (round(self.steps * sum(shares[:i]) / sum(shares)) for i in (stage, stage + 1))
        return max(end - start, 1)


def learning_rate(stage: TrainingStage, share: float) -> float:
    """The rate at a share of a stage: a linear warm-up, then a cosine down to `final_rate`."""
    rise = min(share / stage.warmup, 1.0) if stage.warmup > 0 else 1.0
    fall = 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
    # the first step of a warm-up is not lost
    return stage.learning_rate * max(rise, 1e-3) * (stage.final_rate + (1 - stage.final_rate) * fall)
