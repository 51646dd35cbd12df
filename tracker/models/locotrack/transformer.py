"""The transformer over the frames of a point.

Source: LocoTrack, arXiv:2407.15420, sec. 3.3; attention that fades with distance:
ALiBi, arXiv:2108.12409. Half of the heads look back only, the others ahead only.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .config import HEAD_DIM, MIXER_OUT, STATE_PARTS, LocoTrackConfig

_SLOPE_BASE = 24.0


class MotionTransformer(nn.Module):
    """Tells from the tokens of points how their positions and logits change.

    Args:
        config: of the model
    """

    def __init__(self, config: LocoTrackConfig) -> None:
        super().__init__()
        self.input_proj = nn.Linear(config.token_dim, config.width)
        self.transformer = _Layers(config)
        self.output_proj = nn.Linear(config.width, MIXER_OUT)
        self._heads = config.heads

    def forward(self, tokens: Tensor, bias: Tensor) -> Tensor:
        """Mixes the frames of each point.

        Args:
            tokens: (P, T, token_dim) float32
            bias: (heads, T, T) of `attention_bias`

        Returns:
            (P, T, 4) float32: x, y, and both logits
        """
        x = self.transformer(self.input_proj(tokens), bias)
        return F.linear(x, self.output_proj.weight[:STATE_PARTS], self.output_proj.bias[:STATE_PARTS])

    def attention_bias(self, frames: int) -> Tensor:
        """What is added to the attention between frames: (heads, T, T) float32."""
        half = self._heads // 2
        device = self.input_proj.weight.device
        slope = _SLOPE_BASE ** (-torch.arange(1, half + 1, dtype=torch.float32, device=device) / half)
        at = torch.arange(frames, dtype=torch.float32, device=device)
        past = at[:, None] - at  # (T, T), how far a key lies before its query
        back = (-slope[:, None, None] * past).masked_fill(past < 0, -torch.inf)  # (heads / 2, T, T)
        return torch.cat([back, back.mT])


class _Layers(nn.Module):
    def __init__(self, config: LocoTrackConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Layer(config.width, config.hidden) for _ in range(config.layers))
        self.ln_out = nn.LayerNorm(config.width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x, bias)
        return self.ln_out(x)


class _Layer(nn.Module):
    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.attn = _Attention(width)
        self.dense = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.layer_norm1 = nn.LayerNorm(width)
        self.layer_norm2 = nn.LayerNorm(width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(P, T, C) float32 to the same; products have the dtype of their weights."""
        dtype = self.attn.query_proj.weight.dtype
        x = x + self.attn(self.layer_norm1(x).to(dtype), bias).float()
        return x + self.dense(self.layer_norm2(x).to(dtype)).float()


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.query_proj, self.key_proj, self.value_proj, self.final_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        query, key, value = (
            layer(x).unflatten(-1, (-1, HEAD_DIM)).transpose(1, 2)  # (P, heads, T, HEAD_DIM)
            for layer in (self.query_proj, self.key_proj, self.value_proj)
        )
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=bias.to(x.dtype))
        return self.final_proj(found.transpose(1, 2).flatten(2))
