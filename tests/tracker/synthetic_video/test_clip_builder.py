"""One call of the renderer: how clips are grouped, and where points are looked for."""

from __future__ import annotations

import pytest
import torch

from point_tracking.tracker.synthetic_video.clip_builder import CANDIDATES, ClipBuilder, table_columns
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer

from .made_scenes import ramps

OPTIONS = {"height": 24, "width": 32, "num_frames": 3, "num_points": 10}


@pytest.fixture(scope="module")
def renderer() -> ClipRenderer:
    return ClipRenderer(SyntheticConfig(**OPTIONS), seed=3, textures=ramps(64))


@pytest.fixture(scope="module")
def builder(renderer: ClipRenderer) -> ClipBuilder:
    return renderer.plan(24)


def test_groups_hold_every_clip_once_with_the_same_effects(builder: ClipBuilder):
    groups = builder.groups()
    assert sorted(clip for clips in groups for clip in clips) == builder.clips
    flags = builder.effect_flags
    for clips in groups:
        for name in ("motion_blur", "defocus", "compression", "sharpening", "shadow"):
            assert len({getattr(flags, name)[clip] for clip in clips}) == 1
    assert len(groups) < len(builder.clips), "some are rendered together"


def test_a_group_has_room_for_all_its_clips(builder: ClipBuilder):
    for clips in builder.groups():
        together = builder.inventory(clips)
        for clip in clips:
            alone = builder.contents.inventories[clip]
            assert alone.planes <= together.planes
            assert alone.ellipsoids <= together.ellipsoids
            assert alone.boxes <= together.boxes


def test_groups_keep_to_what_is_rendered_at_once(builder: ClipBuilder):
    pixels = 24 * 32 * 3
    for clips in builder.groups():
        samples = 6 if builder.effect_flags.motion_blur[clips[0]] else 1
        rays = builder.inventory(clips).layers * pixels * samples * len(clips)
        assert len(clips) == 1 or rays <= builder.assets.rays_at_once


def test_candidates_are_inside_the_picture_and_compete_for_points(builder: ClipBuilder):
    picks = builder.picks
    assert picks.place.shape == (24, CANDIDATES * 10, 2)
    assert picks.place.min() >= 0
    assert picks.place.max() <= 1
    assert torch.equal(picks.frame[:, :10], picks.frame[:, 10:20]), "candidates for a point share its frame"
    assert picks.frame.max() < 3


def test_pairs_are_queried_in_the_first_of_two_frames(renderer: ClipRenderer):
    builder = renderer.plan(4, pairs=True)
    assert builder.times.shape == (4, 2)
    assert (builder.picks.frame == 0).all()
    assert (builder.times[:, 1] >= 1).all()
    assert (builder.times[:, 1] <= builder.config.max_gap).all()


def test_the_slot_map_agrees_with_the_points_found_there(builder: ClipBuilder):
    slots = builder.slot_map([0, 5], 1)
    assert slots.shape == (2, 24, 32)
    y, x = torch.meshgrid(torch.arange(2, 22, 5), torch.arange(2, 30, 5), indexing="ij")
    xy = torch.stack([x, y], -1).reshape(1, -1, 2).float().expand(2, -1, -1)  # (b, M, 2)
    found = builder.follow_points([0, 5], torch.ones(xy.shape[:2], dtype=torch.int64), xy)
    here = slots[:, y.flatten(), x.flatten()]
    assert (found.slot == here).float().mean() > 0.95
    assert found.background[found.slot == 0].all()
    assert (found.xy[:, 1] - xy).abs().max() < 0.05
    assert not (found.visible & found.hidden).any()


@pytest.mark.parametrize("points", [1, 40])
def test_random_numbers_grow_with_points_and_layers(points: int):
    config = SyntheticConfig(**{**OPTIONS, "num_points": points})
    more = SyntheticConfig(**{**OPTIONS, "num_points": points + 1})
    assert table_columns(more) > table_columns(config)
    deeper = SyntheticConfig(**{**OPTIONS, "num_points": points, "max_layers": config.max_layers + 1})
    assert table_columns(deeper) > table_columns(config)
