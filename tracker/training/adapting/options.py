"""How a tracker is adapted; read without torch, so that forms can check values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ...errors import OptionError
from ...flags import check_flags

DEFAULT_MINUTES = 30.0


@dataclass(frozen=True)
class AdaptationOptions:
    """How a tracker is adapted.

    Args:
        minutes: of training; None = 30, unless `steps` is given
        steps: of training instead; such a run is repeatable
        held_out: share of the videos to judge by
        seed: of the division, of clips, points and teachers
        learning_rate: at the start; it falls to 0 along a cosine
        points: tracks per clip
        batch: clips per step
        frame_step: (lowest, highest) step between the frames of a clip
        ema: keep averaged weights instead of the last ones
        overwrite: replace an adapted tracker of the same name

    Raises:
        OptionError: for values outside what is supported
    """

    minutes: float | None = None
    steps: int | None = None
    held_out: float = 0.2
    seed: int = 0
    learning_rate: float = 5e-5
    points: int = 96
    batch: int = 1
    frame_step: tuple[int, int] = (1, 3)
    ema: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.minutes is not None and self.steps is not None:
            raise OptionError("minutes and steps are both set. Choose one budget")
        limits: dict[str, tuple[type | tuple[type, ...], float, float]] = {
            "minutes": ((int, float), 0, math.inf),
            "steps": (int, 0, math.inf),
            "held_out": ((int, float), 0, 1),
            "learning_rate": ((int, float), 0, 1),
            "points": (int, 7, 4097),
            "batch": (int, 0, 257),
        }
        for name, (kind, above, below) in limits.items():
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, kind) or not above < value < below:
                whole = "a whole number" if kind is int else "a number"
                bounds = f"above {above:g}" + ("" if below == math.inf else f" and below {below:g}")
                raise OptionError(f"Invalid {name} ({value!r}). Expected {whole} {bounds}")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise OptionError(f"Invalid seed ({self.seed!r}). Expected a whole number of at least 0")
        self._check_frame_step()
        check_flags(self, "ema", "overwrite")

    def _check_frame_step(self) -> None:
        steps = self.frame_step
        if (
            not isinstance(steps, tuple | list)
            or len(steps) != 2
            or any(isinstance(step, bool) or not isinstance(step, int) for step in steps)
            or not 1 <= steps[0] <= steps[1]
        ):
            raise OptionError(f"Invalid frame_step ({steps!r}). Expected (lowest, highest), whole numbers from 1")
        object.__setattr__(self, "frame_step", tuple(steps))

    @property
    def budget(self) -> dict[str, Any]:
        """What the trainer takes."""
        if self.steps is not None:
            return {"steps": self.steps}
        return {"minutes": DEFAULT_MINUTES if self.minutes is None else self.minutes}
