"""Pictures, positions and visibility agree: three ways to look at the same scene."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.synthetic_video.clip_builder import ClipBuilder
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer
from point_tracking.tracker.synthetic_video.rendering.rays import PixelGrid
from point_tracking.tracker.synthetic_video.rendering.rendering import follow, render, seen_points, visible_points
from point_tracking.tracker.synthetic_video.rendering.surfaces import Hits, cast_rays

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


@pytest.mark.parametrize("kind", KINDS)
def test_hits_lie_on_their_ray_and_on_their_surface(kind):
    builder = plan(kind, seed=1, non_rigid=0.0)
    batch, hits = builder.render_batch(builder.clips), all_hits(builder)
    place = torch.stack([hits.x, hits.y, hits.z], -1).double()  # (B, L, T, P, 3)
    camera = place @ batch.frames.a.double().transpose(-1, -2) + batch.frames.b.double()[..., None, :]
    y, x = torch.meshgrid(torch.arange(HEIGHT) - (HEIGHT - 1) / 2, torch.arange(WIDTH) - (WIDTH - 1) / 2, indexing="ij")
    focal = batch.frames.focal[:, None, :, None].double()
    hit = hits.cover >= 0.5
    assert hit.any()
    pixel_x = camera[..., 0] / camera[..., 2] * focal - x.flatten()
    pixel_y = camera[..., 1] / camera[..., 2] * focal - y.flatten()
    assert pixel_x[hit].abs().max() < 0.02
    assert pixel_y[hit].abs().max() < 0.02
    assert ((camera[..., 2] - hits.depth).abs() / hits.depth)[hit].max() < 1e-3
    inventory = batch.layers.inventory
    first_box = inventory.planes + inventory.ellipsoids
    assert (hits.z[:, : inventory.planes] == 0).all()
    balls = slice(inventory.planes, first_box)
    off_sphere = (place[:, balls].norm(dim=-1) - 1)[hit[:, balls]].abs()
    assert not len(off_sphere) or off_sphere.max() < 2e-3
    off_cube = (place[:, first_box:].abs().amax(-1) - 1)[hit[:, first_box:]].abs()
    assert not len(off_cube) or off_cube.max() < 2e-3


@pytest.mark.parametrize("kind", KINDS)
def test_rays_find_the_points_that_were_followed_there(kind):
    """Forward: surface to picture. Back: picture to surface. Both ways end where they began."""
    builder = plan(kind, seed=2)
    outlines = builder.assets.outlines
    batch = builder.render_batch(builder.clips)
    half = torch.tensor([WIDTH - 1, HEIGHT - 1]) / 2
    start = (builder.picks.place * 2 - 1) * half
    points = seen_points(batch, outlines, builder.picks.frame, start)
    xy, depth = follow(batch, points)
    back = xy.gather(1, builder.picks.frame[:, None, :, None].expand(-1, 1, -1, 2))[:, 0]
    assert (back - start).abs().max() < 0.02
    visible, hidden = visible_points(batch, outlines, points, xy, depth, (WIDTH, HEIGHT))
    assert not (visible & hidden).any()
    count = 0
    for t in range(xy.shape[1]):
        frame = torch.full_like(builder.picks.frame, t)
        again = seen_points(batch, outlines, frame, xy[:, t])
        seen = visible[:, t]
        assert torch.equal(again.slot[seen], points.slot[seen])
        moved, _ = follow(batch, again)
        assert (moved[:, t] - xy[:, t])[seen].abs().max() < 0.02
        scale = batch.layers.half_size.gather(1, points.slot[..., None].expand(-1, -1, 3))
        solid = (points.slot >= batch.layers.inventory.planes)[..., None]
        error = (again.place - points.place) * torch.where(solid, scale, 1.0)  # units
        # a grazing view turns the same error in pixels into more on the surface
        assert error.norm(dim=-1)[seen].quantile(0.98) < 0.05
        count += int(seen.sum())
    assert count > 500


@pytest.mark.parametrize("kind", KINDS)
def test_the_colour_under_a_visible_point_stays(kind):
    renderer = ClipRenderer(SyntheticConfig(**{**PLAIN, **KINDS[kind]}), seed=3, textures=ramps())
    builder = renderer.plan(4)
    video, (xy, visible, query_t) = builder.video(), builder.tracks()
    slots, _ = layer_map(all_hits(builder))
    around = corners(slots, xy)
    alone = (around == around[0]).all(0) & visible  # all four pixels show one surface

    def colours(shift: float) -> torch.Tensor:
        grid = (xy + shift) / torch.tensor([WIDTH - 1, HEIGHT - 1]) * 2 - 1
        images = video.flatten(0, 1).float()
        found = F.grid_sample(images, grid.flatten(0, 1)[:, None], padding_mode="border", align_corners=True)
        return found[:, :, 0].transpose(1, 2).unflatten(0, visible.shape[:2])  # (B, T, N, 3)

    def error(shift: float) -> torch.Tensor:
        at_query = query_t[:, None, :, None].expand(-1, 1, -1, 3)
        both = alone & alone.gather(1, query_t[:, None])
        return (colours(shift) - colours(0).gather(1, at_query)).abs().mean(-1)[both]

    assert len(error(0)) > 400
    # 0.25 is what rounding to whole levels costs on average; a folded ramp or a seam costs more
    assert error(0).median() < 0.5
    assert error(0).quantile(0.9) < 1.7
    # the measure would notice half a pixel
    assert error(0.5).median() > 2 * error(0).median()


@pytest.mark.parametrize("kind", KINDS)
def test_visibility_agrees_with_the_layers_that_are_drawn(kind):
    builder = plan(kind, seed=4, batch=4)
    batch, outlines = builder.render_batch(builder.clips), builder.assets.outlines
    half = torch.tensor([WIDTH - 1, HEIGHT - 1]) / 2
    points = seen_points(batch, outlines, builder.picks.frame, (builder.picks.place * 2 - 1) * half)
    xy, depth = follow(batch, points)
    visible, hidden = visible_points(batch, outlines, points, xy, depth, (WIDTH, HEIGHT))
    slots, depths = layer_map(all_hits(builder))
    around, depth_around = corners(slots, xy + half), corners(depths, xy + half)
    own = points.slot[:, None].expand_as(visible)
    clear = (around == around[0]).all(0)
    inside = (xy.abs() <= half).all(-1)
    assert torch.equal(visible | hidden, inside & (depth > 0.05 * batch.frames.focal[..., None]))
    drawn = around[0] == own
    # something thin may pass between four pixels
    assert drawn[clear & visible].float().mean() > 0.995
    # what is hidden has another surface drawn over it, or its own near side
    over = ~drawn | (depth_around.amax(0) < depth)
    assert over[clear & hidden].float().mean() > 0.97
    assert int((clear & visible).sum()) > 1000


def test_hidden_points_lie_behind_what_is_drawn():
    builder = plan("planes", seed=5, batch=6)
    xy, visible, _ = builder.tracks()
    slots, _ = layer_map(all_hits(builder))
    inside = ((xy >= 0) & (xy <= torch.tensor([WIDTH - 1, HEIGHT - 1]))).all(-1)
    hidden = inside & ~visible
    assert int(hidden.sum()) > 50
    # nothing hides behind the background, but for what something thinner than a pixel covers
    around = corners(slots, xy)
    assert ((around == 0).all(0) & hidden).sum() < 0.02 * hidden.sum()


@pytest.mark.parametrize("kind", KINDS)
def test_looking_only_near_surfaces_draws_the_same(kind):
    builder = plan(kind, seed=6)
    batch, assets = builder.render_batch(builder.clips), builder.assets
    shadow = builder.look.shadow
    near, everywhere = (
        render(batch, assets.bank, assets.outlines, PixelGrid(HEIGHT, WIDTH, torch.device("cpu"), near), shadow)
        for near in (True, False)
    )
    # acute corners of boxes reach a little beyond their bounding boxes
    assert (near - everywhere).abs().mean() < 2e-5
    assert ((near - everywhere).abs() > 2 / 255).float().mean() < 5e-4


def test_outlines_do_not_leak_beyond_their_layer():
    builder = plan("planes", seed=7, batch=6)
    hits, batch = all_hits(builder), builder.render_batch(builder.clips)
    size = batch.layers.half_size[:, 1:, None, None]
    shortest = size[..., :2].amin(-1)
    beyond = torch.maximum(hits.x[:, 1:].abs() / size[..., 0], hits.y[:, 1:].abs() / size[..., 1]) - 1
    far = (beyond * shortest > hits.footprint[:, 1:]) & ~batch.layers.endless[:, 1:, None, None]
    assert far.any()
    assert (hits.cover[:, 1:][far] == 0).all()
