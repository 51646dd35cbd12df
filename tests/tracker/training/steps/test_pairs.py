"""The encoder's pre-training: offsets are read right, and matching is learned."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps, correlate, sample_templates
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.steps.pairs import OffsetReader, pair_losses

from ..made_clips import moving_batch


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, -2), (-1, 2)])
def test_the_reader_finds_a_shift_of_unmistakable_features(shift: tuple[int, int]):
    generator = torch.Generator().manual_seed(3)
    features = torch.nn.functional.normalize(torch.randn(1, 1, 16, 16, 32, generator=generator), dim=-1)
    maps = FeatureMaps((features,), torch.arange(1))
    config = replace(TINY.model, levels=1)
    xy = torch.tensor([[[8.0, 7.0]]])
    templates = sample_templates(maps, torch.zeros(1, 1, dtype=torch.int64), xy, config.radius)
    around = xy[0][:, None] + torch.tensor(shift, dtype=torch.float32)
    zero = torch.zeros(1, dtype=torch.int64)
    volume = correlate(maps, 0, zero, zero, around, templates[:, :, 0].flatten(0, 1), config.radius)
    offset = OffsetReader(config)(volume[:, 0], 0)
    # the neighbourhood lies `shift` off the point, so the point lies at minus that in it
    torch.testing.assert_close(offset[0], -torch.tensor(shift, dtype=torch.float32), atol=0.05, rtol=0)


def test_matching_is_learned():
    torch.manual_seed(0)
    model, reader = CoTracker3(TINY.model).train(), OffsetReader(TINY.model)
    optimizer = torch.optim.AdamW([*model.parameters(), *reader.parameters()], lr=3e-3)
    generator = torch.Generator().manual_seed(1)
    history = []
    for _ in range(60):
        loss = pair_losses(model, reader, moving_batch(TINY.stages[0], generator), generator).total
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert sum(history[-10:]) < 0.6 * sum(history[:10])


@pytest.mark.parametrize("train_mlp", [False, True])
def test_the_encoder_learns_and_the_correlation_mlp_unless_frozen(train_mlp: bool):
    model, reader = CoTracker3(TINY.model).train(), OffsetReader(TINY.model)
    model.corr_mlp.requires_grad_(train_mlp)
    generator = torch.Generator().manual_seed(1)
    losses = pair_losses(model, reader, moving_batch(TINY.stages[0], generator), generator)
    losses.total.backward()
    learning = {name.split(".")[0] for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert learning == ({"fnet", "corr_mlp"} if train_mlp else {"fnet"})
    assert (losses.mlp_offset > 0) == train_mlp
    assert (reader.linear.weight.grad is not None) == train_mlp
    assert reader.log_sharpness.grad is not None
