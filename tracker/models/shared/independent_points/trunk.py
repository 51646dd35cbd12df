"""The trunk of TAPIR and LocoTrack: a pre-activation ResNet-18 with instance norm.

Sources: TAPIR, arXiv:2306.08637, sec. 3; pre-activation blocks, arXiv:1603.05027.
Frames never influence each other. Windows of convolutions with a stride begin at
the first pixel and reach beyond the last one only ("SAME" padding of even sides).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STRIDES = (1, 2, 2, 1)
WIDTHS = (64, 64, 128, 256, 256)
DEPTHS = (2, 2, 2, 2)
TOTAL_STRIDE = 8
_NORM_EPS = 1e-5
_LENGTH_EPS = 1e-12


class PreactivationResNet(nn.Module):
    """A first convolution and four groups of blocks.

    Args:
        widths: channels after the first convolution and after each group
        depths: blocks of each group
    """

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.initial_conv = nn.Conv2d(3, widths[0], 7, stride=2, bias=False)
        self.block_groups = nn.ModuleList(
            _Group(widths[i], widths[i + 1], depths[i], STRIDES[i]) for i in range(len(STRIDES))
        )

    def forward(self, frames: Tensor) -> list[Tensor]:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) float32 from -1 to 1, H and W multiples of 8

        Returns:
            what each group gives, channels last in memory: strides 2, 4, 8, 8
        """
        x = frames.to(self.initial_conv.weight.dtype).contiguous(memory_format=torch.channels_last)
        if x.device.type == "cpu" and len(x) > 1:  # one frame stays in the caches
            parts = zip(*(self._encode(frame) for frame in x.split(1)), strict=True)
            return [torch.cat(part) for part in parts]
        return self._encode(x)

    def _encode(self, x: Tensor) -> list[Tensor]:
        x = self.initial_conv(F.pad(x, (2, 3, 2, 3)))
        found = []
        for group in self.block_groups:
            x = group(x)
            found.append(x)
        return found


class PreactivationBlock(nn.Module):
    """Norm, ReLU and convolution, twice; the first of a group projects what was normalised for its shortcut."""

    def __init__(self, width_in: int, width_out: int, stride: int, projects: bool) -> None:
        super().__init__()
        self.proj_conv = nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False) if projects else None
        self.bn_0 = _InstanceNorm(width_in)
        self.conv_0 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=int(stride == 1), bias=False)
        self.bn_1 = _InstanceNorm(width_out)
        self.conv_1 = nn.Conv2d(width_out, width_out, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, H, W) to (n, C', H / stride, W / stride)."""
        active = self.bn_0(x).relu_()
        shortcut = x if self.proj_conv is None else self.proj_conv(active)
        if self.conv_0.stride != (1, 1):
            active = F.pad(active, (0, 1, 0, 1))
        y = self.bn_1(self.conv_0(active)).relu_()
        return self.conv_1(y).add_(shortcut)


class _Group(nn.Module):
    """Blocks of one width, the first of which changes it."""

    def __init__(self, width_in: int, width_out: int, depth: int, stride: int) -> None:
        super().__init__()
        first = PreactivationBlock(width_in, width_out, stride, projects=True)
        others = (PreactivationBlock(width_out, width_out, 1, projects=False) for _ in range(depth - 1))
        self.blocks = nn.ModuleList([first, *others])

    def forward(self, x: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x)
        return x


class _InstanceNorm(nn.Module):
    """Instance norm with an affine map, its sums in float32 whatever the dtype of the map.

    The mean goes first: torch's own norm of maps with their channels last sums squares, and loses digits.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.bias = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        y = x - x.float().mean(dim=(2, 3), keepdim=True).to(x.dtype)
        variance = y.float().square().mean(dim=(2, 3), keepdim=True)  # (n, C, 1, 1)
        scale = (variance + _NORM_EPS).rsqrt_() * self.weight[:, None, None]
        return torch.addcmul(self.bias[:, None, None].to(x.dtype), y, scale.to(x.dtype))


def detect_trunk(state: Mapping[str, Any], prefix: str) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """The widths and depths of a trunk whose tensors are among some.

    Args:
        state: tensors by name
        prefix: of the trunk's names, with a dot at the end

    Returns:
        as the arguments of `PreactivationResNet`; None where there is no whole trunk
    """
    first = state.get(f"{prefix}initial_conv.weight")
    if first is None:
        return None
    widths, depths = [first.shape[0]], []
    for i in range(len(STRIDES)):
        depth = 0
        while (last := state.get(f"{prefix}block_groups.{i}.blocks.{depth}.conv_1.weight")) is not None:
            depth += 1
            width = last.shape[0]
        if not depth:
            return None
        widths.append(width)
        depths.append(depth)
    return tuple(widths), tuple(depths)


def unit_length(x: Tensor) -> Tensor:
    """Features of length one: (n, C, h, w) of any dtype to (n, h, w, C) float32."""
    x = x.permute(0, 2, 3, 1).float()  # (n, h, w, C)
    length = x.square().sum(dim=-1, keepdim=True).clamp_(min=_LENGTH_EPS).sqrt_()
    return x / length
