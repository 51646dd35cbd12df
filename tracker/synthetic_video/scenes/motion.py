"""Smooth random functions of time, and rotations made of them.

Time is measured in frames of a clip that is shown at its usual speed; frames may
lie at any real times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..draws import Draws

_WAVES = 2


@dataclass(frozen=True)
class Path:
    """A straight motion plus slow waves; zero at the anchor.

    Args:
        velocity: (B, L, D) units per frame
        amplitude: (B, L, W, D) units
        rate: (B, L, W, D) radians per frame
        phase: (B, L, W, D) radians
        anchor: (B,) time at which the path is at zero
    """

    velocity: Tensor
    amplitude: Tensor
    rate: Tensor
    phase: Tensor
    anchor: Tensor

    def at(self, times: Tensor) -> Tensor:
        """The path at times (B, T). (B, L, T, D)"""
        anchored = self._unanchored(self.anchor[:, None])
        return self._unanchored(times) - anchored

    def _unanchored(self, times: Tensor) -> Tensor:
        t = times[:, None, :, None]  # (B, 1, T, 1)
        waves = torch.sin(t[..., None, :] * self.rate[:, :, None] + self.phase[:, :, None])  # (B, L, T, W, D)
        return self.velocity[:, :, None] * t + (self.amplitude[:, :, None] * waves).sum(3)  # (B, L, T, D)


def draw_path(draws: Draws, layers: int, dims: int, anchor: Tensor, speed: Tensor | float = 1.0) -> Path:
    """A random path whose speed is about `speed` units per frame.

    Args:
        draws: the random numbers
        layers: L
        dims: D
        anchor: (B,) time at which the path is at zero
        speed: broadcasts to (B, L, D)
    """
    period = draws.log_uniform(5, 50, layers, _WAVES, dims)
    velocity = draws.normal(layers, dims) * 0.6 * speed
    per_wave = speed[:, :, None] if isinstance(speed, Tensor) else speed
    amplitude = draws.normal(layers, _WAVES, dims) * 0.5 * period / (2 * math.pi) * per_wave
    return Path(velocity, amplitude, 2 * math.pi / period, draws.angle(layers, _WAVES, dims), anchor)


def draw_swing(draws: Draws, layers: int, dims: int, anchor: Tensor, amplitude: Tensor, period: Tensor) -> Path:
    """One wave of a given size: a pan that goes there and back, or a leg that swings.

    Args:
        draws: the random numbers
        layers: L
        dims: D
        anchor: (B,) time at which the path is at zero
        amplitude: broadcasts to (B, L, D)
        period: frames, broadcasts to (B, L, D)
    """
    phase = draws.angle(layers, dims)
    amplitude = amplitude.expand_as(phase)[:, :, None]
    rate = (2 * math.pi / period).expand_as(phase)[:, :, None]
    return Path(torch.zeros_like(phase), amplitude, rate, phase[:, :, None], anchor)


@dataclass(frozen=True)
class Poses:
    """Where rigid things are: a start and a path from there.

    Args:
        centre: (B, L, 3) world units
        drift: how the centre moves from there
        angles: (B, L, 3) radians about x, y and z, see `rotation`
        turn: how the angles change from there
        tilt_limit: (B, L) largest angle about x and y; None: any
    """

    centre: Tensor
    drift: Path
    angles: Tensor
    turn: Path
    tilt_limit: Tensor | None = None

    def at(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Centres (B, L, T, 3) and rotations (B, L, T, 3, 3) at times (B, T)."""
        turned = self.turn.at(times)
        if self.tilt_limit is None:
            angles = self.angles[:, :, None] + turned
        else:
            tilt = soft_limit(turned[..., :2], self.tilt_limit[:, :, None, None])
            angles = self.angles[:, :, None] + torch.cat([tilt, turned[..., 2:]], -1)
        return self.centre[:, :, None] + self.drift.at(times), rotation(angles)


def soft_limit(x: Tensor, limit: Tensor | float) -> Tensor:
    """Bends a number smoothly so that it stays within +- limit."""
    return limit * torch.tanh(x / limit)


def rotation(angles: Tensor) -> Tensor:
    """Rotation matrices: a spin about z, then tilts about x and y.

    Args:
        angles: (..., 3) radians about x, y and z

    Returns:
        (..., 3, 3)
    """
    (cx, cy, cz), (sx, sy, sz) = torch.cos(angles).unbind(-1), torch.sin(angles).unbind(-1)
    rows = [
        cy * cz + sy * sx * sz, -cy * sz + sy * sx * cz, sy * cx,
        cx * sz, cx * cz, -sx,
        -sy * cz + cy * sx * sz, sy * sz + cy * sx * cz, cy * cx,
    ]  # fmt: skip
    return torch.stack(rows, -1).reshape(*angles.shape[:-1], 3, 3)  # (..., 3, 3)


def zero_path(like: Tensor, anchor: Tensor) -> Path:
    """A path that stays at zero, for layers as in `like` (B, L, D)."""
    zero = torch.zeros_like(like)
    return Path(zero, zero[:, :, None], zero[:, :, None], zero[:, :, None], anchor)
