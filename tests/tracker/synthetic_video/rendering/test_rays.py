"""Camera rays."""

from __future__ import annotations

import pytest
import torch

from point_tracking.tracker.synthetic_video.rendering.rays import PixelGrid
from point_tracking.tracker.synthetic_video.rendering.rendering import render

from ..made_scenes import HEIGHT, KINDS, WIDTH, plan


@pytest.mark.parametrize("kind", KINDS)
def test_looking_only_near_surfaces_draws_the_same(kind):
    builder = plan(kind, seed=6)
    batch, assets = builder.render_batch(builder.clips), builder.assets
    shadow = builder.look.shadow
    near, everywhere = (
        render(batch, assets.bank, assets.outlines, PixelGrid(HEIGHT, WIDTH, torch.device("cpu"), near), shadow)
        for near in (True, False)
    )
    # acute corners of boxes reach a little beyond their bounding boxes
    assert (near - everywhere).abs().mean() < 2e-5
    assert ((near - everywhere).abs() > 2 / 255).float().mean() < 5e-4
