"""What a CoTracker is loaded with."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...errors import OptionError

MAX_SUPPORT_GRID = 50


@dataclass(frozen=True)
class CoTrackerOptions:
    """What a CoTracker is loaded with.

    Args:
        checkpoint: a local file with weights; None = the published ones,
            downloaded once
        device: "auto" (cuda, else mps, else cpu) or a torch device
        dtype: "auto" (tf32 on cuda, else float32), "float32", "tf32", "bfloat16"
        support_grid: points per side that are tracked along in frame 0, to
            support the others; "auto" = 6 for points and masked grids, else none
        iterations: refinements; fewer are faster and less accurate
        memory_limit_gb: GiB a run may use above the model; None = what is free
        windowed: for the online models: True = the published whole-clip
            predictor, False = the streaming one; None = the model's default
        accept_license: the terms of the published weights (CC-BY-NC 4.0) are
            accepted; needed once, before the download

    Raises:
        OptionError: for a value outside what is supported
    """

    checkpoint: str | os.PathLike[str] | None = None
    device: str = "auto"
    dtype: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    support_grid: int | Literal["auto"] = "auto"
    iterations: int = 6
    memory_limit_gb: float | None = None
    windowed: bool | None = None
    accept_license: bool = False

    def __post_init__(self) -> None:
        side = self.support_grid
        if side != "auto" and (not _is_whole(side) or not 0 <= int(side) <= MAX_SUPPORT_GRID):
            raise OptionError(
                f"Invalid support_grid ({side!r}). Supported values are 'auto' and whole numbers up to "
                f"{MAX_SUPPORT_GRID}; 0 = none"
            )
        if not _is_whole(self.iterations) or self.iterations < 1:
            raise OptionError(f"Invalid iterations ({self.iterations!r}). Expected a whole number of at least 1")
        limit = self.memory_limit_gb
        if limit is not None and not (_is_number(limit) and math.isfinite(limit) and limit > 0):
            raise OptionError(f"Invalid memory_limit_gb ({limit!r}). Expected a positive number of GiB, or None")
        if self.windowed is not None and not isinstance(self.windowed, bool):
            raise OptionError(f"Invalid windowed ({self.windowed!r}). Supported values are True, False and None")
        if not isinstance(self.accept_license, bool):
            raise OptionError(f"Invalid accept_license ({self.accept_license!r}). Supported values are True and False")
        # whole numbers of numpy are no JSON values
        object.__setattr__(self, "support_grid", side if side == "auto" else int(side))
        object.__setattr__(self, "iterations", int(self.iterations))
        object.__setattr__(self, "memory_limit_gb", None if limit is None else float(limit))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
