"""What the shipped trackers are loaded with; imports without torch, for forms."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ...errors import OptionError
from ..cotracker.options import CoTrackerOptions

if TYPE_CHECKING:
    from ..cotracker.network.config import CoTrackerConfig

_MIN_SIDE, _MAX_SIDE = 64, 1024


@dataclass(frozen=True)
class ShippedOptions:
    """What a shipped tracker is loaded with.

    Args:
        checkpoint: another file with weights of this size, such as one trained
            further on own videos; None = the weights that ship with the package
        device: "auto" (cuda, else mps, else cpu) or a torch device
        dtype: "auto" (tf32 on cuda, else float32), "float32", "tf32", "bfloat16"
        support_grid: points per side that are tracked along in frame 0, to
            support the others; "auto" = 6 for points and masked grids, else none
        iterations: refinements; None = as trained
        memory_limit_gb: GiB a run may use above the model; None = what is free
        resolution: pixels of the longer side of the model's frame, whose shape
            follows the video's; None = the area the model was made for

    Raises:
        OptionError: for a value outside what is supported
    """

    checkpoint: str | os.PathLike[str] | None = None
    device: str = "auto"
    dtype: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    support_grid: int | Literal["auto"] = "auto"
    iterations: int | None = None
    memory_limit_gb: float | None = None
    resolution: int | None = None

    def __post_init__(self) -> None:
        side = self.resolution
        if side is not None and (
            isinstance(side, bool) or not isinstance(side, int) or not _MIN_SIDE <= side <= _MAX_SIDE
        ):
            raise OptionError(
                f"Invalid resolution ({side!r}). Supported values are whole numbers from {_MIN_SIDE} to {_MAX_SIDE}, "
                "or None"
            )

    def for_model(self, config: CoTrackerConfig) -> CoTrackerOptions:
        """As options of a CoTracker model."""
        return CoTrackerOptions(
            checkpoint=self.checkpoint,
            device=self.device,
            dtype=self.dtype,
            support_grid=self.support_grid,
            iterations=config.iterations if self.iterations is None else self.iterations,
            memory_limit_gb=self.memory_limit_gb,
        )
