"""What no reference case can see of the encoder and its layers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from plain_alltracker import PlainAllTracker

from point_tracking.tracker.models.alltracker.config import NORM_EPS
from point_tracking.tracker.models.alltracker.encoder import ConvNeXtBlock, normalize
from point_tracking.tracker.models.alltracker.network import padding
from point_tracking.tracker.models.alltracker.update import Mlp
from point_tracking.tracker.models.shared.frame_resizing import frames_to_device

CPU = torch.device("cpu")


def test_norms_add_a_millionth_to_the_variance():
    assert NORM_EPS == 1e-6
    x = torch.tensor([[1e-3, -1e-3]])  # of variance 1e-6 itself
    affine = torch.nn.LayerNorm(2, eps=1e-6)
    expected = torch.tensor([[0.5**0.5, -(0.5**0.5)]])
    torch.testing.assert_close(normalize(x), expected)
    torch.testing.assert_close(normalize(x, affine), expected)


def test_space_blocks_have_the_exact_gelu():
    block = ConvNeXtBlock(2).requires_grad_(False)
    for value in block.parameters():
        value.zero_()
    block.layer_scale.fill_(1)
    block.get_parameter("block.3.bias").fill_(1)
    block.get_parameter("block.5.weight").fill_(1)
    out = block(torch.zeros(1, 1, 1, 2))
    torch.testing.assert_close(out.flatten(), torch.full((2,), 8 * 0.8413447))  # 8 x GELU(1)


def test_time_blocks_have_the_gelu_of_tanh():
    mlp = Mlp().requires_grad_(False)
    for value in mlp.parameters():
        value.zero_()
    mlp.fc1.bias.fill_(1)
    mlp.fc2.weight.fill_(1)
    out = mlp(torch.zeros(1, 128))
    torch.testing.assert_close(out, torch.full((1, 128), 512 * 0.8411920), rtol=1e-6, atol=0)


@pytest.mark.parametrize("kind", ["normal", "tiny"])
@pytest.mark.parametrize("size", [(128, 128), (70, 131), (65, 200)])
def test_features_equal_the_plain_form(shallow, kind, size):
    frames = np.random.default_rng(0).integers(0, 256, (2, *size, 3), np.uint8)
    model = shallow[kind]
    found = model.encode(frames_to_device(frames, CPU))
    expected = PlainAllTracker(model).encode(frames).permute(0, 2, 3, 1)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_frames_are_padded_on_both_sides():
    assert padding((240, 256)) == (0, 8)
    assert padding((270, 301)) == (9, 25), "left and top are the smaller halves"
    assert padding((65, 128)) == (0, 31)
