"""What a CoTracker is loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...errors import OptionError
from ..shared.model_options import ModelOptions, is_whole

MAX_SUPPORT_GRID = 50


@dataclass(frozen=True)
class CoTrackerOptions(ModelOptions):
    """What a CoTracker is loaded with; further options as of `ModelOptions`.

    Args:
        support_grid: points per side that are tracked along in frame 0, to
            support the others; "auto" = 6 for points and masked grids, else none
        windowed: for the online models: True = the published whole-clip
            predictor, False = the streaming one; None = the model's default

    Raises:
        OptionError: for a value outside what is supported
    """

    iterations: int = 6
    support_grid: int | Literal["auto"] = "auto"
    windowed: bool | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        side = self.support_grid
        if side != "auto" and (not is_whole(side) or not 0 <= int(side) <= MAX_SUPPORT_GRID):
            raise OptionError(
                f"Invalid support_grid ({side!r}). Supported values are 'auto' and whole numbers up to "
                f"{MAX_SUPPORT_GRID}; 0 = none"
            )
        if self.windowed is not None and not isinstance(self.windowed, bool):
            raise OptionError(f"Invalid windowed ({self.windowed!r}). Supported values are True, False and None")
        # whole numbers of numpy are no JSON values
        object.__setattr__(self, "support_grid", side if side == "auto" else int(side))
