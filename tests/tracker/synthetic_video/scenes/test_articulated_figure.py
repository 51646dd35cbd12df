"""Figures hang together, whatever they do."""

from __future__ import annotations

import pytest
import torch

from point_tracking.tracker.synthetic_video.draws import Draws
from point_tracking.tracker.synthetic_video.scenes.articulated_figure import (
    FIGURE_LIMBS,
    LEGS,
    ArticulatedFigure,
    draw_articulated_figure,
)

CLIPS = 12


def figure(motion: float = 1.0, used: bool = True) -> ArticulatedFigure:
    draws = Draws(torch.rand(CLIPS, 600, generator=torch.Generator().manual_seed(5)))
    focal = torch.full((CLIPS,), 100.0)
    flags = torch.full((CLIPS,), used)
    return draw_articulated_figure(draws, torch.zeros(CLIPS), focal, torch.tensor([64.0, 48.0]), 1.0, motion, flags)


def ends(made: ArticulatedFigure, times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Upper and lower ends of all limbs, (B, FIGURE_LIMBS, T, 3) each."""
    centres, turns = made.at(times)
    along = turns[..., :, 1] * 0.9 * made.radii[:, :, None, 1:2]
    return centres - along, centres + along


@pytest.mark.parametrize("motion", [0.5, 1.0, 3.0])
def test_lower_legs_begin_where_upper_legs_end(motion: float):
    upper_starts, upper_ends = ends(figure(motion), torch.arange(8.0).expand(CLIPS, -1))
    first_lower = FIGURE_LIMBS - LEGS
    error = (upper_starts[:, first_lower:] - upper_ends[:, 1 : 1 + LEGS]).norm(dim=-1)
    assert error.max() < 1e-3


def test_limbs_keep_their_place_on_the_body():
    made = figure()
    times = torch.arange(8.0).expand(CLIPS, -1)
    centres, turns = made.at(times)
    starts, _ = ends(made, times)
    hanging = slice(1, 1 + made.joints.shape[1])
    on_body = (turns[:, :1].transpose(-1, -2) @ (starts[:, hanging] - centres[:, :1])[..., None])[..., 0]
    torch.testing.assert_close(on_body, made.joints[:, :, None].expand_as(on_body), atol=1e-3, rtol=1e-3)


def test_legs_swing_with_time():
    _, turns = figure().at(torch.arange(8.0).expand(CLIPS, -1))
    own = turns[:, :1].transpose(-1, -2) @ turns[:, 1 : 1 + LEGS]  # relative to the body
    assert (own[:, :, 1:] - own[:, :, :-1]).abs().amax((1, 2, 3, 4)).min() > 0.01


def test_some_have_two_legs_and_unused_ones_nothing():
    present = figure().present
    assert present[:, 0].all()
    count = present.sum(1)
    assert set(count.tolist()) == {FIGURE_LIMBS, FIGURE_LIMBS - LEGS - 1}
    assert not figure(used=False).present.any()
