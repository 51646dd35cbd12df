"""Paths and rotations."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.synthetic_video.draws import Draws
from point_tracking.tracker.synthetic_video.scenes.motion import draw_path, draw_swing, rotation


@given(st.lists(st.floats(-7, 7), min_size=3, max_size=3))
def test_rotations_are_rotations(angles):
    matrix = rotation(torch.tensor(angles, dtype=torch.float64))
    assert torch.allclose(matrix @ matrix.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert torch.linalg.det(matrix) == pytest.approx(1)


def test_rotation_spins_before_it_tilts():
    spin = rotation(torch.tensor([0.0, 0.0, math.pi / 2]))
    assert torch.allclose(spin @ torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)
    both = rotation(torch.tensor([0.4, -0.3, 1.1]))
    tilt = rotation(torch.tensor([0.4, -0.3, 0.0]))
    assert torch.allclose(both, tilt @ rotation(torch.tensor([0.0, 0.0, 1.1])), atol=1e-6)


def test_paths_are_zero_at_their_anchor_and_smooth():
    draws = Draws(torch.rand(8, 400, generator=torch.Generator().manual_seed(1)))
    anchor = torch.linspace(0, 7, 8)
    for path in (
        draw_path(draws, 3, 2, anchor),
        draw_swing(draws, 3, 2, anchor, torch.ones(8, 3, 2), torch.full((8, 3, 2), 9.0)),
    ):
        assert path.at(anchor[:, None]).abs().max() < 1e-5
        times = torch.arange(0, 20, 0.25).expand(8, -1)
        places = path.at(times)
        assert places.shape == (8, 3, 80, 2)
        turn = (places[:, :, 2:] - 2 * places[:, :, 1:-1] + places[:, :, :-2]).abs().max()
        assert turn < 0.25
