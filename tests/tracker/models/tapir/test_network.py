"""The network: what cases cannot tell apart, and what it costs at the published size."""

from __future__ import annotations

import meta_run
import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.shared.independent_points.frame_maps import Course, Estimate, FrameMaps, Points
from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, TAPIR, TapirConfig
from point_tracking.tracker.models.tapir.network import Tapir, set_matrix_dtype

PUBLISHED = pytest.mark.parametrize("config", [BOOTSTAPIR, TAPIR], ids=lambda config: config.name)


def published(config: TapirConfig) -> Tapir:
    with torch.device("meta"):
        return Tapir(config).eval().requires_grad_(False)


def test_extra_convolutions_keep_what_was_normalised():
    config = TapirConfig((4, 4, 4, 4, 8), (1, 1, 1, 1), 1, 16, 16, 1)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Tapir(config).requires_grad_(False)
    (block,) = model.extra_convs.blocks
    assert block.layer_norm.eps == 1e-5  # type: ignore
    x = 1e-3 * torch.randn(1, 8, 5, 6)
    mean, variance = x.mean(1, keepdim=True), x.var(1, correction=0, keepdim=True)
    known = (x - mean) / (variance + 1e-5).sqrt()  # of a fresh norm, weight 1 and bias 0
    expected = known + block.conv_1(F.gelu(block.conv(known), approximate="tanh"))  # type: ignore
    torch.testing.assert_close(model.extra_convs(x), expected)


@PUBLISHED
def test_the_encoder_runs_without_numbers_at_the_published_size(config):
    with meta_run.watched() as found:
        published(config).encode(torch.empty(2, 3, 256, 256, device="meta"))
    assert found.flops / 2 == pytest.approx(67.1e9 if config.extra_convs else 18.8e9, rel=0.05)
    assert found.calls < 720


@PUBLISHED
@pytest.mark.parametrize("frames", [24, 48])
def test_points_run_without_numbers_at_the_published_size(config, frames):
    model, points = published(config), 16
    levels = [(64, config.high_dim), (32, config.low_dim), (16, config.low_dim)][: config.levels]
    maps = FrameMaps((256, 256), tuple(torch.empty(frames, s, s, c, device="meta") for s, c in levels))
    here = Points(torch.empty(points, dtype=torch.int64, device="meta"), torch.empty(points, 2, device="meta"))
    rows = torch.arange(frames, device="meta")
    with meta_run.watched() as found:
        estimate = model.track([maps], rows, here, Course(4, 10.0, 1 << 14))
    assert isinstance(estimate, Estimate)
    per_point = found.flops / points / frames
    assert per_point == pytest.approx(3.47e6 + 4 * 51.66e6, rel=0.05)
    assert found.calls < 7800, "the same for any number of frames"


def test_bfloat16_keeps_positions_and_their_last_layer_in_float32():
    model = Tapir(TapirConfig((4, 4, 4, 4, 8), (1, 1, 1, 1), 1, 16, 16, 1))
    set_matrix_dtype(model, torch.bfloat16)
    mixer = model.torch_pips_mixer
    assert mixer.linear_1.weight.dtype == model.torch_cost_volume_track_mods.hid1.weight.dtype == torch.float32
    assert mixer.blocks[0].conv_channels_mixer.mlp2_up.weight.dtype == torch.bfloat16  # type: ignore
    assert model.extra_convs.blocks[0].conv.weight.dtype == model.resnet_torch.initial_conv.weight.dtype  # type: ignore
