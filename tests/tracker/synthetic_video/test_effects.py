"""Effects of camera and codec."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.synthetic_video.effects import EffectTables, compress
from point_tracking.tracker.synthetic_video.renderer import build_textures

CPU = torch.device("cpu")


@settings(max_examples=10, deadline=None)
@given(height=st.integers(9, 40), width=st.integers(9, 40))
def test_compression_keeps_flat_pictures_and_any_size(height, width):
    tables = EffectTables.on(CPU)
    images = torch.tensor([0.2, 0.5, 0.7])[:, None, None, None].expand(3, 2, height, width)
    out = compress(images, torch.tensor([90.0, 10.0]), tables)
    assert out.shape == images.shape
    assert (out - images).abs().max() < 0.12
    assert out.flatten(2).std(2).max() < 1e-3


def test_compression_loses_more_at_lower_quality():
    tables = EffectTables.on(CPU)
    textures = build_textures(3, size=64, seed=9).float().transpose(0, 1) / 255

    def loss(quality: float) -> float:
        return float((compress(textures, torch.full((3,), quality), tables) - textures).square().mean())

    assert loss(100) < loss(60) < loss(20) < loss(5)
