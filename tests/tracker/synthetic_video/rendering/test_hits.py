"""Where rays meet surfaces."""

from __future__ import annotations

import pytest
import torch

from ..made_scenes import HEIGHT, KINDS, WIDTH, all_hits, plan


@pytest.mark.parametrize("kind", KINDS)
def test_hits_lie_on_their_ray_and_on_their_surface(kind):
    builder = plan(kind, seed=1, non_rigid=0.0)
    batch, hits = builder.render_batch(builder.clips), all_hits(builder)
    place = torch.stack([hits.x, hits.y, hits.z], -1).double()  # (B, L, T, P, 3)
    camera = place @ batch.frames.a.double().transpose(-1, -2) + batch.frames.b.double()[..., None, :]
    y, x = torch.meshgrid(torch.arange(HEIGHT) - (HEIGHT - 1) / 2, torch.arange(WIDTH) - (WIDTH - 1) / 2, indexing="ij")
    focal = batch.frames.focal[:, None, :, None].double()
    hit = hits.cover >= 0.5
    assert hit.any()
    pixel_x = camera[..., 0] / camera[..., 2] * focal - x.flatten()
    pixel_y = camera[..., 1] / camera[..., 2] * focal - y.flatten()
    assert pixel_x[hit].abs().max() < 0.02
    assert pixel_y[hit].abs().max() < 0.02
    assert ((camera[..., 2] - hits.depth).abs() / hits.depth)[hit].max() < 1e-3
    inventory = batch.layers.inventory
    first_box = inventory.planes + inventory.ellipsoids
    assert (hits.z[:, : inventory.planes] == 0).all()
    balls = slice(inventory.planes, first_box)
    off_sphere = (place[:, balls].norm(dim=-1) - 1)[hit[:, balls]].abs()
    assert not len(off_sphere) or off_sphere.max() < 2e-3
    off_cube = (place[:, first_box:].abs().amax(-1) - 1)[hit[:, first_box:]].abs()
    assert not len(off_cube) or off_cube.max() < 2e-3
