"""The sizes of a LocoTrack model: what a checkpoint decides, and what is fixed."""

from __future__ import annotations

from dataclasses import dataclass

from ..shared.independent_points.trunk import DEPTHS, WIDTHS

HEAD_DIM = 64
LEVELS = 3
"""Maps around a point that are compared with its own surroundings."""
STATE_PARTS = 4
"""x, y, and the logits of both heads."""
MIXER_OUT = STATE_PARTS + 384
"""Rows of the published output layer; those beyond the state reach no result."""
FREQUENCIES = 10
MOTION_PARTS = 4 * (1 + 2 * FREQUENCIES)
TEMPERATURE = 20.0
_WIDE_KERNEL = 5


@dataclass(frozen=True)
class ConvSize:
    """One convolution of a correlation encoder.

    Args:
        kernel: cells a side
        width: channels that it gives
    """

    kernel: int
    width: int

    @property
    def stride(self) -> int:
        """Cells by which its windows advance."""
        return 4 if self.kernel == _WIDE_KERNEL else 2


@dataclass(frozen=True)
class LocoTrackConfig:
    """What distinguishes models; smaller ones than the published serve tests.

    Args:
        widths: channels of the trunk, as of `PreactivationResNet`
        depths: blocks of the trunk's groups
        convs: of each correlation encoder
        width: channels of the transformer
        hidden: channels of its hidden layers
        layers: its layers
    """

    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS
    convs: tuple[ConvSize, ...] = (ConvSize(5, 64), ConvSize(2, 128))
    width: int = 256
    hidden: int = 1024
    layers: int = 3

    @property
    def name(self) -> str:
        """The name of the tracker that a model of these sizes is for."""
        return "locotrack-small" if self.convs[0].kernel == _WIDE_KERNEL else "locotrack-base"

    @property
    def heads(self) -> int:
        """Of the attention; the first half looks back, the other ahead."""
        return self.width // HEAD_DIM

    @property
    def correlation_dim(self) -> int:
        """Channels of the encoded correlations of all levels."""
        return LEVELS * 2 * self.convs[-1].width

    @property
    def token_dim(self) -> int:
        """Channels of a point in a frame for the transformer."""
        return 2 + self.correlation_dim + MOTION_PARTS


LOCOTRACK_SMALL = LocoTrackConfig()
LOCOTRACK_BASE = LocoTrackConfig(convs=(ConvSize(3, 64), ConvSize(3, 128), ConvSize(2, 128)), width=384, hidden=1536)
