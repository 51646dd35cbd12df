"""Training on pairs of far-apart frames: what lets the tracker learn at all.

A contrastive loss over all cells of the finest level makes features tell places
apart; at each level a soft-argmax of the template's scores over a neighbourhood
makes them precise below a cell. The correlation MLP can learn along: a linear
reader of its output must tell the same offset. Without that the update network
takes long to find out what a correlation says about motion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...models.cotracker.network.config import CoTrackerConfig
from ...models.cotracker.network.correlation import FeatureMaps, correlate, sample_templates
from ...models.cotracker.network.model import CoTracker3
from ..data.batches import TrainingBatch
from .losses import contrastive_loss, masked_mean
from .unroll import model_frames

PAIR_TEMPERATURE = 0.05
OFFSET_WEIGHT = 2.0
_FIRST_SHARPNESS = 80.0  # of the soft-argmax; far lower ones learn slowly
_JITTER_CELLS = 1.7  # how far off a neighbourhood may lie, smaller than its radius
_OFFSET_DELTA = 0.5  # cells
_MIN_SHARPNESS, _MAX_SHARPNESS = 1.0, 1000.0


@dataclass(frozen=True, eq=False)
class PairLosses:
    """The losses of a batch of pairs, scalars.

    Args:
        contrastive: of the finest level's features
        offset: of the soft-argmax, in cells, summed over levels
        mlp_offset: the same read from the correlation MLP; 0 while that is frozen
    """

    contrastive: Tensor
    offset: Tensor
    mlp_offset: Tensor

    @property
    def total(self) -> Tensor:
        """The weighted sum."""
        return self.contrastive + OFFSET_WEIGHT * (self.offset + self.mlp_offset)


class OffsetReader(nn.Module):
    """Reads from a 4D correlation how far a point is from the middle of a neighbourhood.

    For every shift of the template within the neighbourhood the aligned products
    are averaged; the soft-argmax over shifts is the offset. `linear` reads the
    same from the output of the model's correlation MLP. Used in training only.

    Args:
        config: sizes of the model whose features are compared
    """

    alignment: Tensor
    shifts: Tensor

    def __init__(self, config: CoTrackerConfig) -> None:
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.full((config.levels,), math.log(_FIRST_SHARPNESS)))
        self.linear = nn.Linear(config.corr_dim, 2)
        radius = config.radius
        side = torch.arange(-radius, radius + 1)
        # neighbourhoods are x-major, as in `correlation`
        shifts = torch.stack(torch.meshgrid(side, side, indexing="ij"), dim=-1).reshape(-1, 2)  # (K, 2): x, y
        place = shifts[:, None, None] - shifts[None, :, None] - shifts[None, None]  # (K, K, K, 2)
        # position k of the neighbourhood lies under position s of the template where the shift is k - s
        aligned = (place == 0).all(dim=-1).float()  # (k, s, shift)
        aligned = aligned / aligned.sum(dim=(0, 1), keepdim=True)
        self.register_buffer("alignment", aligned.flatten(0, 1), persistent=False)  # (K * K, K)
        self.register_buffer("shifts", shifts.float(), persistent=False)  # (K, 2)

    def forward(self, volume: Tensor, level: int) -> Tensor:
        """Offsets in feature pixels of the level.

        Args:
            volume: (..., K * K) correlation, neighbourhood-major
            level: pyramid level, 0 the finest

        Returns:
            (..., 2) x, y
        """
        scores = volume.float() @ self.alignment  # (..., K)
        sharpness = self.log_sharpness[level].exp().clamp(_MIN_SHARPNESS, _MAX_SHARPNESS)
        return (scores * sharpness).softmax(dim=-1) @ self.shifts


def pair_losses(
    model: CoTracker3, reader: OffsetReader, batch: TrainingBatch, generator: torch.Generator
) -> PairLosses:
    """The losses of a batch of pairs.

    Args:
        model: whose encoder is trained
        reader: for the model's levels
        batch: T = 2; points are given in the first frame, and sought in the second
        generator: of the CPU, for where neighbourhoods lie
    """
    config = model.config
    batch_size, num_points = batch.query_t.shape
    levels = tuple(level.unflatten(0, (batch_size, 2)) for level in model.encode(model_frames(batch.video)))
    device = levels[0].device
    maps = FeatureMaps(levels, torch.arange(2, device=device))
    start, end = batch.xy.float().div(config.stride).unbind(dim=1)  # (B, N, 2) each
    mask = batch.visible.all(dim=1)  # (B, N)
    templates = sample_templates(maps, torch.zeros_like(batch.query_t), start, config.radius)  # (B, N, L, K, C)
    centre = templates[:, :, 0, config.neighbourhood // 2]  # (B, N, C)
    contrastive = contrastive_loss(centre, levels[0][:, 1:], end[:, None], mask[:, None], PAIR_TEMPERATURE)

    clip = torch.arange(batch_size, device=device).repeat_interleave(num_points)  # (B * N,)
    second = torch.ones(1, dtype=torch.int64, device=device)
    offset = mlp_offset = contrastive.new_zeros(())
    train_mlp = any(parameter.requires_grad for parameter in model.corr_mlp.parameters())
    for level in range(config.levels):
        jitter = torch.rand(batch_size, num_points, 2, generator=generator).to(device) * 2 - 1
        jitter = jitter * min(_JITTER_CELLS, config.radius - 0.3)  # cells of this level
        near = (end + jitter * 2**level).flatten(0, 1)[:, None]  # (B * N, 1, 2)
        volume = correlate(maps, level, clip, second, near, templates[:, :, level].flatten(0, 1), config.radius)
        truth = -jitter.flatten(0, 1)  # (B * N, 2)
        offset = offset + _offset_loss(reader(volume[:, 0], level), truth, mask.flatten())
        if train_mlp:
            told = reader.linear(model.corr_mlp(volume[:, 0])).float()
            mlp_offset = mlp_offset + _offset_loss(told, truth, mask.flatten())
    return PairLosses(contrastive, offset, mlp_offset)


def _offset_loss(told: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    huber = F.huber_loss(told, truth, reduction="none", delta=_OFFSET_DELTA).mean(dim=-1)
    return masked_mean(huber, mask)
