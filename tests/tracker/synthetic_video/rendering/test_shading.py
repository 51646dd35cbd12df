"""Colours of places on surfaces."""

from __future__ import annotations

import pytest
import torch

from point_tracking.tracker.synthetic_video.rendering.shading import TextureBank

CPU = torch.device("cpu")


def test_textures_are_read_at_texel_centres_and_repeat():
    textures = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    bank = TextureBank(textures, CPU)
    row, column = torch.meshgrid(torch.arange(-16, 32), torch.arange(-16, 32), indexing="ij")
    which = torch.ones(48, 48, dtype=torch.int64)
    fine = torch.full((48, 48), 0.5)
    found = bank.sample(which, column + 0.5, row + 0.5, fine)
    assert torch.allclose(found * 255, textures[1].float().repeat(1, 3, 3), atol=1e-3)
    between = bank.sample(which[:1, :1], torch.tensor([[4.0]]), torch.tensor([[7.5]]), fine[:1, :1])
    expected = textures[1, :, 7, 3:5].float().mean(1)
    assert torch.allclose(between.flatten() * 255, expected, atol=1e-3)


def test_far_textures_are_read_from_coarser_levels():
    checks = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255).to(torch.uint8).expand(1, 3, 64, 64)
    bank = TextureBank(checks, CPU)
    x, y = torch.rand(2, 500, generator=torch.Generator().manual_seed(3)) * 64
    which = torch.zeros(500, dtype=torch.int64)
    near = bank.sample(which, x, y, torch.full((500,), 0.5))
    far = bank.sample(which, x, y, torch.full((500,), 6.0))
    assert near.std() > 0.15
    assert far.std() < 0.01
    assert float(far.mean()) == pytest.approx(0.5, abs=0.01)
