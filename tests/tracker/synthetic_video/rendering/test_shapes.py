"""Outlines of flat layers."""

from __future__ import annotations

import torch

from point_tracking.tracker.synthetic_video.rendering.shapes import build_outlines


def test_outlines_are_distances_that_stay_inside():
    outlines = build_outlines(26, seed=4)
    assert outlines.shape == (26, 64, 64)
    inside = (outlines > 0).flatten(1).float().mean(1)
    assert (inside > 0.02).all()
    assert (inside < 0.95).all()
    edges = torch.cat([outlines[:, 0], outlines[:, -1], outlines[:, :, 0], outlines[:, :, -1]], 1)
    assert (edges < 0).all()
    # distances change by no more than the way itself
    step = 2 / 64
    assert (outlines[:, 1:] - outlines[:, :-1]).abs().max() < 1.5 * step
