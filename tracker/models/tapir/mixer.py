"""The mixer: convolutions over the frames of a point, and a network over its channels.

Source: TAPIR, arXiv:2306.08637, sec. 3 and appendix; causal: RoboTAP,
arXiv:2308.15975. Parameters have the names of the published checkpoints.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import EXPANSION, STATE_PARTS, TapirConfig

KERNEL = 3


@dataclass
class BlockState:
    """What a block of a causal mixer remembers of the frames before.

    Args:
        inputs: (P, 2, C) of its first convolution
        hidden: (EXPANSION, P, 2, C) of its second
    """

    inputs: Tensor
    hidden: Tensor

    @classmethod
    def zeros(cls, points: int, width: int, device: torch.device) -> BlockState:
        """What stands for nothing before the first frame."""
        before = KERNEL - 1
        return cls(
            torch.zeros(points, before, width, dtype=torch.float32, device=device),
            torch.zeros(EXPANSION, points, before, width, dtype=torch.float32, device=device),
        )

    @property
    def points(self) -> int:
        """P."""
        return len(self.inputs)

    def copy_of(self, some: slice) -> BlockState:
        """That of some points, on its own."""
        return BlockState(self.inputs[some].clone(), self.hidden[:, some].clone())

    def put(self, some: slice, new: BlockState) -> None:
        """Renews that of some points."""
        self.inputs[some] = new.inputs
        self.hidden[:, some] = new.hidden

    def joined(self, other: BlockState) -> BlockState:
        """That of these points and of others, after them."""
        return BlockState(torch.cat([self.inputs, other.inputs]), torch.cat([self.hidden, other.hidden], dim=1))


class Mixer(nn.Module):
    """Tells from what surrounds points how their positions, logits and features change.

    Args:
        config: of the model
    """

    def __init__(self, config: TapirConfig) -> None:
        super().__init__()
        width = config.mixer_width
        self.linear = nn.Linear(config.mixer_in, width)
        self.blocks = nn.ModuleList(_Block(width, config.causal) for _ in range(config.mixer_blocks))
        self.layer_norm = nn.LayerNorm(width, bias=False)
        self.linear_1 = nn.Linear(width, STATE_PARTS + config.feature_dim)

    def forward(self, x: Tensor, state: list[BlockState] | None = None) -> Tensor:
        """Mixes the frames of each point.

        Args:
            x: (P, T, mixer_in - 2) float32, without the two zeros that stand where other models put positions
            state: of the blocks of a causal mixer; updated. None = nothing comes before the first frame

        Returns:
            (P, T, 4 + feature_dim) float32
        """
        weight = self.linear.weight[:, 2:]
        x = F.linear(x.to(weight.dtype), weight, self.linear.bias).float()
        for i, block in enumerate(self.blocks):
            x = block(x, None if state is None else state[i])
        return self.linear_1(self.layer_norm(x))


class _Block(nn.Module):
    def __init__(self, width: int, causal: bool) -> None:
        super().__init__()
        hidden = EXPANSION * width
        self._causal = causal
        self.layer_norm = nn.LayerNorm(width, bias=False)
        self.mlp1_up = nn.Conv1d(width, hidden, KERNEL, groups=width)
        self.mlp1_up_1 = nn.Conv1d(hidden, hidden, KERNEL, groups=hidden)
        self.layer_norm_1 = nn.LayerNorm(width, bias=False)
        self.conv_channels_mixer = _ChannelMixer(width, hidden)

    def forward(self, x: Tensor, state: BlockState | None) -> Tensor:
        """(P, T, C) float32 to the same."""
        x = x + self._mix_frames(self.layer_norm(x), state)
        return self.conv_channels_mixer(self.layer_norm_1(x), x)

    def _mix_frames(self, x: Tensor, state: BlockState | None) -> Tensor:
        """Two convolutions over the frames, each channel alone, with GELU between.

        A channel has four hidden ones, which are summed up in the end. The channels stay last: a convolution of torch
        would turn the frames to their place and back.
        """
        (first, first_bias), (second, second_bias) = (_by_frame(conv) for conv in (self.mlp1_up, self.mlp1_up_1))
        frames = x.shape[1]
        before = self._padded(x, None if state is None else state.inputs)
        found = second_bias.sum(dim=0).expand_as(x).clone()
        for part in range(EXPANSION):
            y = torch.addcmul(first_bias[part], before[:, :frames], first[0, part])
            for k in range(1, KERNEL):
                y.addcmul_(before[:, k : k + frames], first[k, part])
            y = self._padded(F.gelu(y, approximate="tanh"), None if state is None else state.hidden[part])
            for k in range(KERNEL):
                found.addcmul_(y[:, k : k + frames], second[k, part])
            if state is not None:
                state.hidden[part] = y[:, frames:]
        if state is not None:
            state.inputs.copy_(before[:, frames:])
        return found

    def _padded(self, x: Tensor, before: Tensor | None) -> Tensor:
        """The frames of a convolution: zeros, or those before, around (P, T, C)."""
        if before is not None:
            return torch.cat([before, x], dim=1)
        return F.pad(x, (0, 0, KERNEL - 1, 0) if self._causal else (0, 0, KERNEL // 2, KERNEL // 2))


class _ChannelMixer(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.mlp2_up = nn.Linear(width, hidden)
        self.mlp2_down = nn.Linear(hidden, width)

    def forward(self, x: Tensor, shortcut: Tensor) -> Tensor:
        y = F.gelu(self.mlp2_up(x.to(self.mlp2_up.weight.dtype)), approximate="tanh")
        return shortcut + self.mlp2_down(y).float()


def _by_frame(conv: nn.Conv1d) -> tuple[Tensor, Tensor]:
    """Weights (KERNEL, EXPANSION, C) and bias (EXPANSION, C): hidden channels 4 c .. 4 c + 3 are those of channel c."""
    weight = conv.weight.view(-1, EXPANSION, KERNEL).permute(2, 1, 0).contiguous()
    assert conv.bias is not None
    return weight, conv.bias.view(-1, EXPANSION).T.contiguous()
