"""What these trackers are loaded with; imports without torch, for forms."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ....errors import OptionError
from .model_sizes import FIRST_SIDE, SIZE_UNIT

MAX_SIDE = 2048
ITERATIONS = 4


@dataclass(frozen=True)
class PointModelOptions:
    """What these trackers are loaded with.

    Args:
        checkpoint: the file with the weights; None = downloaded
        accept_license: the terms of the downloaded weights are accepted
        device: "auto" (cuda, else mps, else cpu) or a torch device
        dtype: "auto" (tf32 on cuda, else float32), "float32", "tf32", "bfloat16"
        iterations: refinements in each size; fewer are faster and less accurate
        memory_limit_gb: GiB a run may use above the model; None = what is free
        resolution: of the model's frame, one side of a square or (height, width), whatever the video's shape; sides
            are multiples of 8 from 256 on
        resize: how frames get there: "antialias" averages where it shrinks, as the published figures were made;
            "bilinear" does not, as the published code does by default

    Raises:
        OptionError: for a value outside what is supported
    """

    checkpoint: str | os.PathLike[str] | None = None
    accept_license: bool = False
    device: str = "auto"
    dtype: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    iterations: int = ITERATIONS
    memory_limit_gb: float | None = None
    resolution: int | tuple[int, int] = FIRST_SIDE
    resize: Literal["antialias", "bilinear"] = "antialias"

    def __post_init__(self) -> None:
        if not isinstance(self.accept_license, bool):
            raise OptionError(f"Invalid accept_license ({self.accept_license!r}). Supported values are True and False")
        if not _is_whole(self.iterations) or self.iterations < 1:
            raise OptionError(f"Invalid iterations ({self.iterations!r}). Expected a whole number of at least 1")
        limit = self.memory_limit_gb
        if limit is not None:
            check_positive("memory_limit_gb", limit, "number of GiB, or None")
        if self.resize not in ("antialias", "bilinear"):
            raise OptionError(f"Invalid resize ({self.resize!r}). Supported values are antialias, bilinear")
        # whole numbers of numpy are no JSON values
        object.__setattr__(self, "iterations", int(self.iterations))
        object.__setattr__(self, "memory_limit_gb", None if limit is None else float(limit))
        object.__setattr__(self, "resolution", _frame_size(self.resolution))

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width) of the model's frame."""
        return _frame_size(self.resolution)

    def to_dict(self) -> dict[str, Any]:
        """The options that a run record keeps, as JSON values; device and dtype as they were asked for."""
        return {
            "checkpoint": None if self.checkpoint is None else os.fspath(self.checkpoint),
            "device": self.device,
            "dtype": self.dtype,
            "iterations": self.iterations,
            "memory_limit_gb": self.memory_limit_gb,
            "resolution": list(self.frame_size),
            "resize": self.resize,
        }


def check_positive(name: str, value: Any, expected: str) -> None:
    """Refuses what is no positive, finite number.

    Raises:
        OptionError: naming the option and what is expected
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value > 0):
        raise OptionError(f"Invalid {name} ({value!r}). Expected a positive {expected}")


def _frame_size(given: Any) -> tuple[int, int]:
    sides = (given, given) if _is_whole(given) else given
    if (
        not isinstance(sides, tuple | list)
        or len(sides) != 2
        or not all(_is_whole(side) and FIRST_SIDE <= side <= MAX_SIDE and side % SIZE_UNIT == 0 for side in sides)
    ):
        raise OptionError(
            f"Invalid resolution ({given!r}). Supported values are a multiple of {SIZE_UNIT} from {FIRST_SIDE} to "
            f"{MAX_SIDE}, or (height, width) of such numbers"
        )
    height, width = (int(side) for side in sides)
    return height, width


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
