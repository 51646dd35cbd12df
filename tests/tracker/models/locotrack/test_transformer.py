"""The transformer over frames, against its definition."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.transformer import MotionTransformer


@pytest.mark.parametrize("config", [LOCOTRACK_SMALL, LOCOTRACK_BASE], ids=lambda config: config.name)
def test_half_of_the_heads_look_back_and_the_others_ahead(config):
    with torch.random.fork_rng():
        bias = MotionTransformer(replace(config, layers=1)).attention_bias(6)
    half = config.heads // 2
    slopes = [24 ** (-(i + 1) / half) for i in range(half)]
    for head, query, key in torch.cartesian_prod(*(torch.arange(side) for side in bias.shape)).tolist():
        past = query - key if head < half else key - query
        expected = -slopes[head % half] * past if past >= 0 else -torch.inf
        assert bias[head, query, key].item() == pytest.approx(expected, rel=1e-5)


def test_norms_add_what_the_published_ones_do_and_gelu_is_that_of_erf():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MotionTransformer(replace(LOCOTRACK_SMALL, layers=1)).requires_grad_(False)
        x = torch.randn(2, 3, 256)
    (layer,) = model.transformer.layers
    assert {module.eps for module in model.modules() if isinstance(module, torch.nn.LayerNorm)} == {1e-5}
    hidden = layer.dense[0](x)  # type: ignore
    expected = layer.dense[2](0.5 * hidden * (1 + torch.erf(hidden / 2**0.5)))  # type: ignore
    torch.testing.assert_close(layer.dense(x), expected, rtol=0, atol=2e-6)  # type: ignore


def test_only_the_rows_that_reach_a_result_are_computed():
    with torch.random.fork_rng():
        model = MotionTransformer(replace(LOCOTRACK_SMALL, layers=1)).requires_grad_(False)
    found = model(torch.randn(2, 5, LOCOTRACK_SMALL.token_dim), model.attention_bias(5))
    assert found.shape == (2, 5, 4)
