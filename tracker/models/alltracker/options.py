"""What an AllTracker is loaded with; imports without torch, for forms."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ...errors import OptionError
from .config import ITERATIONS, MIN_SIDE

MAX_SIDE = 4096
Keep = Literal["auto", "last", "first"]
RESOLUTION = (384, 512)


@dataclass(frozen=True)
class AllTrackerOptions:
    """What an AllTracker is loaded with.

    Args:
        checkpoint: the file with the weights (.pth or .safetensors); None = downloaded
        accept_license: the terms of the downloaded weights are accepted
        device: "auto" (cuda, else mps, else cpu) or a torch device
        dtype: "auto" (tf32 on cuda, else float32), "float32", "tf32", "bfloat16"
        iterations: refinements per window; fewer are faster and less accurate
        memory_limit_gb: GiB a run may use above the model; None = what is free
        resolution: of the model's frame, one side of a square or (height, width), whatever the video's shape;
            None = the video's own (sides of 64 pixels and less are resized up)
        resize: how frames get there: "bilinear" as published (rounded to whole grey values), or
            "antialias", which averages where it shrinks
        keep: of the two windows that see most frames, the one whose result counts: "last" has seen more, "first" is
            what streams; "auto" = as published: "last" for clips of up to 128 frames, else "first"

    Raises:
        OptionError: for a value outside what is supported
    """

    checkpoint: str | os.PathLike[str] | None = None
    accept_license: bool = False
    device: str = "auto"
    dtype: Literal["auto", "float32", "tf32", "bfloat16"] = "auto"
    iterations: int = ITERATIONS
    memory_limit_gb: float | None = None
    resolution: int | tuple[int, int] | None = RESOLUTION
    resize: Literal["antialias", "bilinear"] = "bilinear"
    keep: Keep = "auto"

    def __post_init__(self) -> None:
        if not isinstance(self.accept_license, bool):
            raise OptionError(f"Invalid accept_license ({self.accept_license!r}). Supported values are True and False")
        if not _is_whole(self.iterations) or self.iterations < 1:
            raise OptionError(f"Invalid iterations ({self.iterations!r}). Expected a whole number of at least 1")
        limit = self.memory_limit_gb
        if limit is not None and not (_is_number(limit) and math.isfinite(limit) and limit > 0):
            raise OptionError(f"Invalid memory_limit_gb ({limit!r}). Expected a positive number of GiB, or None")
        if self.resize not in ("antialias", "bilinear"):
            raise OptionError(f"Invalid resize ({self.resize!r}). Supported values are antialias, bilinear")
        if self.keep not in get_args(Keep):
            raise OptionError(f"Invalid keep ({self.keep!r}). Supported values are {', '.join(get_args(Keep))}")
        # whole numbers of numpy are no JSON values
        object.__setattr__(self, "iterations", int(self.iterations))
        object.__setattr__(self, "memory_limit_gb", None if limit is None else float(limit))
        object.__setattr__(self, "resolution", _resolution(self.resolution))

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the model's frame; None for the video's own."""
        return _resolution(self.resolution)


def _resolution(given: Any) -> tuple[int, int] | None:
    if given is None:
        return None
    sides = (given, given) if _is_whole(given) else given
    if (
        not isinstance(sides, tuple | list)
        or len(sides) != 2
        or not all(_is_whole(side) and MIN_SIDE <= side <= MAX_SIDE for side in sides)
    ):
        raise OptionError(
            f"Invalid resolution ({given!r}). Supported values are a whole number of pixels from {MIN_SIDE} to "
            f"{MAX_SIDE}, (height, width) of such numbers, or None for the video's own"
        )
    height, width = (int(side) for side in sides)
    return height, width


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
