"""Random numbers from a table of uniform ones."""

from __future__ import annotations

import math

import pytest
import torch

from point_tracking.tracker.synthetic_video.draws import Draws


def test_random_numbers_have_their_distributions():
    draws = Draws(torch.rand(200, 400, generator=torch.Generator().manual_seed(0)))
    normal = draws.normal(100)
    assert abs(float(normal.mean())) < 0.03
    assert abs(float(normal.std()) - 1) < 0.03
    spread = draws.log_uniform(2, 8, 50)
    assert float(spread.min()) >= 2
    assert float(spread.max()) <= 8
    assert abs(float(spread.log().mean()) - math.log(4)) < 0.02
    assert abs(float(draws.chance(0.3, 100).float().mean()) - 0.3) < 0.02
    assert set(draws.whole(3, 50).flatten().tolist()) == {0, 1, 2}
    with pytest.raises(IndexError, match="used up"):
        draws.unit(101)
