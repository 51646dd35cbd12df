"""Counted operations, against those that torch counts."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.network.encoder import FeatureEncoder
from point_tracking.tracker.models.cotracker.running.costs import encoder_flops, refine_flops


def test_the_published_encoder_takes_what_is_known_of_it():
    assert encoder_flops(COTRACKER3_OFFLINE) == pytest.approx(51.8e9, rel=0.01)


@pytest.mark.parametrize("resolution", [(64, 96), (96, 64)])
def test_frames_cost_what_torch_counts(resolution: tuple[int, int]):
    config = replace(COTRACKER3_OFFLINE, resolution=resolution)
    with torch.device("meta"):
        encoder = FeatureEncoder(config).eval()
        frames = torch.empty(1, 3, *resolution)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder(frames)
    assert encoder_flops(config) == pytest.approx(counter.get_total_flops(), rel=0.02)


def test_iterations_cost_in_proportion_to_points():
    def per_point(frames: int) -> float:
        return (refine_flops(COTRACKER3_ONLINE, frames, 2000) - refine_flops(COTRACKER3_ONLINE, frames, 1000)) / 1000

    for frames in (16, 60):
        assert per_point(frames) / frames == pytest.approx(33.3e6 + 4.6e3 * frames, rel=0.03)
    assert refine_flops(COTRACKER3_ONLINE, 16, 0) > 0, "virtual tokens are there without points too"
