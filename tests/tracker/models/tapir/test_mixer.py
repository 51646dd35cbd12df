"""The mixer, against its definition with torch's own convolutions; and frame by frame."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.tapir.config import BOOTSTAPIR
from point_tracking.tracker.models.tapir.mixer import BlockState, Mixer

CONFIG = replace(BOOTSTAPIR, widths=(4, 4, 4, 4, 8), mixer_width=16, mixer_blocks=2)


def made(causal: bool) -> Mixer:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        mixer = Mixer(replace(CONFIG, causal=causal)).requires_grad_(False)
        for value in mixer.parameters():
            torch.nn.init.normal_(value, std=0.3)
    return mixer


def plain(mixer: Mixer, x: torch.Tensor, causal: bool) -> torch.Tensor:
    p = dict(mixer.named_parameters())
    pad = (2, 0) if causal else (1, 1)

    def norm(name, x):  # eps 1e-5, the variance biased, no bias
        mean = x.mean(-1, keepdim=True)
        return (x - mean) / (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt() * p[name + ".weight"]

    def gelu(x):
        return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))

    x = F.linear(F.pad(x, (2, 0)), p["linear.weight"], p["linear.bias"])
    for i in range(CONFIG.mixer_blocks):
        at = f"blocks.{i}."
        y = F.pad(norm(at + "layer_norm", x).mT, pad)
        y = gelu(F.conv1d(y, p[at + "mlp1_up.weight"], p[at + "mlp1_up.bias"], groups=y.shape[1]))
        y = F.conv1d(F.pad(y, pad), p[at + "mlp1_up_1.weight"], p[at + "mlp1_up_1.bias"], groups=y.shape[1])
        x = x + y.unflatten(1, (-1, 4)).sum(dim=2).mT
        at += "conv_channels_mixer."
        y = gelu(F.linear(norm(f"blocks.{i}.layer_norm_1", x), p[at + "mlp2_up.weight"], p[at + "mlp2_up.bias"]))
        x = x + F.linear(y, p[at + "mlp2_down.weight"], p[at + "mlp2_down.bias"])
    return F.linear(norm("layer_norm", x), p["linear_1.weight"], p["linear_1.bias"])


@pytest.fixture
def tokens():
    # some so small that what norms add to the variance counts
    x = torch.randn(3, 7, CONFIG.mixer_in - 2, generator=torch.Generator().manual_seed(1))
    x[1] *= 1e-3
    return x


@pytest.mark.parametrize("causal", [False, True])
def test_the_mixer_is_what_its_definition_says(tokens, causal):
    mixer = made(causal)
    torch.testing.assert_close(mixer(tokens), plain(mixer, tokens, causal), rtol=1e-4, atol=1e-4)


def test_norms_add_what_the_published_ones_do_and_gelu_is_that_of_tanh(tokens):
    mixer = made(False)
    assert {module.eps for module in mixer.modules() if isinstance(module, torch.nn.LayerNorm)} == {1e-5}
    exact = plain(mixer.double(), tokens.double(), False)
    mixer.float()
    assert (mixer(tokens) - exact).abs().max() < 2e-5, "with erf it would be 1e-4 and more"


@pytest.mark.parametrize("sizes", [[1] * 7, [3, 4], [7]], ids=str)
def test_a_causal_mixer_goes_on_from_its_state(tokens, sizes):
    mixer = made(True)
    state = [BlockState.zeros(3, CONFIG.mixer_width, tokens.device) for _ in range(CONFIG.mixer_blocks)]
    parts = [mixer(few, state) for few in tokens.split(sizes, dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), mixer(tokens), rtol=1e-4, atol=1e-5)
