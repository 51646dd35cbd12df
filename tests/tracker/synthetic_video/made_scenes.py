"""Random scenes, scenes that are full of one kind of surface, and what is drawn at every pixel of them."""

from __future__ import annotations

import torch

from point_tracking.tracker.synthetic_video.clip_builder import ClipBuilder
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.draws import Draws
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer
from point_tracking.tracker.synthetic_video.rendering.rays import PixelGrid
from point_tracking.tracker.synthetic_video.rendering.surfaces import Hits, cast_rays
from point_tracking.tracker.synthetic_video.scenes.scene import Scene
from point_tracking.tracker.synthetic_video.scenes.scene_sampling import CONTENTS_COLUMNS, draw_contents, draw_scene

HEIGHT, WIDTH = 72, 96
PLAIN = {
    "height": HEIGHT, "width": WIDTH, "num_frames": 6, "num_points": 120, "low_texture": 0.0, "shading": 0.0,
    "lighting": 0.0, "shadow": 0.0, "motion_blur": 0.0, "defocus": 0.0, "sharpening": 0.0, "noise": 0.0,
    "compression": 0.0, "greyscale": 0.0, "texture_scale": 2.0,
}  # fmt: skip
KINDS = {
    "planes": {"room": 0.0, "floor": 0.0, "ball": 0.0, "box": 0.0, "figure": 0.0, "max_layers": 5},
    "floor": {"room": 0.0, "floor": 1.0, "ball": 0.0, "box": 0.0, "figure": 0.0},
    "balls": {"room": 0.0, "ball": 1.0, "box": 0.0, "figure": 0.0},
    "figures": {"room": 0.0, "ball": 0.0, "box": 0.0, "figure": 1.0},
    "rooms": {"room": 1.0, "ball": 0.0, "box": 1.0, "figure": 0.0},
}


def ramps(size: int = 256) -> torch.Tensor:
    """A texture whose colour tells the place: slow ramps up and down, along both axes."""
    ramp = (2 * torch.arange(size) - size + 1).abs().float() / size * 255
    x, y = ramp.expand(size, size), ramp[:, None].expand(size, size)
    return torch.stack([x, y, (x + y) / 2]).round().to(torch.uint8)[None]


def plan(kind: str, seed: int = 0, batch: int = 3, **options) -> ClipBuilder:
    config = SyntheticConfig(**{**PLAIN, **KINDS[kind], **options})
    return ClipRenderer(config, seed=seed, textures=ramps()).plan(batch)


def all_hits(builder: ClipBuilder) -> Hits:
    """Every surface on every pixel, without the short cut of looking only near surfaces."""
    batch = builder.render_batch(builder.clips)
    grid = PixelGrid(HEIGHT, WIDTH, torch.device("cpu"), only_near=False)
    return cast_rays(batch.layers, batch.frames, builder.assets.outlines, grid)


def layer_map(hits: Hits) -> tuple[torch.Tensor, torch.Tensor]:
    """Slot and depth seen at every pixel, (B, T, H, W) each: the nearest surface that covers its middle."""
    depth = hits.depth.masked_fill(hits.cover < 0.5, torch.inf)
    nearest = depth.min(dim=1)
    return nearest.indices.unflatten(-1, (HEIGHT, WIDTH)), nearest.values.unflatten(-1, (HEIGHT, WIDTH))


def corners(values: torch.Tensor, xy: torch.Tensor) -> torch.Tensor:
    """The values of the four pixels around positions. (B, T, H, W), (B, T, N, 2) -> (4, B, T, N)"""
    x = xy[..., 0].floor().long().clamp(0, WIDTH - 2)
    y = xy[..., 1].floor().long().clamp(0, HEIGHT - 2)
    flat = values.flatten(2)
    return torch.stack([flat.gather(2, (y + j) * WIDTH + x + i) for j in (0, 1) for i in (0, 1)])


def uniform(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    """Uniform random numbers, one row per clip."""
    return torch.rand(rows, columns, generator=torch.Generator().manual_seed(seed))


def random_scene(
    config: SyntheticConfig, clips: int = 16, motion: float = 1.0, seed: int = 0
) -> tuple[Scene, torch.Tensor]:
    """Random scenes of some clips, and the (B, T) times of their frames."""
    contents = draw_contents(uniform(clips, CONTENTS_COLUMNS, seed), config)
    times = torch.arange(6.0).expand(clips, -1)
    draws = Draws(uniform(clips, 4000, seed + 1))
    return draw_scene(draws, contents, config, times, (config.width, config.height), motion), times
