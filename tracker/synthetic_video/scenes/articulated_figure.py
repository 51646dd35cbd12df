"""An articulated figure: a body with jointed limbs, each limb a thin ellipsoid.

In body axes x points forward, y down and z sideways. Limbs turn about z, the lower
part of a leg about the end of its upper part.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..draws import Draws
from .motion import Path, Poses, draw_path, draw_swing, rotation

LEGS = 4
_FIRST = LEGS + 2  # upper legs, head, tail: they hang on the body
FIGURE_LIMBS = 1 + _FIRST + LEGS
_OVERLAP = 0.9  # limbs reach into each other at a joint


@dataclass(frozen=True)
class ArticulatedFigure:
    """Figures of B clips.

    Args:
        body: one pose per clip
        radii: (B, FIGURE_LIMBS, 3) half axes, y along a limb
        joints: (B, _FIRST, 3) where limbs hang on the body
        rest: (B, _FIRST + LEGS) resting angles of joints, radians
        swing: of the same joints
        present: (B, FIGURE_LIMBS) bool
    """

    body: Poses
    radii: Tensor
    joints: Tensor
    rest: Tensor
    swing: Path
    present: Tensor

    def at(self, times: Tensor) -> tuple[Tensor, Tensor]:
        """Centres (B, FIGURE_LIMBS, T, 3) and rotations (B, FIGURE_LIMBS, T, 3, 3)."""
        origin, body = self.body.at(times)  # (B, 1, T, 3), (B, 1, T, 3, 3)
        bends = self.rest[:, :, None] + self.swing.at(times)[..., 0]  # (B, J, T)
        zero = torch.zeros_like(bends)
        turns = rotation(torch.stack([zero, zero, bends], -1))  # (B, J, T, 3, 3)
        first = body @ turns[:, :_FIRST]  # (B, F, T, 3, 3)
        joints = origin + (body @ self.joints[:, :, None, :, None])[..., 0]  # (B, F, T, 3)
        along = first[..., :, 1]  # a limb's own y axis, (B, F, T, 3)
        half = self.radii[:, 1 : 1 + _FIRST, None, 1:2]  # (B, F, 1, 1)
        first_centres = joints + _OVERLAP * half * along
        knees = (joints + 2 * _OVERLAP * half * along)[:, :LEGS]
        second = first[:, :LEGS] @ turns[:, _FIRST:]
        second_centres = knees + _OVERLAP * self.radii[:, 1 + _FIRST :, None, 1:2] * second[..., :, 1]
        return torch.cat([origin, first_centres, second_centres], 1), torch.cat([body, first, second], 1)


def draw_articulated_figure(
    draws: Draws, anchor: Tensor, focal: Tensor, half_frame: Tensor, scale: float, motion: float, used: Tensor
) -> ArticulatedFigure:
    """Random figures: four-legged or two-legged, upright or not, walking or running.

    Args:
        draws: the random numbers
        anchor: (B,) time at which a figure is at its place
        focal: (B,) pixels
        half_frame: (2,) half width and height, pixels
        scale: of all sizes and speeds
        motion: strength of all motion
        used: (B,) bool, which clips have one
    """
    depth = draws.uniform(0.5, 0.9, 1)  # (B, 1) of the focal length
    radii, joints = _draw_build(draws, scale * depth)
    rest, swing = _draw_gait(draws, anchor, motion)
    two_legged = draws.chance(0.35, 1)
    extra = torch.zeros(FIGURE_LIMBS, dtype=torch.bool)
    extra[[1, 2, 1 + _FIRST, 2 + _FIRST, _FIRST]] = True  # front legs and tail
    present = used[:, None] & ~(two_legged & extra)
    body = _draw_poses(draws, anchor, focal, half_frame, scale, motion, depth)
    return ArticulatedFigure(body, radii, joints, rest, swing, present)


def _draw_build(draws: Draws, scale: Tensor) -> tuple[Tensor, Tensor]:
    """Half axes of all limbs, and where those of the body hang, for figures of a scale (B, 1)."""
    length = draws.log_uniform(11, 38, 1) * scale
    height = length * draws.uniform(0.25, 0.55, 1)
    side = height * draws.uniform(0.6, 1.0, 1)
    leg = length * draws.uniform(0.3, 0.7, 1)
    thin = length * draws.log_uniform(0.05, 0.17, 1)
    head = length * draws.uniform(0.25, 0.5, 1)
    tail = length * draws.uniform(0.3, 0.8, 1)

    def limb(width: Tensor, long: Tensor, count: int = 1) -> Tensor:
        return torch.stack([width, long, width], -1).expand(-1, count, -1)  # (B, count, 3)

    radii = torch.cat(
        [
            torch.stack([length, height, side], -1),
            limb(1.4 * thin, 0.5 * leg, LEGS),
            limb(head * draws.uniform(0.4, 0.8, 1), head),
            limb(0.7 * thin, tail),
            limb(thin, 0.5 * leg * draws.uniform(0.8, 1.2, 1), LEGS),
        ],
        1,
    )
    # legs at the four corners; head in front, tail behind
    corner_x = torch.tensor([0.75, 0.75, -0.75, -0.75, 0.9, -0.95])
    corner_y = torch.tensor([0.5, 0.5, 0.5, 0.5, -0.3, -0.3])
    corner_z = torch.tensor([0.7, -0.7, 0.7, -0.7, 0.0, 0.0])
    return radii, torch.stack([corner_x * length, corner_y * height, corner_z * side], -1)


def _draw_gait(draws: Draws, anchor: Tensor, motion: float) -> tuple[Tensor, Path]:
    """Resting angles of all joints, and how they swing."""
    rest = [
        draws.normal(LEGS) * 0.25,
        draws.uniform(-2.7, -1.2, 1),
        draws.uniform(0.9, 2.3, 1),
        draws.uniform(-0.7, 0.7, 1).expand(-1, LEGS),
    ]
    share = torch.tensor([1.0] * LEGS + [0.3, 0.7] + [0.8] * LEGS)[:, None]  # legs, head, tail, lower legs
    reach = draws.uniform(0.15, 0.9, 1, 1) * share * min(motion, 1.5)
    period = draws.log_uniform(5, 24, 1, 1) / max(motion, 0.25)
    return torch.cat(rest, 1), draw_swing(draws, _FIRST + LEGS, 1, anchor, reach, period)


def _draw_poses(
    draws: Draws, anchor: Tensor, focal: Tensor, half_frame: Tensor, scale: float, motion: float, depth: Tensor
) -> Poses:
    """Where figures of a depth (B, 1) are and how they move; some are fast, as animals are."""
    speed = draws.log_normal(0.8, 1, 1) * torch.where(draws.chance(0.25, 1, 1), 3.0, 1.0)
    speed = speed * (1.5 * scale * motion) * depth[..., None] * torch.tensor([1.0, 0.5, 0.3])
    place = draws.uniform(-0.7, 0.7, 1, 2) * half_frame * depth[..., None]
    centre = torch.cat([place, (depth * focal[:, None])[..., None]], -1)  # (B, 1, 3)
    facing = torch.where(draws.chance(0.5, 1), 0.0, math.pi)
    roll = torch.where(draws.chance(0.3, 1), draws.uniform(-math.pi, math.pi, 1), draws.normal(1) * 0.2)
    angles = torch.stack([draws.normal(1) * 0.3, facing + draws.normal(1) * 0.6, roll], -1)
    turn = draw_path(draws, 1, 3, anchor, 0.02 * motion * draws.log_normal(0.8, 1, 1))
    return Poses(centre, draw_path(draws, 1, 3, anchor, speed), angles, turn)
