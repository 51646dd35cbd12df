"""Pictures, positions and visibility agree: three ways to look at the same scene."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer
from point_tracking.tracker.synthetic_video.rendering.rendering import follow, seen_points, visible_points

from ..made_scenes import HEIGHT, KINDS, PLAIN, WIDTH, all_hits, corners, layer_map, plan, ramps


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
