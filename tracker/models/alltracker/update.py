"""One refinement of motion and visibility: a map per frame in, an improved feature per cell out.

Source: AllTracker, arXiv:2506.07310, sec. 3. Maps are (S, h, w, C): S frames of a
window, all seen from the anchor's cells.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import CORRELATIONS, HEADS, MLP_RATIO, WIDTH
from .encoder import ConvNeXtBlock, convolve, normalize, project

_MOTION = 2
_VISIBILITY = 2


class MotionEncoder(nn.Module):
    """Turns correlations and motion into `WIDTH` channels, the last two of which are the motion itself."""

    def __init__(self) -> None:
        super().__init__()
        self.convc1 = nn.Conv2d(CORRELATIONS, 512, 1)
        self.convc2 = nn.Conv2d(512, 192, 3, padding=1)
        self.convf1 = nn.Conv2d(_MOTION, 256, 5, padding=2)
        self.convf2 = nn.Conv2d(256, 64, 3, padding=1)
        self.conv = nn.Conv2d(192 + 64, WIDTH - _MOTION, 3, padding=1)

    def forward(self, correlations: Tensor, motion: Tensor) -> Tensor:
        """(n, h, w, 405) and (n, h, w, 2) float32 to (n, h, w, 126)."""
        c = project(self.convc1, correlations).relu_()
        c = convolve(self.convc2, c).relu_()
        f = convolve(self.convf1, motion).relu_()
        f = convolve(self.convf2, f).relu_()
        return convolve(self.conv, torch.cat([c, f], dim=-1)).relu_()


class Attention(nn.Module):
    """Self-attention over the frames of a window, cell by cell."""

    def __init__(self) -> None:
        super().__init__()
        self.to_q = nn.Linear(WIDTH, WIDTH)
        self.to_kv = nn.Linear(WIDTH, 2 * WIDTH)
        self.to_out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(S, n, C) to the same."""
        q = self._heads(project(self.to_q, x)) * (WIDTH // HEADS) ** -0.5
        k, v = project(self.to_kv, x).split(WIDTH, dim=-1)
        # sequences are so short that plain products are faster than fused attention
        shares = (q @ self._heads(k).mT).softmax(dim=-1)  # (n, heads, S, S)
        y = (shares @ self._heads(v)).permute(2, 0, 1, 3).flatten(2)  # (S, n, C)
        return project(self.to_out, y)

    @staticmethod
    def _heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (HEADS, WIDTH // HEADS)).permute(1, 2, 0, 3)  # (n, heads, S, C / heads)


class Mlp(nn.Module):
    """Two linear layers with the tanh form of GELU between them."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, MLP_RATIO * WIDTH)
        self.fc2 = nn.Linear(MLP_RATIO * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) to the same."""
        y = F.gelu(project(self.fc1, x), approximate="tanh")
        return project(self.fc2, y)


class TimeBlock(nn.Module):
    """Attention and an MLP over time, added to a residual that they already contain."""

    def __init__(self) -> None:
        super().__init__()
        self.layer_scale = nn.Parameter(torch.full((WIDTH, 1), 1e-6))
        self.block = nn.ModuleDict({"attn": Attention(), "mlp": Mlp()})

    def forward(self, x: Tensor) -> Tensor:
        """(S, n, C) float32 to the same."""
        y = x + self.block["attn"](normalize(x)).float()
        y = y + self.block["mlp"](normalize(y)).float()
        return torch.addcmul(x, y, self.layer_scale.flatten())  # x counts twice, as published


class UpdateBlock(nn.Module):
    """Motion encoder, compressor, and pairs of time and space blocks.

    Args:
        block_pairs: how many
    """

    def __init__(self, block_pairs: int) -> None:
        super().__init__()
        self.motion_encoder = MotionEncoder()
        self.compressor = nn.Conv2d(3 * WIDTH + _VISIBILITY, WIDTH, 1)
        blocks = [block for _ in range(block_pairs) for block in (TimeBlock(), ConvNeXtBlock(WIDTH))]
        self.refine = nn.ModuleList(blocks)
        self.final_conv = nn.Conv2d(WIDTH, WIDTH, 1)

    def context_part(self, context: Tensor) -> Tensor:
        """What the compressor makes of the context alone, (..., C) float32: it is linear, so once is enough."""
        weight = self.compressor.weight[:, WIDTH : 2 * WIDTH]
        return self._join(weight, None, context)

    def compress(self, feature: Tensor, context_part: Tensor, motion_code: Tensor, state: Tensor) -> Tensor:
        """Joins what is known of some frames.

        Args:
            feature: (n, h, w, C) float32
            context_part: (n, h, w, C) float32, of `context_part`, bias not included
            motion_code: (n, h, w, 126) of the motion encoder
            state: (n, h, w, 4) float32: motion, visibility and confidence logits

        Returns:
            (n, h, w, C) float32
        """
        weight = self.compressor.weight
        weight = torch.cat([weight[:, :WIDTH], weight[:, 2 * WIDTH :]], dim=1)
        known = torch.cat([part.to(weight.dtype) for part in (feature, motion_code, state)], dim=-1)  # (n, h, w, 258)
        return self._join(weight, self.compressor.bias, known) + context_part

    @staticmethod
    def _join(weight: Tensor, bias: Tensor | None, x: Tensor) -> Tensor:
        """Part of the compressor."""
        return F.linear(x.to(weight.dtype), weight.flatten(1), bias).float()

    def finish(self, feature: Tensor) -> Tensor:
        """The last convolution, (..., C) float32 to the same."""
        return project(self.final_conv, feature).float()

    def mix(self, feature: Tensor, cells: int, frames: int, on_block: Callable[[], None]) -> None:
        """Takes a window through all blocks, in place.

        Args:
            feature: (S, h, w, C) float32, contiguous
            cells: that attend over time together
            frames: that are mixed in space together
            on_block: called before each piece of work
        """
        rows = feature.flatten(1, 2)  # (S, h w, C), the same memory
        for block in self.refine:
            over_time = isinstance(block, TimeBlock)
            pieces = rows.split(cells, dim=1) if over_time else feature.split(frames)
            for piece in pieces:
                on_block()
                piece.copy_(block(piece))
