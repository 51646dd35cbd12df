"""What a tracker of the TAPIR family is loaded with; imports without torch, for forms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..shared.independent_points.options import PointModelOptions
from ..shared.model_options import check_positive


@dataclass(frozen=True)
class TapirOptions(PointModelOptions):
    """What a tracker of the TAPIR family is loaded with; further options as of `PointModelOptions`.

    Args:
        softmax_temperature: how much the highest score of the first search outweighs the others; None = as the models
            were trained: 10 for BootsTAPIR, 20 for TAPIR (the published torch demos take 20 for all)
        flavour: what the user says that `checkpoint` holds, "bootstapir" or "bootstapir-online": their files look alike

    Raises:
        OptionError: for a value outside what is supported
    """

    softmax_temperature: float | None = None
    flavour: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.softmax_temperature is not None:
            check_positive("softmax_temperature", self.softmax_temperature, "number, or None")
            object.__setattr__(self, "softmax_temperature", float(self.softmax_temperature))

    def to_dict(self) -> dict[str, Any]:
        return {
            **super().to_dict(),
            "softmax_temperature": self.softmax_temperature,
            "flavour": self.flavour,
        }
