"""What networks of any family are loaded with; imports without torch, for forms."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ...errors import OptionError

RESIZES = ("antialias", "bilinear")


@dataclass(frozen=True)
class ModelOptions:
    """What networks of any family are loaded with.

    Args:
        checkpoint: the file with the weights; None = the published ones, downloaded once
        accept_license: the terms of the downloaded weights are accepted
        device: "auto" (cuda, else mps, else cpu) or a torch device
        dtype: "auto" (tf32 on cuda, else float32), "float32", "tf32", "bfloat16"
        iterations: refinements; fewer are faster and less accurate
        memory_limit_gb: GiB a run may use above the model; None = what is free

    Raises:
        OptionError: for a value outside what is supported
    """

    checkpoint: str | os.PathLike[str] | None = None
    accept_license: bool = False
    device: str = "auto"
    dtype: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    iterations: int = 4
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.accept_license, bool):
            raise OptionError(f"Invalid accept_license ({self.accept_license!r}). Supported values are True and False")
        if not is_whole(self.iterations) or self.iterations < 1:
            raise OptionError(f"Invalid iterations ({self.iterations!r}). Expected a whole number of at least 1")
        limit = self.memory_limit_gb
        if limit is not None:
            check_positive("memory_limit_gb", limit, "number of GiB, or None")
        # whole numbers of numpy are no JSON values
        object.__setattr__(self, "iterations", int(self.iterations))
        object.__setattr__(self, "memory_limit_gb", None if limit is None else float(limit))

    def to_dict(self) -> dict[str, Any]:
        """The options that a run record keeps, as JSON values; device and dtype as they were asked for."""
        return {
            "checkpoint": None if self.checkpoint is None else os.fspath(self.checkpoint),
            "device": self.device,
            "dtype": self.dtype,
            "iterations": self.iterations,
            "memory_limit_gb": self.memory_limit_gb,
        }


def check_positive(name: str, value: Any, expected: str) -> None:
    """Refuses what is no positive, finite number.

    Raises:
        OptionError: naming the option and what is expected
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value > 0):
        raise OptionError(f"Invalid {name} ({value!r}). Expected a positive {expected}")


def check_resize(value: Any) -> None:
    """Refuses ways to resize frames that there are not.

    Raises:
        OptionError: naming those there are
    """
    if value not in RESIZES:
        raise OptionError(f"Invalid resize ({value!r}). Supported values are {', '.join(RESIZES)}")


def read_frame_size(given: Any, lowest: int, highest: int, unit: int = 1) -> tuple[int, int] | None:
    """The size of a model's frame, from the side of a square or two sides.

    Args:
        given: what the user gave
        lowest, highest: bounds of a side
        unit: that sides are multiples of

    Returns:
        (height, width); None where it is no such size
    """
    sides = (given, given) if is_whole(given) else given
    if (
        not isinstance(sides, tuple | list)
        or len(sides) != 2
        or not all(is_whole(side) and lowest <= side <= highest and side % unit == 0 for side in sides)
    ):
        return None
    height, width = (int(side) for side in sides)
    return height, width


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, also of numpy; True and False are none."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
