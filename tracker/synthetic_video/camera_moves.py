"""Clips whose camera does one known thing: what descriptions of motion are measured on.

moves = [CameraMove("pan", 0.1), CameraMove("handheld", 0.004)]
builder = moved_clips(ClipRenderer(config, seed=1), moves, fps=25)
builder.video(), true_rates(builder, fps=25)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ..errors import OptionError
from .clip_builder import ClipBuilder
from .renderer import ClipRenderer
from .scenes.motion import Path, zero_path
from .scenes.scene import Camera

MOVES = ("static", "pan", "tilt", "roll", "zoom", "handheld")
# cycles per second of a hand's shaking
_SHAKES_HZ = (1.8, 3.1, 4.7)


@dataclass(frozen=True)
class CameraMove:
    """What a camera does all along a clip.

    Args:
        kind: one of `MOVES`
        rate: pan and tilt: diagonals of the frame per second, above 0 to the right and down; roll: radians per second,
            above 0 clockwise; zoom: growth of the logarithm per second; handheld: size of the shaking in diagonals
        shake: of any other kind: shaking besides, in diagonals

    Raises:
        OptionError: for another kind
    """

    kind: str
    rate: float = 0.0
    shake: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in MOVES:
            raise OptionError(f"Invalid camera move ({self.kind!r}). Supported values are {', '.join(MOVES)}")


def moved_clips(
    renderer: ClipRenderer, moves: Sequence[CameraMove], *, fps: float = 25.0, num_frames: int | None = None
) -> ClipBuilder:
    """The next clips of a renderer, with these cameras in place of their own.

    Args:
        renderer: its configuration says how things look and move
        moves: one per clip
        fps: frames per second that rates are meant for
        num_frames: T; None = as the configuration says

    Returns:
        the clips before they are rendered
    """
    builder = renderer.plan(len(moves), num_frames=num_frames)
    with torch.no_grad():
        builder.times = torch.arange(builder.times.shape[1], dtype=torch.float32).expand_as(builder.times)
        builder.scene = replace(builder.scene, camera=_camera(builder, moves, fps))
        builder.frames = builder.scene.at(builder.times)
    return builder


def true_rates(builder: ClipBuilder, *, fps: float = 25.0) -> Tensor:
    """How fast the cameras of clips without walking turn and zoom.

    Args:
        builder: B clips of T frames
        fps: frames per second

    Returns:
        (B, T - 1, 4) per second: right and down in diagonals of the frame at its middle, clockwise in radians, growth
        of the logarithm of the focal length
    """
    _, view, focal = builder.scene.camera.at(builder.times)
    step = view[:, 1:] @ view[:, :-1].transpose(-1, -2)
    # where what was in the middle is seen next
    ahead = step[..., :, 2] / step[..., 2:, 2]
    shift = ahead[..., :2] * focal[:, 1:, None] / math.hypot(*builder.size_px)
    turn = torch.atan2(step[..., 1, 0], step[..., 0, 0])
    growth = focal.log().diff(dim=1)
    return torch.cat([-shift, -turn[..., None], growth[..., None]], -1) * fps


def _camera(builder: ClipBuilder, moves: Sequence[CameraMove], fps: float) -> Camera:
    camera = builder.scene.camera
    anchor = builder.times[:, builder.times.shape[1] // 2]
    diagonal = math.hypot(*builder.size_px)
    velocity, zoom = torch.zeros(len(moves), 1, 3), torch.zeros(len(moves), 1, 1)
    size = torch.zeros(len(moves), 1, len(_SHAKES_HZ), 3)
    for k, move in enumerate(moves):
        radians = diagonal / float(camera.focal[k])  # of a turn that moves the picture by its diagonal
        per_frame = move.rate / fps
        if move.kind == "pan":
            velocity[k, 0, 1] = per_frame * radians
        elif move.kind == "tilt":
            velocity[k, 0, 0] = -per_frame * radians
        elif move.kind == "roll":
            velocity[k, 0, 2] = per_frame
        elif move.kind == "zoom":
            zoom[k] = per_frame
        shake = move.rate if move.kind == "handheld" else move.shake
        size[k] = shake * radians / math.sqrt(len(_SHAKES_HZ)) * torch.tensor([1.0, 1.0, 0.5])
    rate = 2 * math.pi / fps * torch.tensor(_SHAKES_HZ)[None, None, :, None].expand_as(size)
    # waves of all axes and clips start elsewhere
    phase = torch.arange(size.numel(), dtype=torch.float32).reshape(size.shape) * 2.39996
    still = zero_path(torch.zeros(len(moves), 1, 3), anchor)
    return Camera(
        focal=camera.focal,
        position=still,
        pan=zero_path(torch.zeros(len(moves), 1, 2), anchor),
        angles=still,
        pan_angles=Path(velocity, size, rate, phase, anchor),
        zoom=replace(zero_path(zoom, anchor), velocity=zoom),
    )


def known_grid(
    builder: ClipBuilder, clip: int, grid_xy: np.ndarray, query_t: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Where points that are given in some frames really go.

    Args:
        builder: of the clips
        clip: which of them
        grid_xy: (N, 2) pixels
        query_t: (N,) frame index that each is given in

    Returns:
        (T, N, 2) float32 pixels and (T, N) bool, visible
    """
    with torch.no_grad():
        xy = torch.tensor(grid_xy, dtype=torch.float32)[None]
        followed = builder.follow_points([clip], torch.tensor(query_t)[None], xy)
    return followed.xy[0].numpy(), followed.visible[0].numpy()
