"""The sizes of a model of the TAPIR family: what a checkpoint decides, and what its name does."""

from __future__ import annotations

from dataclasses import dataclass

from ..shared.independent_points.sampling import AROUND
from ..shared.independent_points.trunk import DEPTHS, WIDTHS

EXPANSION = 4
"""Channels of the mixer's hidden layers, as a multiple of its width."""
STATE_PARTS = 4
"""x, y, and the logits of both heads."""


@dataclass(frozen=True)
class TapirConfig:
    """What distinguishes models; smaller ones than the published serve tests.

    Args:
        widths: channels of the trunk, as of `PreactivationResNet`
        depths: blocks of the trunk's groups
        extra_convs: blocks after the trunk
        extra_width: channels of their hidden layer
        mixer_width: channels of the mixer
        mixer_blocks: its blocks
        pooled: whether the lower map is read at half its size too
        causal: whether frames see earlier ones only; no file says so
    """

    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS
    extra_convs: int = 5
    extra_width: int = 1024
    mixer_width: int = 512
    mixer_blocks: int = 12
    pooled: bool = True
    causal: bool = False

    @property
    def name(self) -> str:
        """The name of the tracker that a model of these sizes is for."""
        if not self.extra_convs:
            return "tapir"
        return "bootstapir-online" if self.causal else "bootstapir"

    @property
    def high_dim(self) -> int:
        """Channels of the map at a quarter of the frame."""
        return self.widths[2]

    @property
    def low_dim(self) -> int:
        """Channels of the map at an eighth of the frame."""
        return self.widths[4]

    @property
    def feature_dim(self) -> int:
        """Channels of what is remembered of a point."""
        return self.high_dim + self.low_dim

    @property
    def levels(self) -> int:
        """Maps around a point that are read."""
        return 3 if self.pooled else 2

    @property
    def mixer_in(self) -> int:
        """Channels of a point in a frame for the mixer."""
        return STATE_PARTS + self.feature_dim + self.levels * AROUND


TAPIR = TapirConfig(extra_convs=0, pooled=False)
BOOTSTAPIR = TapirConfig()
BOOTSTAPIR_ONLINE = TapirConfig(causal=True)
