"""The residual feature CNN of PIPs, CoTracker and AllTracker's tiny model, at any stride.

Sources: PIPs (arXiv:2204.04153), CoTracker (arXiv:2307.07635, sec. 3). Frames
never influence each other. Features are not brought to unit length.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTHS = (64, 96, 128, 128)
NORM_EPS = 1e-5

Norm = Callable[[Tensor], Tensor]
"""Instance norm of (n, C, h, w) maps without an affine map; may overwrite them unless gradients are recorded."""


def instance_norm(x: Tensor) -> Tensor:
    """Instance norm; in place, unless gradients are recorded.

    As fast as torch's batch norm of one frame, whose sums lose so many digits in maps of half a frame that tracks
    of float32 differ by tenths of a thousandth of a pixel; torch's own instance norm turns the maps around.
    """
    if torch.is_grad_enabled():
        return F.instance_norm(x, eps=NORM_EPS)
    mean = x.float().mean(dim=(2, 3), keepdim=True)  # (n, C, 1, 1)
    x = x.sub_(mean)
    variance = x.float().square().mean(dim=(2, 3), keepdim=True)
    return x.mul_((variance + NORM_EPS).rsqrt_())


class ResidualEncoder(nn.Module):
    """Four residual stages that are resized to one grid and fused.

    Args:
        feature_dim: channels of a feature
        stride: pixels per side of a cell of the feature map
        widths: channels of the stages
        norm: after each convolution but the last
    """

    def __init__(
        self,
        feature_dim: int,
        stride: int,
        widths: tuple[int, int, int, int] = WIDTHS,
        norm: Norm = instance_norm,
    ) -> None:
        super().__init__()
        w1, w2, w3, w4 = widths
        self.stride = stride
        self._norm = norm
        self.conv1 = nn.Conv2d(3, w1, 7, stride=2, padding=3)
        self.layer1 = _stage(w1, w1, 1, norm)
        self.layer2 = _stage(w1, w2, 2, norm)
        self.layer3 = _stage(w2, w3, 2, norm)
        self.layer4 = _stage(w3, w4, 2, norm)
        self.conv2 = nn.Conv2d(sum(widths), 2 * feature_dim, 3, padding=1)
        self.conv3 = nn.Conv2d(2 * feature_dim, feature_dim, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) float32, normalised as the model wants it; H and W multiples of the stride

        Returns:
            (n, H / stride, W / stride, C) float32
        """
        x = frames.to(self.conv1.weight.dtype).contiguous(memory_format=torch.channels_last)
        if x.device.type == "cpu" and not torch.is_grad_enabled():
            return torch.cat([self._encode(frame) for frame in x.split(1)])  # one frame stays in the caches
        return self._encode(x)

    def _encode(self, x: Tensor) -> Tensor:
        grid_size = (x.shape[2] // self.stride, x.shape[3] // self.stride)
        x = _relu(self._norm(_convolve(self.conv1, x)))  # (n, w1, H / 2, W / 2)
        stages = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            stages.append(_resize(x, grid_size))  # (n, w, h, w)
        x = torch.cat(stages, dim=1)  # (n, w1 + w2 + w3 + w4, h, w)
        del stages
        x = _relu(self._norm(_convolve(self.conv2, x)))  # (n, 2 C, h, w)
        return self.conv3(x).float().permute(0, 2, 3, 1)  # (n, h, w, C)


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, each followed by a norm."""

    def __init__(self, width_in: int, width_out: int, stride: int, norm: Norm = instance_norm) -> None:
        super().__init__()
        self._norm = norm
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.downsample = None if stride == 1 else nn.Sequential(nn.Conv2d(width_in, width_out, 1, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        """(n, C, H, W) to (n, C', H / stride, W / stride)."""
        y = _relu(self._norm(_convolve(self.conv1, x)))
        y = _relu(self._norm(_convolve(self.conv2, y)))
        shortcut = x if self.downsample is None else self._norm(_convolve(self.downsample[0], x))
        return torch.relu(shortcut + y) if torch.is_grad_enabled() else y.add_(shortcut).relu_()


def _stage(width_in: int, width_out: int, stride: int, norm: Norm) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(width_in, width_out, stride, norm), ResidualBlock(width_out, width_out, 1, norm))


def _convolve(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution without its bias: the norm that follows takes any constant away."""
    assert isinstance(conv, nn.Conv2d)
    return F.conv2d(x, conv.weight, None, conv.stride, conv.padding)  # type: ignore[arg-type]


def _relu(x: Tensor) -> Tensor:
    return torch.relu(x) if torch.is_grad_enabled() else x.relu_()


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.shape[2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
