"""What synthetic clips look like: sizes, amounts of motion, and how often each thing and effect occurs."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..errors import OptionError

MIN_SIDE, _MAX_SIDE = 16, 4096


@dataclass(frozen=True)
class SyntheticConfig:
    """What clips look like. Probabilities are per clip unless said otherwise.

    Args:
        height, width: pixels
        num_frames: T
        num_points: N tracks per clip
        max_layers: most things in front of the background, besides limbs of a figure
        motion: strength of all motion; 1 = as in usual video, 0 = a still
        first_share: share of the points whose query is the first frame they are seen
            in; others are queried in any frame they are seen in
        max_gap: most frames between the two of a pair
        tracking_shot: the camera follows some things
        fast_pan: the camera swings so far that points leave the picture and come back
        fast_layer: of a flat layer, to move three times as fast
        non_rigid: of a flat layer, to bend
        low_texture: of a surface, to be almost plain
        camouflage: all things look like the background
        room: the background is a room instead of a wall
        floor: an endless floor before a wall
        ball, box, figure: a turning ball, up to two boxes, an articulated figure
        lighting: light that is uneven and changes
        shadow: things cast shadows on the background
        motion_blur, defocus, sharpening, noise, compression, greyscale: what cameras do to pictures
        texture_count, texture_size: how many textures, and their side in texels, a power of two
        texture_dir: a folder of images to take textures from instead of drawing them
        texture_scale: texels per pixel, about
        outline_count: how many outlines of flat layers

    Raises:
        OptionError: if a value is outside what is supported
    """

    height: int = 96
    width: int = 128
    num_frames: int = 8
    num_points: int = 48
    max_layers: int = 6
    motion: float = 1.0
    first_share: float = 0.5
    max_gap: int = 20
    tracking_shot: float = 0.3
    fast_pan: float = 0.22
    fast_layer: float = 0.12
    non_rigid: float = 0.6
    low_texture: float = 0.22
    camouflage: float = 0.06
    room: float = 0.25
    floor: float = 0.25
    ball: float = 0.25
    box: float = 0.25
    figure: float = 0.3
    shading: float = 0.8
    lighting: float = 0.8
    shadow: float = 0.2
    motion_blur: float = 0.12
    defocus: float = 0.25
    sharpening: float = 0.1
    noise: float = 0.8
    compression: float = 0.35
    greyscale: float = 0.1
    texture_count: int = 400
    texture_size: int = 256
    texture_dir: str | os.PathLike[str] | None = None
    texture_scale: float = 1.0
    outline_count: int = 52

    def __post_init__(self) -> None:
        limits = {
            "height": (MIN_SIDE, _MAX_SIDE),
            "width": (MIN_SIDE, _MAX_SIDE),
            "num_frames": (1, 10_000),
            "num_points": (1, 100_000),
            "max_layers": (1, 24),
            "max_gap": (1, 10_000),
            "texture_count": (1, 100_000),
            "outline_count": (1, 10_000),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise OptionError(
                    f"Invalid {name} ({value!r}). Supported values are whole numbers from {low} to {high}"
                )
        for name in _PROBABILITIES:
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"Invalid {name} ({getattr(self, name)!r}). Supported values are 0 to 1")
        if not 0 <= self.motion <= 10:
            raise OptionError(f"Invalid motion ({self.motion!r}). Supported values are 0 to 10")
        if not 0 < self.texture_scale <= 100:
            raise OptionError(
                f"Invalid texture_scale ({self.texture_scale!r}). Supported values are 0 to 100, without 0"
            )


_PROBABILITIES = (
    "first_share", "tracking_shot", "fast_pan", "fast_layer", "non_rigid", "low_texture", "camouflage", "room", "floor",
    "ball", "box", "figure", "shading", "lighting", "shadow", "motion_blur", "defocus", "sharpening", "noise",
    "compression", "greyscale",
)  # fmt: skip
