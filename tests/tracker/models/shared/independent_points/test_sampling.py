"""Reading maps between their cells, against torch's own sampling of each position."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.shared.independent_points.sampling import correlate_around, sample_clamped

HEIGHT, WIDTH = 9, 14


def plain(maps, frames, xy, padding):
    """Features at (P, K, 2) raster positions, one after the other."""
    grid = 2 * xy / torch.tensor([WIDTH, HEIGHT]) - 1
    read = F.grid_sample(maps[frames].permute(0, 3, 1, 2), grid[:, None], padding_mode=padding, align_corners=False)
    return read[:, :, 0].mT  # (P, K, C)


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(0)
    maps = torch.randn(4, HEIGHT, WIDTH, 5, generator=generator)
    xy = torch.rand(30, 2, generator=generator) * torch.tensor([WIDTH + 8.0, HEIGHT + 8.0]) - 4
    xy[:4] = torch.tensor([[0.0, 0.0], [0.5, 0.5], [WIDTH, HEIGHT], [1e9, -1e9]])
    return maps, torch.randint(0, 4, (30,), generator=generator), xy


def around(xy, radius):
    steps = torch.arange(-radius, radius + 1.0)
    offsets = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1).flatten(0, 1)  # y outer, x inner
    return xy[:, None] + offsets


@pytest.mark.parametrize("radius", [0, 3])
def test_beyond_the_border_its_cells_go_on(case, radius):
    maps, frames, xy = case
    expected = plain(maps, frames, around(xy, radius), "border")
    torch.testing.assert_close(sample_clamped(maps, frames, xy, radius), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("kind", ["of a point", "of a point and frame"])
def test_products_with_whole_cells_that_are_interpolated_are_products_with_interpolated_features(case, kind):
    maps, _, xy = case
    rows, xy = torch.tensor([2, 0, 2]), xy.view(10, 3, 2)
    templates = torch.randn(10, 4, 5) if kind == "of a point" else torch.randn(10, 3, 1, 5)
    found = correlate_around(maps, rows, xy, templates)
    features = plain(maps, rows.repeat(10), around(xy.reshape(-1, 2), 3), "zeros").view(10, 3, 49, 5)
    each = templates[:, None] if kind == "of a point" else templates
    torch.testing.assert_close(found, features @ each.mT, rtol=0, atol=1e-5)
