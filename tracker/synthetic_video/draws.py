"""Random numbers that do not depend on the device or on how clips are batched.

All numbers of a clip stand in one row of a table of uniform numbers, drawn on the
CPU. Parameters are taken from it column by column, always in the same order: the
same seed gives the same clips on CPU and GPU, and two batches of two are the same
clips as one batch of four.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


class Draws:
    """Hands out the columns of a table of uniform numbers as other distributions.

    Args:
        table: (B, K) float32 in [0, 1), one row per clip
    """

    def __init__(self, table: Tensor) -> None:
        self.table = table
        self.batch = table.shape[0]
        self._next = 0

    def unit(self, *shape: int) -> Tensor:
        """Uniform in [0, 1). (B, *shape)"""
        count = math.prod(shape)
        if self._next + count > self.table.shape[1]:
            raise IndexError(f"The table of {self.table.shape[1]} random numbers per clip is used up")
        taken = self.table[:, self._next : self._next + count]
        self._next += count
        return taken.reshape(self.batch, *shape)  # (B, *shape)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform in [low, high). (B, *shape)"""
        return self.unit(*shape) * (high - low) + low

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Uniform in the logarithm, from low to high. (B, *shape)"""
        return torch.exp(self.uniform(math.log(low), math.log(high), *shape))

    def normal(self, *shape: int) -> Tensor:
        """Standard normal, cut at about 4.5 sigma. (B, *shape)"""
        return math.sqrt(2) * torch.erfinv((2 * self.unit(*shape) - 1).clamp(-0.999993, 0.999993))

    def log_normal(self, sigma: float, *shape: int) -> Tensor:
        """exp of a normal number, median 1. (B, *shape)"""
        return torch.exp(sigma * self.normal(*shape))

    def angle(self, *shape: int) -> Tensor:
        """Uniform on the circle, radians. (B, *shape)"""
        return self.uniform(0, 2 * math.pi, *shape)

    def chance(self, probability: float, *shape: int) -> Tensor:
        """True with the given probability. (B, *shape) bool"""
        return self.unit(*shape) < probability

    def whole(self, count: int, *shape: int) -> Tensor:
        """Uniform among 0 .. count - 1. (B, *shape) int64"""
        return (self.unit(*shape) * count).long().clamp(max=count - 1)
