"""Looking up correlations: every level, between cells, at and beyond borders."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from plain_alltracker import PlainAllTracker

from point_tracking.tracker.models.alltracker.config import LEVELS, level_sizes
from point_tracking.tracker.models.alltracker.correlation import (
    Neighbourhoods,
    correlation_volume,
    feature_pyramid,
)

CPU = torch.device("cpu")
SIDES = st.integers(2, 5).map(lambda units: 8 * units)  # odd multiples have levels of odd sides


@given(rows=SIDES, columns=SIDES, reach=st.sampled_from([0.0, 3.0, 40.0, 1e9]), seed=st.integers(0, 99))
def test_look_ups_equal_those_of_sampled_volumes(rows, columns, reach, seed):
    generator = torch.Generator().manual_seed(seed)
    anchor, features = torch.randn(2, 16, rows, columns, generator=generator)
    flow = reach * torch.randn(1, 2, rows, columns, generator=generator)
    expected = PlainAllTracker.correlations(None, anchor, features[None], flow)[0]  # type: ignore[arg-type]
    pyramid = feature_pyramid(features.permute(1, 2, 0))
    volume = correlation_volume(anchor.flatten(1).T, pyramid)
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    centres = torch.stack([x, y], dim=-1).float() + flow[0].permute(1, 2, 0)
    found = Neighbourhoods((rows, columns), CPU).look_up(volume, centres.flatten(0, 1))
    # the yardstick scales positions to -1 .. 1 and back, in float32
    torch.testing.assert_close(found.T.reshape(expected.shape), expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize("side", [16, 24, 40, 56, 17])
def test_levels_average_areas_that_overlap_in_odd_sides(side):
    features = torch.randn(side, side + 8, 3, generator=torch.Generator().manual_seed(0))
    level, start = features.permute(2, 0, 1)[None], 0
    pyramid = feature_pyramid(features)
    for size in level_sizes((side, side + 8)):
        expected = level[0].flatten(1).T
        torch.testing.assert_close(pyramid[start : start + len(expected)], expected)
        start += size[0] * size[1]
        level = F.interpolate(level, scale_factor=0.5, mode="area")
    assert start == len(pyramid)


def test_order_is_level_then_x_then_y():
    rows, columns = 16, 24
    neighbourhoods = Neighbourhoods((rows, columns), CPU)
    cells = torch.arange(rows * columns).float()
    rest = torch.full((neighbourhoods.num_cells - rows * columns,), -1.0)
    volume = torch.cat([cells, rest])[None]  # each cell of the first level holds its own number
    found = neighbourhoods.look_up(volume, torch.tensor([[12.0, 8.0]])).view(LEVELS, 9, 9)
    assert found[0, 4, 4] == 8 * columns + 12
    assert found[0, 5, 4] == 8 * columns + 13, "the first axis is x"
    assert found[0, 4, 5] == 9 * columns + 12
    assert (found[1:] == -1).all()
