"""The update transformer: attention over time, and over points through virtual tokens.

Source: CoTracker3, arXiv:2410.11831, sec. 3.2; virtual ("proxy") tokens from
CoTracker, arXiv:2307.07635, sec. 3.2. Tokens are (B, N, T, D): B clips, N
points (or V virtual tokens), T frames. Points never attend to points directly,
so the cost is linear in N.

Residual streams and layer norms are float32; matrices may be bfloat16.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .chunks import ChunkSizes
from .config import CoTrackerConfig

_NORM_EPS = 1e-6
_CONTEXT_NORM_EPS = 1e-5  # another one, as published

_POINTS, _TIME = 1, 2  # axes of (B, N, T, D)

# any score vanishes in it, so a row of these counts all keys the same; it is finite in
# bfloat16 too, and in kernels that multiply scores by log2(e), where the lowest number is not
_MASKED_SCORE = -1e30


class UpdateTransformer(nn.Module):
    """Turns tokens into updates of tracks.

    Args:
        config: the model's sizes
    """

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        depth = config.depth
        self.virual_tracks = nn.Parameter(torch.randn(1, config.virtual_tokens, 1, config.width))  # name as published
        self.input_transform = Linear(config.token_dim, config.width)
        self.time_blocks = nn.ModuleList(SelfBlock(config) for _ in range(depth))
        self.space_virtual_blocks = nn.ModuleList(SelfBlock(config) for _ in range(depth))
        # the first word of a name is the side that asks
        self.space_point2virtual_blocks = nn.ModuleList(CrossBlock(config) for _ in range(depth))
        self.space_virtual2point_blocks = nn.ModuleList(CrossBlock(config) for _ in range(depth))
        if config.version == 3:
            self.flow_head = Linear(config.width, 2)
            self.vis_conf_head = Linear(config.width, 2)
        else:
            self.flow_head = Linear(config.width, 2 + config.feature_dim)
        nn.init.trunc_normal_(self.flow_head.weight, std=1e-3)
        nn.init.zeros_(self.flow_head.bias)

    def virtual_after_first_time_block(self) -> Tensor:
        """What the first time block makes of the virtual tokens.

        They enter it the same in every frame and every iteration, so attention
        over time returns the value of one frame.

        Returns:
            (1, V, 1, D)
        """
        return self.time_blocks[0](self.virual_tracks.clone(), axis=_TIME)

    def forward(self, points: Tensor, virtual: Tensor, chunks: ChunkSizes, point_mask: Tensor | None = None) -> Tensor:
        """Runs all time and space blocks.

        Args:
            points: (B, N, T, D) float32 tokens; overwritten unless gradients are recorded
            virtual: (1, V, 1, D) from `virtual_after_first_time_block`
            chunks: how much to do at once
            point_mask: (B, N) bool, points that take part in the exchange; None = all

        Returns:
            (B, N, T, D) float32
        """
        batch, _, num_frames, _ = points.shape
        virtual = virtual.expand(batch, -1, num_frames, -1).clone()  # (B, V, T, D)
        masks = None if point_mask is None else ExchangeMasks.of(point_mask, virtual.shape[1], points.dtype)
        for i, time_block in enumerate(self.time_blocks):
            points = _over_time(time_block, points, chunks)
            if i > 0:
                virtual = _over_time(time_block, virtual, chunks)
            points, virtual = self._exchange(i, points, virtual, chunks, masks)
        return points

    def _exchange(
        self, i: int, points: Tensor, virtual: Tensor, chunks: ChunkSizes, masks: ExchangeMasks | None
    ) -> tuple[Tensor, Tensor]:
        """Space attention of all frames: points -> virtual tokens -> points."""
        read, mix = self.space_virtual2point_blocks[i], self.space_virtual_blocks[i]
        write = self.space_point2virtual_blocks[i]
        assert isinstance(write, CrossBlock)
        for_keys, for_rows = (masks.read, masks.write) if masks else (None, None)
        num_points, num_frames = points.shape[1:3]
        for frames in chunks.slices(num_frames, chunks.block_tokens // max(num_points, 1)):
            p, v = _cut(points, _TIME, frames), _cut(virtual, _TIME, frames)  # (B, N, f, D), (B, V, f, D)
            v = mix(read(v, p, for_keys), axis=_POINTS)
            context = write.normed_context(v)
            for some in chunks.slices(num_points, chunks.block_tokens // p.shape[_TIME]):
                rows = None if for_rows is None else for_rows[:, :, some]
                q = write.attend(_cut(p, _POINTS, some), context, rows)
            if torch.is_grad_enabled():
                points, virtual = q, v
        return points, virtual


class ExchangeMasks:
    """Additive attention masks that keep points out of the exchange (CoTracker2).

    Args:
        read: (B, 1, 1 or V, N) for virtual tokens reading points
        write: (B, 1, N, V) for points reading virtual tokens: with the masked
            score in a whole row, all keys count the same

    Both hold every key: GPU kernels take no mask that is repeated along its last axis.
    """

    def __init__(self, read: Tensor, write: Tensor) -> None:
        self.read = read
        self.write = write

    @classmethod
    def of(cls, point_mask: Tensor, num_virtual: int, dtype: torch.dtype) -> ExchangeMasks:
        """Makes both masks from a (B, N) bool one."""
        scores = torch.zeros(point_mask.shape, dtype=dtype, device=point_mask.device)
        scores = scores.masked_fill(~point_mask, _MASKED_SCORE)  # (B, N)
        write = scores[:, None, :, None].expand(-1, -1, -1, num_virtual).contiguous()  # (B, 1, N, V)
        # with as many points as virtual tokens the published model masks the virtual tokens' rows
        read = write if point_mask.shape[1] == num_virtual else scores[:, None, None, :]
        return cls(read, write)


class Linear(nn.Linear):
    """A linear layer that takes its input in any precision."""

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.to(self.weight.dtype), self.weight, self.bias)


class Attention(nn.Module):
    """Multi-head attention along one axis of (B, N, T, D) tokens."""

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.to_q = Linear(config.width, config.width)
        self.to_kv = Linear(config.width, 2 * config.width)
        self.to_out = Linear(config.width, config.width)

    def forward(self, x: Tensor, context: Tensor, axis: int, mask: Tensor | None = None) -> Tensor:
        """Attends from x to context.

        Args:
            x: (B, N, T, D)
            context: the same with another number of entries along `axis`
            axis: along which to attend: 1 (points) or 2 (frames)
            mask: (B, 1, queries or 1, keys), added to the scores of every frame;
                for axis 1

        Returns:
            (B, N, T, D) in the precision of the matrices
        """
        q = self._split_heads(self.to_q(x), axis)
        k, v = (self._split_heads(part, axis) for part in self.to_kv(context).chunk(2, dim=-1))
        if mask is not None:
            mask = mask.to(q.dtype)[:, None].expand(-1, len(q) // len(mask), -1, -1, -1).flatten(0, 1)  # (B * T, 1, ..)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (outer, heads, length, d)
        other = x.shape[_TIME if axis == _POINTS else _POINTS]
        out = out.unflatten(0, (len(x), other)).movedim(3, axis)  # (B, N, T, heads, d)
        return self.to_out(out.flatten(-2))  # (B, N, T, D)

    def _split_heads(self, x: Tensor, axis: int) -> Tensor:
        heads = x.unflatten(-1, (self.heads, -1)).movedim(axis, 3)  # (B, other axis, heads, length, d)
        return heads.flatten(0, 1)  # (B * other axis, heads, length, d)


class Mlp(nn.Module):
    """Two linear layers around a tanh GELU."""

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.fc1 = Linear(config.width, config.mlp_ratio * config.width)
        self.fc2 = Linear(config.mlp_ratio * config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(tanh_gelu_(self.fc1(x)))


class SelfBlock(nn.Module):
    """Self-attention along one axis, then an MLP; both residual."""

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.attn = Attention(config)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor, axis: int) -> Tensor:
        normed = layer_norm(x)
        x = add_(x, self.attn(normed, normed, axis))
        return add_(x, self.mlp(layer_norm(x)))


class CrossBlock(nn.Module):
    """Attention from one set of tokens to another within a frame, then an MLP; both residual."""

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.norm_context = nn.LayerNorm(config.width, eps=_CONTEXT_NORM_EPS)
        self.cross_attn = Attention(config)
        self.mlp = Mlp(config)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.attend(x, self.normed_context(context), mask)

    def normed_context(self, context: Tensor) -> Tensor:
        """The context as attention takes it; the same for any part of x."""
        return self.norm_context(context)

    def attend(self, x: Tensor, normed_context: Tensor, mask: Tensor | None = None) -> Tensor:
        """The block for x or any part of it."""
        x = add_(x, self.cross_attn(layer_norm(x), normed_context, _POINTS, mask))
        return add_(x, self.mlp(layer_norm(x)))


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm without gains."""
    return F.layer_norm(x, x.shape[-1:], eps=_NORM_EPS)


def tanh_gelu_(x: Tensor) -> Tensor:
    """GELU in its tanh form; overwrites x on the CPU, where torch's own is several times slower."""
    if torch.is_grad_enabled() or x.device.type != "cpu":
        return F.gelu(x, approximate="tanh")
    # 0.5 x (1 + tanh(u)) = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x ** 3)
    slope = x.new_full(x.shape[-1:], 1.5957691216)
    gate = torch.addcmul(slope, x, x, value=0.07135481627).mul_(x).sigmoid_()
    return x.mul_(gate)


def add_(x: Tensor, update: Tensor) -> Tensor:
    """x + update, in place unless gradients are recorded."""
    return x + update if torch.is_grad_enabled() else x.add_(update)


def _over_time(block: nn.Module, x: Tensor, chunks: ChunkSizes) -> Tensor:
    for some in chunks.slices(x.shape[_POINTS], chunks.block_tokens // x.shape[_TIME]):
        out = block(_cut(x, _POINTS, some), axis=_TIME)
        if torch.is_grad_enabled():
            return out
    return x


def _cut(x: Tensor, axis: int, part: slice) -> Tensor:
    """A view of a part of x; x itself where that is everything."""
    return x.narrow(axis, part.start, part.stop - part.start)
