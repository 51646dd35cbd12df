"""What trails look like and what the file holds."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import OptionError
from ..flags import check_flags
from .colors import COLORINGS

MAX_TAIL = 1000
MIN_SIDE = 16
MAX_SIDE = 8192
BACKGROUNDS = ("video", "grey")


@dataclass(frozen=True)
class TrailOptions:
    """How tracks are drawn.

    Args:
        tail: frames behind the current one that a trail goes back, from 0 (points alone) to `MAX_TAIL`
        color_by: what tells colours apart, one of `COLORINGS`
        show_hidden: draw hidden points whose position is known: as rings, with a faint trail
        background: "video", or "grey" so that colours stand out
        longest_side: pixels of the file's longer side, smaller or larger than the video; None = as the video
        keep_audio: keep the sound

    Raises:
        OptionError: for a value outside what is supported
    """

    tail: int = 15
    color_by: str = "track"
    show_hidden: bool = True
    background: str = "video"
    longest_side: int | None = None
    keep_audio: bool = False

    def __post_init__(self) -> None:
        if not _is_whole(self.tail) or not 0 <= self.tail <= MAX_TAIL:
            raise OptionError(f"Invalid tail ({self.tail!r}). Expected whole frames from 0 to {MAX_TAIL}")
        if not isinstance(self.color_by, str) or self.color_by not in COLORINGS:
            raise OptionError(f"Invalid color_by ({self.color_by!r}). Supported values are {', '.join(COLORINGS)}")
        if not isinstance(self.background, str) or self.background not in BACKGROUNDS:
            raise OptionError(
                f"Invalid background ({self.background!r}). Supported values are {', '.join(BACKGROUNDS)}"
            )
        side = self.longest_side
        if side is not None and (not _is_whole(side) or not MIN_SIDE <= side <= MAX_SIDE):
            raise OptionError(
                f"Invalid longest_side ({side!r}). Expected whole pixels from {MIN_SIDE} to {MAX_SIDE}, or None"
            )
        check_flags(self, "show_hidden", "keep_audio")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TRAIL_DEFAULTS = TrailOptions()
