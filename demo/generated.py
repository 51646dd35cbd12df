"""Demo clips from the generator of training video: things that turn and walk in three dimensions.

The pictures are painted with photographs; camera, motion and light are drawn from a
seed. Adding a clip: try seeds, look at the result, and list the best in `_RECIPES`.
When the generator draws other scenes than before, the tests of the demo tell whether
the clips still show enough; if not, choose other seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from ..tracker.queries import grid_queries
from ..tracker.types import Queries, Tracks
from .layers import EDGE_STEPS, FRAME_SIZE, NUM_FRAMES, DemoClip, write_video
from .scenes import photo, tinted

if TYPE_CHECKING:
    from torch import Tensor

    from ..tracker.synthetic_video.clip_builder import ClipBuilder
    from ..tracker.synthetic_video.scenes.scene import Inventory

_TEXTURE_SIZE = 512

# a calm camera without the defects that training needs
_OPTIONS: dict[str, Any] = {
    "num_frames": NUM_FRAMES, "width": FRAME_SIZE[0], "height": FRAME_SIZE[1], "num_points": 1, "texture_scale": 1.5,
    "fast_pan": 0.0, "fast_layer": 0.0, "tracking_shot": 0.0, "low_texture": 0.0, "camouflage": 0.0, "floor": 0.0,
    "shading": 1.0, "shadow": 1.0, "lighting": 0.0, "motion_blur": 0.0, "defocus": 0.0, "sharpening": 0.0, "noise": 0.0,
    "compression": 0.0, "greyscale": 0.0,
}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """A clip of the generator.

    Args:
        name: becomes the file name
        seed: decides the scene, its motion and its looks
        subject: first slot and the slot after the last of what the mask shows
        options: of `SyntheticConfig`, besides those of all demo clips
    """

    name: str
    seed: int
    subject: Callable[[Inventory], tuple[int, int]]
    options: dict[str, Any] = field(default_factory=dict)


def _figure(inventory: Inventory) -> tuple[int, int]:
    """The limbs of the figure: all ellipsoids but the first, which is the ball."""
    return inventory.planes + 1, inventory.planes + inventory.ellipsoids


def _a_box(inventory: Inventory) -> tuple[int, int]:
    """The first box after the room."""
    first = inventory.planes + inventory.ellipsoids + 1
    return first, first + 1


_RECIPES = (
    Recipe("walk", 12, _figure, {"figure": 1.0, "max_layers": 2, "room": 0.0, "ball": 0.0, "box": 0.0, "motion": 0.45}),
    Recipe("room", 2, _a_box, {"figure": 0.0, "max_layers": 3, "room": 1.0, "ball": 1.0, "box": 1.0, "motion": 0.5}),
)


def generated_clips(folder: Path, grid_size: int) -> Iterator[DemoClip]:
    """Makes the clips of all recipes.

    Args:
        folder: where to put the mp4 files
        grid_size: points per side in frame 0
    """
    import torch

    from ..tracker.synthetic_video.config import SyntheticConfig
    from ..tracker.synthetic_video.renderer import ClipRenderer

    textures = torch.from_numpy(np.stack([_texture(picture) for picture in _pictures()]))
    for recipe in _RECIPES:
        config = SyntheticConfig(**_OPTIONS, **recipe.options)
        builder = ClipRenderer(config, seed=recipe.seed, textures=textures).plan(1)
        with torch.inference_mode():
            path = folder / f"{recipe.name}.mp4"
            write_video(path, iter(builder.video()[0].permute(0, 2, 3, 1).numpy()))
            xy = _clear_grid(builder, grid_size)
            queries = Queries(t=np.zeros(len(xy), dtype=np.int64), xy=xy, origin="points")
            yield DemoClip(path, queries, _truth(builder, xy), _mask(builder, recipe))


def _follow(builder: ClipBuilder, xy: np.ndarray) -> tuple[Tensor, Tensor, np.ndarray]:
    """Positions (T, N, 2), visibility (T, N) and slots (N,) of what is at positions of frame 0."""
    import torch

    where = torch.from_numpy(np.asarray(xy, np.float32))[None]
    found = builder.follow_points([0], torch.zeros(where.shape[:2], dtype=torch.int64), where)
    return found.xy[0], found.visible[0], found.slot[0].numpy()


def _clear_grid(builder: ClipBuilder, grid_size: int) -> np.ndarray:
    """A grid in frame 0, without the points that lie on an edge. (N, 2)"""
    width, height = FRAME_SIZE
    xy = grid_queries(grid_size, height=height, width=width).xy
    _, _, slot = _follow(builder, xy)
    clear = [_follow(builder, xy + np.array(step))[2] == slot for step in EDGE_STEPS]
    return xy[np.logical_and.reduce(clear)]


def _truth(builder: ClipBuilder, xy: np.ndarray) -> Tracks:
    found, visible, _ = _follow(builder, xy)
    seen = visible.numpy()
    return Tracks(xy=found.numpy(), visible=seen, confidence=seen.astype(np.float32))


def _mask(builder: ClipBuilder, recipe: Recipe) -> np.ndarray:
    """The visible part of the subject in frame 0, (H, W) bool."""
    slots = builder.slot_map([0], 0)[0].numpy()
    first, end = recipe.subject(builder.inventory([0]))
    return (slots >= first) & (slots < end)


def _pictures() -> list[np.ndarray]:
    """Photographs of surfaces."""
    cat = photo("chelsea")[150:300, 100:250]
    stones, table = photo("gravel"), photo("coffee")[:, :200]
    grass, brick = tinted(photo("grass"), (72, 112, 44)), tinted(photo("brick"), (176, 88, 62))
    return [grass, brick, stones, cat, tinted(stones, (120, 110, 95)), table]


def _texture(picture: np.ndarray) -> np.ndarray:
    """The middle square of a picture, (3, S, S) uint8."""
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    size = (_TEXTURE_SIZE, _TEXTURE_SIZE)
    return cv2.resize(square, size, interpolation=cv2.INTER_AREA).transpose(2, 0, 1)
