"""What these trackers are loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ....errors import OptionError
from ..model_options import ModelOptions, check_resize, read_frame_size
from .model_sizes import FIRST_SIDE, SIZE_UNIT

MAX_SIDE = 2048


@dataclass(frozen=True)
class PointModelOptions(ModelOptions):
    """What these trackers are loaded with; `iterations` are those in each size; further options as of `ModelOptions`.

    Args:
        resolution: of the model's frame, one side of a square or (height, width), whatever the video's shape; sides
            are multiples of 8 from 256 on
        resize: how frames get there: "antialias" averages where it shrinks, as the published figures were made;
            "bilinear" does not, as the published code does by default

    Raises:
        OptionError: for a value outside what is supported
    """

    resolution: int | tuple[int, int] = FIRST_SIDE
    resize: Literal["antialias", "bilinear"] = "antialias"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_resize(self.resize)
        object.__setattr__(self, "resolution", self.frame_size)

    @property
    def frame_size(self) -> tuple[int, int]:
        """(height, width) of the model's frame."""
        size = read_frame_size(self.resolution, FIRST_SIDE, MAX_SIDE, SIZE_UNIT)
        if size is None:
            raise OptionError(
                f"Invalid resolution ({self.resolution!r}). Supported values are a multiple of {SIZE_UNIT} from "
                f"{FIRST_SIDE} to {MAX_SIDE}, or (height, width) of such numbers"
            )
        return size

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "resolution": list(self.frame_size), "resize": self.resize}
