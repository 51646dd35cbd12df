"""What an AllTracker is loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from ...errors import OptionError
from ..shared.model_options import ModelOptions, check_resize, read_frame_size
from .config import ITERATIONS, MIN_SIDE

MAX_SIDE = 4096
Keep = Literal["auto", "last", "first"]
RESOLUTION = (384, 512)


@dataclass(frozen=True)
class AllTrackerOptions(ModelOptions):
    """What an AllTracker is loaded with; `iterations` are those of a window; further options as of `ModelOptions`.

    Args:
        resolution: of the model's frame, one side of a square or (height, width), whatever the video's shape;
            None = the video's own (sides of 64 pixels and less are resized up)
        resize: how frames get there: "bilinear" as published (rounded to whole grey values), or
            "antialias", which averages where it shrinks
        keep: of the two windows that see most frames, the one whose result counts: "last" has seen more, "first" is
            what streams; "auto" = as published: "last" for clips of up to 128 frames, else "first"

    Raises:
        OptionError: for a value outside what is supported
    """

    iterations: int = ITERATIONS
    resolution: int | tuple[int, int] | None = RESOLUTION
    resize: Literal["antialias", "bilinear"] = "bilinear"
    keep: Keep = "auto"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_resize(self.resize)
        if self.keep not in get_args(Keep):
            raise OptionError(f"Invalid keep ({self.keep!r}). Supported values are {', '.join(get_args(Keep))}")
        object.__setattr__(self, "resolution", self.frame_size)

    @property
    def frame_size(self) -> tuple[int, int] | None:
        """(height, width) of the model's frame; None for the video's own."""
        size = read_frame_size(self.resolution, MIN_SIDE, MAX_SIDE)
        if size is None and self.resolution is not None:
            raise OptionError(
                f"Invalid resolution ({self.resolution!r}). Supported values are a whole number of pixels from "
                f"{MIN_SIDE} to {MAX_SIDE}, (height, width) of such numbers, or None for the video's own"
            )
        return size

    def to_dict(self) -> dict[str, Any]:
        size = self.frame_size
        return {
            **super().to_dict(),
            "resolution": None if size is None else list(size),
            "resize": self.resize,
            "keep": self.keep,
        }
