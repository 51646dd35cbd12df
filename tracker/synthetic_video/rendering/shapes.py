"""Outlines of flat layers, as signed distances on a grid.

One grid covers [-1, 1] x [-1, 1] of a layer; values are distances to the outline in
the same unit, positive inside. Reading them bilinearly gives the same outline to the
renderer and to the visibility of points.

Adding an outline: write a function `(rng, x, y) -> inside` and enter it in `_KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .textures import noise

OUTLINE_REACH = 0.95
"""No outline reaches further than this from the middle, along x or y."""

_DRAWN = 128  # outlines are drawn this large, and distances measured there
Outline = Callable[[np.random.Generator, np.ndarray, np.ndarray], np.ndarray]


def build_outlines(count: int, size: int = 64, seed: int = 0) -> Tensor:
    """Draws outlines.

    Args:
        count: how many
        size: side of the grid
        seed: the same seed draws the same outlines

    Returns:
        (count, size, size) float32 signed distances, negative all along the border
    """
    rng = np.random.default_rng(seed)
    y, x = (np.mgrid[:_DRAWN, :_DRAWN] + 0.5) * (2 / _DRAWN) - 1
    border = OUTLINE_REACH - np.maximum(np.abs(x), np.abs(y))
    outlines = np.empty((count, size, size), np.float32)
    step = _DRAWN // size
    for i in range(count):
        inside = _KINDS[i % len(_KINDS)](rng, x, y) & (border > 0)
        distance = _signed_distance(inside) * (2 / _DRAWN)
        outlines[i] = distance.reshape(size, step, size, step).mean((1, 3))
    return torch.from_numpy(outlines)


def _signed_distance(inside: np.ndarray) -> np.ndarray:
    """Distance to the outline in grid steps, positive inside."""
    return _distance_to(~inside) - _distance_to(inside)


def _distance_to(target: np.ndarray) -> np.ndarray:
    """Euclidean distance of every place to the nearest target, by two passes of lower envelopes. (n, n)"""
    n = target.shape[0]
    if not target.any():
        return np.full(target.shape, float(n))
    # along columns: distance to the nearest target of the column
    index = np.arange(n)
    column = np.where(target, 0.0, 4.0 * n)
    for i in range(1, n):
        column[i] = np.minimum(column[i], column[i - 1] + 1)
    for i in range(n - 2, -1, -1):
        column[i] = np.minimum(column[i], column[i + 1] + 1)
    squared = column**2  # (n, n)
    # along rows: min over j of (x - j)^2 + squared[j]
    offsets = (index[:, None] - index[None]) ** 2.0  # (n, n)
    nearest = np.stack([(offsets + row[None]).min(1) for row in squared])
    # half a step nearer: the outline runs between places
    return np.maximum(np.sqrt(nearest) - 0.5, 0)


def _blob(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    edge = np.ones_like(x)
    for k, strength in enumerate((0.2, 0.16, 0.12, 0.08), start=2):
        edge += strength * rng.normal() * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    return radius < 0.68 * np.clip(edge, 0.35, 1.4)


def _polygon(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    inside = np.hypot(x, y) < 0.95
    for angle in np.linspace(0, 2 * np.pi, rng.integers(4, 9))[1:] + rng.uniform(0, 2 * np.pi):
        angle += rng.normal(0, 0.15)
        inside &= x * np.cos(angle) + y * np.sin(angle) < rng.uniform(0.5, 0.9)
    return inside


def _rectangle(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (np.abs(x) < rng.uniform(0.5, 0.95)) & (np.abs(y) < 0.93)


def _bar(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A thin, bent stick."""
    bend = rng.normal(0, 0.25) * np.cos(np.pi * y / 2) + rng.normal(0, 0.12) * np.sin(np.pi * y)
    return (np.abs(x - bend) < rng.uniform(0.06, 0.18)) & (np.abs(y) < 0.93)


def _ring(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    radius = np.hypot(x, y * rng.uniform(1, 1.4))
    return (radius < 0.9) & (radius > rng.uniform(0.4, 0.7))


def _star(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Thin arms around a middle."""
    arms = rng.integers(3, 8)
    angle = np.arctan2(y, x) * arms / 2 + rng.uniform(0, np.pi)
    return np.hypot(x, y) < 0.92 * (0.3 + 0.7 * np.abs(np.cos(angle)) ** rng.uniform(0.7, 3))


def _fence(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A lattice: much is seen through it."""
    bars, width = rng.integers(2, 5), rng.uniform(0.16, 0.35)
    upright = np.abs((x * bars / 2 + rng.random()) % 1 - 0.5) < width / 2
    across = np.abs((y * bars / 2 + rng.random()) % 1 - 0.5) < width / 2
    frame = np.maximum(np.abs(x), np.abs(y)) > 0.8
    return (upright | across | frame) if rng.random() < 0.6 else (upright | frame)


def _branches(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A stem with twigs."""
    inside = (np.abs(x + 0.15 * np.sin(2.5 * y + rng.uniform(0, 6))) < 0.07) & (np.abs(y) < 0.93)
    for _ in range(rng.integers(4, 9)):
        base, angle, length = rng.uniform(-0.7, 0.8), rng.uniform(-1, 1), rng.uniform(0.4, 0.9)
        side = rng.choice([-1.0, 1.0])
        along = side * x * np.cos(angle) + (y - base) * np.sin(angle)
        across = (y - base) * np.cos(angle) - side * x * np.sin(angle)
        inside |= (along > 0) & (along < length) & (np.abs(across) < 0.1 * (1.1 - along / length))
    return inside


def _foliage(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Torn edges and holes."""
    size = x.shape[0]
    height = noise(rng, size, rng.uniform(1.3, 1.8))
    return height * 0.5 + 1.0 - 1.4 * np.hypot(x, y) > rng.uniform(0, 0.2)


_KINDS: tuple[Outline, ...] = (
    _blob, _polygon, _rectangle, _blob, _bar, _ring, _star, _fence, _branches, _foliage, _blob, _polygon, _bar,
)  # fmt: skip
