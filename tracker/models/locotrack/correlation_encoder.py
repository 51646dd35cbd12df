"""Turns the products of a point's surroundings with those in its own frame into a short code.

Source: LocoTrack, arXiv:2407.15420, sec. 3.2. What is compared are 7 x 7 cells
with 7 x 7 cells; the same small network looks at them twice, once with either
side as its image and the other as its channels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..shared.independent_points.sampling import AROUND, SIDE
from .config import ConvSize

_GROUP = 16
"""Channels that are normalised together."""


class CorrelationEncoder(nn.Module):
    """Convolutions that shrink an image of 7 x 7 cells to one.

    Args:
        convs: their sizes
    """

    def __init__(self, convs: tuple[ConvSize, ...]) -> None:
        super().__init__()
        width, stages = AROUND, []
        for size in convs:
            conv = nn.Conv2d(width, size.width, size.kernel, stride=size.stride)
            stages.append(nn.Sequential(conv, nn.GroupNorm(size.width // _GROUP, size.width), nn.ReLU()))
            width = size.width
        self.conv = nn.Sequential(*stages)

    def forward(self, products: Tensor) -> Tensor:
        """Encodes products.

        Args:
            products: (n, 49, 49) float32: cells around where a point may be, cells around it in its own frame

        Returns:
            (n, 2 C) float32
        """
        both = torch.cat([products, products.mT])  # (2 n, 49 of the image, 49 channels)
        x = both.view(-1, SIDE, SIDE, AROUND)  # (2 n, 7, 7, 49)
        for stage in self.conv:
            x = self._convolve(stage, x)
        first, second = x.mean(dim=(1, 2)).chunk(2)
        return torch.cat([first, second], dim=1)

    @staticmethod
    def _convolve(stage: nn.Module, x: Tensor) -> Tensor:
        """(n, h, w, C) float32 to (n, h', w', C') of one stage, as a product with the windows' cells.

        Images as small as these have few windows, of which a convolution makes less than a product does.
        """
        conv, norm, _ = stage.children()
        assert isinstance(conv, nn.Conv2d)
        (kernel, _), (stride, _) = conv.kernel_size, conv.stride
        before, after = _same_padding(x.shape[1], kernel, stride)
        x = F.pad(x.to(conv.weight.dtype), (0, 0, before, after, before, after))
        windows = x.unfold(1, kernel, stride).unfold(2, kernel, stride)  # (n, h', w', C, k, k)
        shape = windows.shape[:3]
        y = F.linear(windows.reshape(-1, conv.weight[0].numel()), conv.weight.flatten(1), conv.bias)
        y = y.float().view(shape[0], -1, y.shape[1]).mT  # (n, C', h' w')
        y = norm(y.contiguous()).relu_()
        return y.mT.unflatten(1, shape[1:])  # (n, h', w', C')


def _same_padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after a side, so that windows begin at every stride; the odd one comes after."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2
