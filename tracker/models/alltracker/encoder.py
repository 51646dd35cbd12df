"""The normal model's encoder: the first three stages of ConvNeXt-tiny, kept at an eighth of the frame.

Sources: AllTracker, arXiv:2506.07310, sec. 3; ConvNeXt, arXiv:2201.03545. Frames
never influence each other. The channels of maps come last; norms, residual
streams, positions and logits are float32 in every mode, products have the dtype
of their weights.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import MLP_RATIO, NORM_EPS

WIDTHS = (96, 192, 384)


def convolve(conv: nn.Module, x: Tensor) -> Tensor:
    """A convolution of (n, h, w, C) maps; the result has the weights' dtype."""
    assert isinstance(conv, nn.Conv2d)
    y = x.to(conv.weight.dtype).permute(0, 3, 1, 2)  # (n, C, h, w), channels last in memory
    y = F.conv2d(y, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)  # type: ignore[arg-type]
    return y.permute(0, 2, 3, 1)  # (n, h', w', C')


def project(layer: nn.Module, x: Tensor) -> Tensor:
    """A linear layer of (..., C); 1 x 1 convolutions are such; the result has the weights' dtype."""
    assert isinstance(layer, nn.Linear | nn.Conv2d)
    return F.linear(x.to(layer.weight.dtype), layer.weight.flatten(1), layer.bias)


def normalize(x: Tensor, norm: nn.Module | None = None) -> Tensor:
    """Layer norm over the channels, in float32, with or without an affine map after it."""
    if norm is None:
        return F.layer_norm(x.float(), x.shape[-1:], eps=NORM_EPS)
    assert isinstance(norm, nn.LayerNorm)
    return F.layer_norm(x.float(), x.shape[-1:], norm.weight, norm.bias, NORM_EPS)


class ConvNeXtBlock(nn.Module):
    """Mixes space by a depthwise convolution, then channels by an MLP (ConvNeXt, arXiv:2201.03545, sec. 2).

    Args:
        width: channels
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((width, 1, 1), 1e-6))
        # places 1 and 4 of the published sequence hold no parameters
        self.block = nn.ModuleDict(
            {
                "0": nn.Conv2d(width, width, 7, padding=3, groups=width),
                "2": nn.LayerNorm(width, eps=NORM_EPS),
                "3": nn.Linear(width, MLP_RATIO * width),
                "5": nn.Linear(MLP_RATIO * width, width),
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, h, w, C) float32 to the same."""
        spatial, norm, expand, reduce = (self.block[key] for key in ("0", "2", "3", "5"))
        y = normalize(convolve(spatial, x), norm)
        y = F.gelu(project(expand, y))
        y = project(reduce, y)
        return torch.addcmul(x, y.float(), self.layer_scale.flatten())


class ConvNeXt(nn.Module):
    """Three stages of blocks.

    The convolution before the third stage has the stride 1 and a dilation of 2
    instead of the stride 2 of image classifiers.

    Args:
        depths: blocks of each stage
    """

    def __init__(self, depths: tuple[int, int, int]) -> None:
        super().__init__()
        w1, w2, w3 = WIDTHS
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, w1, 4, stride=4), nn.LayerNorm(w1, eps=NORM_EPS)),
            nn.Sequential(*(ConvNeXtBlock(w1) for _ in range(depths[0]))),
            nn.Sequential(nn.LayerNorm(w1, eps=NORM_EPS), nn.Conv2d(w1, w2, 2, stride=2)),
            nn.Sequential(*(ConvNeXtBlock(w2) for _ in range(depths[1]))),
            nn.Sequential(nn.LayerNorm(w2, eps=NORM_EPS), nn.Conv2d(w2, w3, 3, padding=2, dilation=2)),
            nn.Sequential(*(ConvNeXtBlock(w3) for _ in range(depths[2]))),
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Encodes frames.

        Args:
            frames: (n, H, W, 3) float32, normalised; H and W multiples of 8

        Returns:
            (n, H / 8, W / 8, 384) float32
        """
        stem, first, shrink, second, widen, third = self.features.children()
        conv, norm = stem.children()
        x = normalize(convolve(conv, frames), norm)  # (n, H / 4, W / 4, 96)
        x = first(x)
        for between, stage in ((shrink, second), (widen, third)):
            norm, conv = between.children()
            x = stage(convolve(conv, normalize(x, norm)).float())
        return x  # (n, H / 8, W / 8, 384)
