"""Where a map of scores peaks, between its cells; and what the two heads of a point say together.

Source: TAP-Net and TAPIR, arXiv:2211.03726 and arXiv:2306.08637, sec. 3.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

_RADIUS = 5
"""Cells nearer to the highest than this count."""


def soft_peak(scores: Tensor, temperature: float) -> Tensor:
    """The mean position around the highest score, weighted by the softmax of all.

    The softmax's denominator cancels, so only cells around the highest are looked at.

    Args:
        scores: (K, h, w) float32
        temperature: by which they are multiplied first

    Returns:
        (K, 2) raster positions: x, y in cells, from the corner of the first one
    """
    _, height, width = scores.shape
    flat = scores.flatten(1)  # (K, h w)
    peak = flat.argmax(dim=1, keepdim=True)  # (K, 1), the first of equal ones
    highest = flat.gather(1, peak)
    steps = torch.arange(1 - _RADIUS, _RADIUS, device=scores.device)
    dy, dx = steps.repeat_interleave(len(steps)), steps.repeat(len(steps))  # (81,)
    x, y = peak % width + dx, torch.div(peak, width, rounding_mode="floor") + dy  # (K, 81)
    counts = (dx * dx + dy * dy < _RADIUS**2) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
    index = y.clamp(0, height - 1) * width + x.clamp(0, width - 1)
    weight = (temperature * (flat.gather(1, index) - highest)).exp() * counts  # (K, 81)
    total = weight.sum(dim=1)
    return torch.stack([(weight * (x + 0.5)).sum(dim=1) / total, (weight * (y + 0.5)).sum(dim=1) / total], dim=1)


def seen_score(occlusion: np.ndarray, expected_dist: np.ndarray) -> np.ndarray:
    """How sure it is that a point is seen, and near its position.

    Args:
        occlusion: (...) float logits, high = hidden
        expected_dist: (...) float logits, high = far off

    Returns:
        (...) float64 from 0 to 1
    """
    return _sigmoid(-occlusion.astype(np.float64)) * _sigmoid(-expected_dist.astype(np.float64))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.tanh(0.5 * logits))
