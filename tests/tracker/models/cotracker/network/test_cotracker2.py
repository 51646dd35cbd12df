"""The older network."""

from __future__ import annotations

import torch

from point_tracking.tracker.models.cotracker.network.cotracker2 import displacement_code


def test_displacement_code_takes_turns_of_sine_and_cosine():
    code = displacement_code(torch.tensor([0.01, -0.02]), 64)
    assert code.shape == (130,)
    torch.testing.assert_close(code[2 + 2], torch.tensor(0.01 * 31.25).sin())
    torch.testing.assert_close(code[2 + 3], torch.tensor(0.01 * 31.25).cos())
    torch.testing.assert_close(code[2 + 64 + 2], torch.tensor(-0.02 * 31.25).sin())
