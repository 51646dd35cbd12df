"""Where a map of scores peaks, and what two heads say together."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.shared.independent_points.soft_peak import seen_score, soft_peak


def plain(scores: torch.Tensor, temperature: float) -> torch.Tensor:
    """The definition, cell by cell: the softmax of all, nearer than five cells to its highest."""
    found = []
    for one in scores.double():
        p = (temperature * one).flatten().softmax(0).view(one.shape)
        row, column = divmod(int(p.argmax()), one.shape[1])
        y, x = torch.meshgrid(*(torch.arange(side, dtype=torch.float64) for side in one.shape), indexing="ij")
        p = torch.where((y - row) ** 2 + (x - column) ** 2 < 25, p, 0)
        found.append(torch.stack([(p * (x + 0.5)).sum(), (p * (y + 0.5)).sum()]) / p.sum())
    return torch.stack(found).float()


@pytest.mark.parametrize("temperature", [0.1, 10.0, 20.0])
def test_the_peak_is_the_mean_of_the_softmax_near_the_highest_cell(temperature):
    scores = torch.randn(20, 12, 17, generator=torch.Generator().manual_seed(0))
    scores[0, 0, 0] = scores[1, 11, 16] = 9  # in corners
    torch.testing.assert_close(soft_peak(scores, temperature), plain(scores, temperature), rtol=0, atol=1e-4)


def test_of_equal_cells_the_first_counts():
    scores = torch.zeros(1, 20, 20)
    scores[0, 3, 4] = scores[0, 15, 15] = 100
    torch.testing.assert_close(soft_peak(scores, 1.0), torch.tensor([[4.5, 3.5]]))


@given(st.floats(-200, 200), st.floats(-200, 200))
def test_a_point_is_seen_where_neither_head_says_otherwise(occlusion, expected_dist):
    score = seen_score(np.array(occlusion), np.array(expected_dist))
    expected = 1 / (1 + np.exp(np.float64(occlusion))) / (1 + np.exp(np.float64(expected_dist)))
    np.testing.assert_allclose(score, expected, atol=1e-12)
