"""The clip renderer: what it promises about its clips, its random stream and its options."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from point_tracking.tracker.errors import OptionError, ResumeError, ShapeError
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, SyntheticClips, build_textures

SMALL = SyntheticConfig(height=48, width=64, num_frames=5, num_points=24)
FIELDS = ("video", "xy", "visible", "query_t")


@pytest.fixture(scope="module")
def textures() -> torch.Tensor:
    return build_textures(6, size=64, seed=5)


def make_renderer(textures: torch.Tensor, seed: int = 0, **options) -> ClipRenderer:
    return ClipRenderer(SyntheticConfig(**{**vars(SMALL), **options}), seed=seed, textures=textures)


def inside(clips: SyntheticClips) -> torch.Tensor:
    height, width = clips.video.shape[-2:]
    x, y = clips.xy.unbind(-1)
    return (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)


def same(one: SyntheticClips, other: SyntheticClips) -> bool:
    return all(torch.equal(getattr(one, name), getattr(other, name)) for name in FIELDS)


def test_shapes_and_types(textures):
    clips = make_renderer(textures).clips(3)
    assert clips.video.shape == (3, 5, 3, 48, 64)
    assert clips.xy.shape == (3, 5, 24, 2)
    assert clips.xy.dtype == torch.float32
    changed = make_renderer(textures).clips(2, num_frames=3, height=32, width=40, num_points=7, motion=0.5)
    assert changed.video.shape == (2, 3, 3, 32, 40)
    assert changed.visible.shape == (2, 3, 7)


@pytest.mark.parametrize("seed", range(3))
def test_points_are_visible_in_their_query_frame_and_only_inside_the_picture(textures, seed):
    clips = make_renderer(textures, seed).clips(12)
    assert clips.visible.gather(1, clips.query_t[:, None]).all()
    assert not (clips.visible & ~inside(clips)).any()
    assert clips.xy.isfinite().all()


def test_queries_are_first_sights_or_any(textures):
    always = make_renderer(textures, first_share=1.0).clips(8)
    assert torch.equal(always.query_t, always.visible.int().argmax(1))
    never = make_renderer(textures, first_share=0.0).clips(8)
    assert (never.query_t > never.visible.int().argmax(1)).float().mean() > 0.5


def test_pairs_are_queried_in_the_first_frame_and_mostly_seen_in_both(textures):
    pairs = make_renderer(textures).pairs(12, num_points=40)
    assert pairs.video.shape[:2] == (12, 2)
    assert (pairs.query_t == 0).all()
    assert pairs.visible[:, 0].all()
    assert pairs.visible[:, 1].float().mean() > 0.75


def test_the_same_seed_gives_the_same_clips(textures):
    assert same(make_renderer(textures, seed=3).clips(3), make_renderer(textures, seed=3).clips(3))
    assert not same(make_renderer(textures, seed=3).clips(3), make_renderer(textures, seed=4).clips(3))


def test_the_stream_resumes_exactly(textures):
    renderer = make_renderer(textures, seed=1)
    renderer.clips(2)
    renderer.pairs(1)
    state = renderer.state_dict()
    expected = renderer.clips(2)
    resumed = make_renderer(textures, seed=99)
    resumed.load_state_dict(state)
    assert same(resumed.clips(2), expected)


@pytest.mark.parametrize("state", [{}, {"generator": None}, {"generator": torch.zeros(3)}, {"generator": 7}])
def test_a_foreign_state_is_refused(textures, state):
    with pytest.raises(ResumeError, match="Not the state of a clip renderer"):
        make_renderer(textures).load_state_dict(state)


def test_clips_do_not_depend_on_the_batch(textures):
    whole = make_renderer(textures, seed=8).clips(6)
    renderer = make_renderer(textures, seed=8)
    parts = [renderer.clips(1), renderer.clips(3), renderer.clips(2)]
    for name in FIELDS:
        joined = torch.cat([getattr(part, name) for part in parts]).float()
        difference = (joined - getattr(whole, name).float()).abs()
        # rounding may differ by the order of additions
        assert (difference > 1e-3).float().mean() < 1e-3, name
        assert difference.max() <= 1, name


def test_frames_rendered_in_small_parts_are_the_same(textures):
    from dataclasses import replace

    whole, parts = make_renderer(textures, seed=6), make_renderer(textures, seed=6)
    parts.assets = replace(parts.assets, rays_at_once=1)
    one, other = whole.clips(5), parts.clips(5)
    assert (one.video.int() - other.video.int()).abs().max() <= 1
    assert torch.equal(one.visible, other.visible)


def test_without_motion_nothing_moves(textures):
    still = make_renderer(textures, motion=0.0, noise=0.0, lighting=0.0).clips(4)
    assert (still.xy - still.xy[:, :1]).abs().max() < 1e-2
    assert (still.video.int() - still.video[:, :1].int()).abs().max() <= 1


def test_motion_scales_with_its_strength(textures):
    def speed(motion: float) -> float:
        clips = make_renderer(textures, seed=2, fast_pan=0.0).clips(10, motion=motion)
        return float((clips.xy[:, 1:] - clips.xy[:, :-1]).norm(dim=-1).median())

    assert 0 < 2 * speed(0.25) < speed(1.0)


def test_fast_pans_bring_points_back(textures):
    clips = make_renderer(textures, fast_pan=1.0).clips(12, num_frames=16)
    out = (~inside(clips)).int()
    seen = clips.visible.int()
    seen_before = seen.cummax(1).values
    left_after_seen = (seen_before * out).cummax(1).values
    returned = (left_after_seen * seen).any(1)  # (B, N)
    assert returned.float().mean() > 0.05
    assert (returned.any(1)).float().mean() > 0.3


def test_things_hide_each_other(textures):
    clips = make_renderer(textures, max_layers=6).clips(16)
    hidden = inside(clips) & ~clips.visible
    assert hidden.float().mean() > 0.02


def test_mixed_precision_around_it_changes_nothing(textures):
    expected = make_renderer(textures, seed=7).clips(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = make_renderer(textures, seed=7).clips(3)
    assert same(found, expected)


def test_every_kind_of_effect_can_be_asked_for_alone(textures):
    effects = ("shadow", "motion_blur", "defocus", "sharpening", "noise", "compression", "greyscale")
    plain = dict.fromkeys((*effects, "lighting"), 0.0)
    reference = make_renderer(textures, **plain).clips(2)
    for name in effects:
        changed = make_renderer(textures, **{**plain, name: 1.0}).clips(2)
        assert torch.equal(changed.xy, reference.xy), name
        assert not torch.equal(changed.video, reference.video), name
    grey = make_renderer(textures, **{**plain, "greyscale": 1.0}).clips(2).video
    assert (grey.amax(2).int() - grey.amin(2).int()).max() <= 1


def test_an_empty_batch_is_refused(textures):
    with pytest.raises(OptionError, match="Invalid batch"):
        make_renderer(textures).clips(0)
    with pytest.raises(OptionError, match="Invalid num_points"):
        make_renderer(textures).clips(1, num_points=0)


@pytest.mark.parametrize(
    "wrong",
    [
        torch.zeros(2, 3, 64, 32, dtype=torch.uint8),
        torch.zeros(2, 3, 48, 48, dtype=torch.uint8),
        torch.zeros(2, 64, 64, 3, dtype=torch.uint8),
        torch.zeros(0, 3, 64, 64, dtype=torch.uint8),
        torch.zeros(2, 3, 64, 64),
    ],
)
def test_textures_of_another_form_are_refused(wrong):
    with pytest.raises(ShapeError, match="Invalid textures"):
        ClipRenderer(SMALL, textures=wrong)


def test_clips_check_their_shapes():
    video = torch.zeros(1, 2, 3, 8, 8, dtype=torch.uint8)
    xy, visible = torch.zeros(1, 2, 4, 2), torch.zeros(1, 2, 4, dtype=torch.bool)
    query_t = torch.zeros(1, 4, dtype=torch.int64)
    SyntheticClips(video, xy, visible, query_t)
    with pytest.raises(ShapeError, match="Invalid video"):
        SyntheticClips(video.float(), xy, visible, query_t)
    with pytest.raises(ShapeError, match="Invalid xy"):
        SyntheticClips(video, xy[:, :1], visible, query_t)
    with pytest.raises(ShapeError, match="Invalid visible"):
        SyntheticClips(video, xy, visible.int(), query_t)


def test_largest_scenes_have_enough_random_numbers(textures):
    for layers in (1, 24):
        clips = make_renderer(textures, max_layers=layers, num_points=1, figure=1.0, ball=1.0, box=1.0).clips(2)
        assert clips.visible.shape == (2, 5, 1)


def test_needs_torch_and_numpy_alone():
    script = """
import sys
for name in ("fiftyone", "av", "cv2", "PIL", "scipy", "skimage"):
    sys.modules[name] = None
import torch
torch.set_num_threads(1)
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, SyntheticConfig
config = SyntheticConfig(height=32, width=32, num_frames=2, num_points=4, texture_count=2, texture_size=32)
clips = ClipRenderer(config).clips(1)
print(tuple(clips.video.shape))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(1, 2, 3, 32, 32)"
