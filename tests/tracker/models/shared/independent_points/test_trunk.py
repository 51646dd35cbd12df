"""The trunk, against its definition layer by layer."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.shared.independent_points.trunk import (
    STRIDES,
    PreactivationResNet,
    detect_trunk,
    unit_length,
)

WIDTHS, DEPTHS = (4, 6, 8, 8, 10), (1, 2, 1, 2)


@pytest.fixture
def trunk():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = PreactivationResNet(WIDTHS, DEPTHS).requires_grad_(False)
        for value in model.parameters():
            torch.nn.init.normal_(value, std=0.3)
    return model


def plain(model: PreactivationResNet, x: torch.Tensor) -> list[torch.Tensor]:
    p = dict(model.named_parameters())
    x = F.conv2d(F.pad(x, (2, 4, 2, 4)), p["initial_conv.weight"], stride=2)[:, :, : x.shape[2] // 2, : x.shape[3] // 2]
    found = []
    for group, stride in enumerate(STRIDES):
        for block in range(DEPTHS[group]):
            at, step = f"block_groups.{group}.blocks.{block}.", stride if block == 0 else 1
            a = F.relu(F.instance_norm(x, None, None, p[at + "bn_0.weight"], p[at + "bn_0.bias"], eps=1e-5))
            shortcut = F.conv2d(a, p[at + "proj_conv.weight"], stride=step) if block == 0 else x
            y = F.conv2d(F.pad(a, (0, 2, 0, 2)), p[at + "conv_0.weight"], stride=2) if step == 2 else None
            y = F.conv2d(a, p[at + "conv_0.weight"], padding=1) if y is None else y[:, :, : a.shape[2] // 2]
            y = y[..., : shortcut.shape[3]]
            y = F.relu(F.instance_norm(y, None, None, p[at + "bn_1.weight"], p[at + "bn_1.bias"], eps=1e-5))
            x = F.conv2d(y, p[at + "conv_1.weight"], padding=1) + shortcut
        found.append(x)
    return found


def test_groups_give_what_the_definition_says(trunk):
    x = torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(1)) * 2 - 1
    for found, expected in zip(trunk(x), plain(trunk, x), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_a_trunk_is_told_by_its_tensors(trunk):
    state = {f"net.{key}": value for key, value in trunk.state_dict().items()}
    assert detect_trunk(state, "net.") == (WIDTHS, DEPTHS)
    assert detect_trunk(state, "") is None
    del state["net.block_groups.2.blocks.0.conv_1.weight"]
    assert detect_trunk(state, "net.") is None


def test_features_have_length_one_where_they_have_any():
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]])[:, :, None, None]
    torch.testing.assert_close(unit_length(x)[:, 0, 0], torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
