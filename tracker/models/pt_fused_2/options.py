"""What pt-fused-2 is loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from ...errors import OptionError

Learned = Literal["pt-small"]
LEARNED: tuple[str, ...] = get_args(Learned)


@dataclass(frozen=True)
class Fused2Options:
    """How pt-fused-2 runs; the defaults are those of form, SDK and docs.

    Args:
        learned: the tracker beside optical flow: "pt-small"
        checkpoint: another file with weights of its size, such as one trained
            further on own videos; None = the weights that ship with the package
        device: of the learned tracker: "auto" (cuda, else mps, else cpu) or a torch device
        memory_limit_gb: GiB the learned tracker may use above its model; None = what is free

    Raises:
        OptionError: if a value is outside what is supported
    """

    learned: Learned = "pt-small"
    checkpoint: str | None = None
    device: str = "auto"
    memory_limit_gb: float | None = None

    def __post_init__(self) -> None:
        if self.learned not in LEARNED:
            raise OptionError(f"Invalid learned ({self.learned!r}). Supported values are {', '.join(LEARNED)}")
