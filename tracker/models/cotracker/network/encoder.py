"""The feature CNN: one frame in, one map of features at a quarter of its size out.

Source: CoTracker3, arXiv:2410.11831, sec. 3.1; CoTracker, arXiv:2307.07635.
Frames never influence each other, so clips are encoded a few frames at a time.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import CoTrackerConfig

_NORM_EPS = 1e-5
_LENGTH_EPS = 1e-12


class FeatureEncoder(nn.Module):
    """A residual CNN whose four stages are resized to one grid and fused.

    Args:
        config: the model's sizes
    """

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        w1, w2, w3, w4 = config.encoder_widths
        hidden = 2 * config.feature_dim
        self.stride = config.stride
        self.normalize = config.version == 3
        self.conv1 = nn.Conv2d(3, w1, 7, stride=2, padding=3)
        self.layer1 = _stage(w1, w1, stride=1)
        self.layer2 = _stage(w1, w2, stride=2)
        self.layer3 = _stage(w2, w3, stride=2)
        self.layer4 = _stage(w3, w4, stride=2)
        self.conv2 = nn.Conv2d(w1 + w2 + w3 + w4, hidden, 3, padding=1)
        self.conv3 = nn.Conv2d(hidden, config.feature_dim, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Encodes frames.

        Args:
            frames: (n, 3, H, W) in [-1, 1], at the model's resolution or, in
                training, parts of such frames; H and W multiples of the stride

        Returns:
            (n, H / stride, W / stride, C) features, channels last; of unit
            length in CoTracker3
        """
        x = frames.to(self.conv1.weight.dtype).contiguous(memory_format=torch.channels_last)
        if x.device.type == "cpu" and not torch.is_grad_enabled():
            # one frame stays in the caches, and its norm is the cheap one
            return torch.cat([self._encode(frame) for frame in x.split(1)])
        return self._encode(x)

    def _encode(self, x: Tensor) -> Tensor:
        grid_size = (x.shape[-2] // self.stride, x.shape[-1] // self.stride)
        x = _normed_relu(_convolve(self.conv1, x))  # (n, w1, H/2, W/2)
        stages = []
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            stages.append(_resize(x, grid_size))  # (n, w, h, w)
        x = torch.cat(stages, dim=1)  # (n, w1 + w2 + w3 + w4, h, w)
        del stages
        x = _normed_relu(_convolve(self.conv2, x))  # (n, 2 C, h, w)
        x = self.conv3(x).float()  # (n, C, h, w)
        features = x.permute(0, 2, 3, 1).contiguous()  # (n, h, w, C)
        if not self.normalize:
            return features
        length = features.square().sum(dim=-1, keepdim=True).clamp(min=_LENGTH_EPS).sqrt()
        return features / length


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions and a shortcut, each followed by instance norm."""

    def __init__(self, width_in: int, width_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width_out, 3, stride=stride, padding=1)
        self.conv2 = nn.Conv2d(width_out, width_out, 3, padding=1)
        self.downsample = None if stride == 1 else nn.Sequential(nn.Conv2d(width_in, width_out, 1, stride=stride))

    def forward(self, x: Tensor) -> Tensor:
        y = _normed_relu(_convolve(self.conv1, x))
        y = _normed_relu(_convolve(self.conv2, y))
        shortcut = x
        if self.downsample is not None:
            shortcut = _instance_norm(_convolve(self.downsample[0], x))
        return torch.relu(shortcut + y) if torch.is_grad_enabled() else y.add_(shortcut).relu_()


def _stage(width_in: int, width_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(ResidualBlock(width_in, width_out, stride), ResidualBlock(width_out, width_out, 1))


def _convolve(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution without its bias: the instance norm that follows takes any constant away."""
    assert isinstance(conv, nn.Conv2d)
    return F.conv2d(x, conv.weight, None, conv.stride, conv.padding)  # type: ignore[arg-type]


def _normed_relu(x: Tensor) -> Tensor:
    x = _instance_norm(x)
    return torch.relu(x) if torch.is_grad_enabled() else x.relu_()


def _instance_norm(x: Tensor) -> Tensor:
    if len(x) == 1:
        # the same numbers, several times faster on channels-last maps
        return F.batch_norm(x, None, None, training=True, eps=_NORM_EPS)
    if torch.is_grad_enabled():
        return F.instance_norm(x, eps=_NORM_EPS)
    # torch's own would return channels-first maps, and every convolution that follows would turn them around
    variance, mean = torch.var_mean(x.float(), dim=(2, 3), correction=0, keepdim=True)  # (n, c, 1, 1) each
    return x.sub_(mean).mul_((variance + _NORM_EPS).rsqrt_())


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=True)
