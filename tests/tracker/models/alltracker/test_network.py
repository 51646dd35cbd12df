"""One window through the network: against the plain form, in pieces, and without any numbers."""

from __future__ import annotations

import meta_run
import pytest
import torch
from plain_alltracker import PlainAllTracker

from point_tracking.tracker.models.alltracker.config import ALLTRACKER, ALLTRACKER_TINY, AllTrackerConfig
from point_tracking.tracker.models.alltracker.network import AllTracker, Blocks, Window, set_matrix_dtype
from point_tracking.tracker.models.alltracker.windows import Places, window_lengths

GRID = (16, 24)


def random_window(model: AllTracker, length: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    maps = 0.3 * torch.randn(length + 1, *GRID, model.config.feature_dim, generator=generator)
    state = torch.randn(length, *GRID, 4, generator=generator)
    return maps[0], maps[1:], state


def refined(model: AllTracker, length: int, rows: slice, blocks: Blocks | None = None) -> Window:
    first, maps, state = random_window(model, length)
    return model.refine(model.anchor(first), list(enumerate(maps)), state, rows, 2, blocks)


@pytest.mark.parametrize("kind", ["normal", "tiny"])
@pytest.mark.parametrize(("length", "rows"), [(4, slice(0, 4)), (1, slice(1, 2))])
def test_a_window_equals_the_plain_form(shallow, kind, length, rows):
    model = shallow[kind]
    first, maps, state = (x.movedim(-1, -3) for x in random_window(model, length))
    expected, full = PlainAllTracker(model).window(first, maps, state, rows, 2)
    window = refined(model, length, rows)
    torch.testing.assert_close(window.state.movedim(-1, 1), expected, rtol=1e-4, atol=1e-4)
    cells = torch.arange(GRID[0] * GRID[1])
    upsampled = model.upsample(window, slice(0, length), cells).transpose(0, 1)  # (n, h w, 64, 4)
    pixels = upsampled.unflatten(1, GRID).unflatten(3, (8, 8)).permute(0, 5, 1, 3, 2, 4)  # (n, 4, h, 8, w, 8)
    pixels = pixels.reshape(full.shape)
    torch.testing.assert_close(pixels[:, :2], full[:, :2], rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(pixels[:, 2:].sigmoid(), full[:, 2:], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "blocks",
    [
        Blocks(frames=4, cells=1 << 20),
        Blocks(frames=3, cells=100),
        Blocks(keeps_volumes=False, volume_cells=1 << 20),
        Blocks(keeps_volumes=False, volume_cells=7),
    ],
    ids=["all at once", "uneven", "volumes of frames", "volumes in pieces"],
)
def test_how_much_is_done_at_once_changes_nothing(shallow, blocks):
    one, other = (refined(shallow["normal"], 4, slice(0, 4), some) for some in (Blocks(), blocks))
    torch.testing.assert_close(one.state, other.state, rtol=0, atol=1e-5)
    torch.testing.assert_close(one.feature, other.feature, rtol=0, atol=1e-5)


def test_only_volumes_of_this_window_are_kept(shallow):
    model = shallow["tiny"]
    first, maps, state = random_window(model, 4)
    anchor = model.anchor(first)
    model.refine(anchor, [(frame, maps[frame]) for frame in (0, 1, 2, 3)], state, slice(0, 4), 1)
    before = dict(anchor.volumes)
    assert sorted(before) == [0, 1, 2, 3]
    model.refine(anchor, [(frame, maps[frame % 4]) for frame in (2, 3, 4, 4)], state, slice(0, 4), 1)
    assert sorted(anchor.volumes) == [2, 3, 4]
    assert anchor.volumes[2] is before[2], "what both windows see is multiplied once"


def test_upsampling_some_cells_is_upsampling_all_and_choosing(shallow):
    window = refined(shallow["normal"], 4, slice(0, 4))
    every = shallow["normal"].upsample(window, slice(0, 4), torch.arange(GRID[0] * GRID[1]))
    some = torch.tensor([0, 23, 24, 200, 383])
    torch.testing.assert_close(shallow["normal"].upsample(window, slice(1, 3), some), every[some, 1:3])


def test_bfloat16_keeps_what_adds_up_in_float32(shallow, make_model):
    model = make_model(shallow["normal"].config)
    exact = refined(model, 4, slice(0, 4))
    set_matrix_dtype(model, torch.bfloat16)
    assert model.flow_head[2].weight.dtype == torch.float32
    assert model.update_block.motion_encoder.convc1.weight.dtype == torch.bfloat16
    first, maps, state = random_window(model, 4)
    anchor = model.anchor(first.bfloat16())
    rounded = model.refine(anchor, list(enumerate(maps.bfloat16())), state, slice(0, 4), 2)
    assert (rounded.state.dtype, rounded.feature.dtype) == (torch.float32, torch.float32)
    assert anchor.volumes[0].dtype == torch.bfloat16
    torch.testing.assert_close(rounded.state, exact.state, rtol=0, atol=0.1)
    upsampled = model.upsample(rounded, slice(0, 4), torch.arange(3))
    assert upsampled.dtype == torch.float32


# a step of the published sizes on no device at all: GFLOP by the cost model of the facts, for 384 x 512
CELLS, WINDOW = 48 * 64, 16
UPSAMPLER = 2 * (9 * 128 * 256 + 256 * 576)
UPDATE_FLOPS = 7.33e6 - UPSAMPLER
VOLUME_GFLOP = {"alltracker": 6.4, "alltracker-tiny": 3.2}
ENCODER_GFLOP = {"alltracker": 83, "alltracker-tiny": 33}
PUBLISHED = pytest.mark.parametrize("config", [ALLTRACKER, ALLTRACKER_TINY], ids=lambda config: config.name)
ON_A_GPU = Blocks(encoder_frames=16, frames=16, cells=1 << 16, volume_cells=CELLS)


def published(config: AllTrackerConfig) -> AllTracker:
    with torch.device("meta"):
        return AllTracker(config).to("meta").eval().requires_grad_(False)


@PUBLISHED
def test_the_encoder_runs_without_numbers_at_the_published_size(config):
    model = published(config)
    with meta_run.watched() as found:
        model.encode(torch.empty(16, 3, 384, 512, device="meta"))
    assert found.flops / 16 == pytest.approx(1e9 * ENCODER_GFLOP[config.name], rel=0.05)
    assert found.calls < 400


@pytest.mark.parametrize(
    ("config", "frames", "iterations"),
    [(ALLTRACKER, 24, 1), (ALLTRACKER, 48, 1), (ALLTRACKER, 16, 4), (ALLTRACKER_TINY, 16, 4)],
    ids=["24 frames", "48 frames", "all iterations", "tiny"],
)
def test_windows_run_without_numbers_at_the_published_size(config, frames, iterations):
    model = published(config)
    maps = torch.empty(frames, 48, 64, config.feature_dim, device="meta")
    cells = torch.empty(CELLS, device="meta", dtype=torch.long)
    index, share = torch.empty(5000, 4, device="meta", dtype=torch.long), torch.empty(5000, 4, device="meta")
    windows = len(window_lengths(frames, config))
    with meta_run.watched() as found:
        anchor = model.anchor(maps[0])
        for start in range(0, windows * config.step, config.step):
            seen = [min(start + i, frames - 1) for i in range(WINDOW)]
            state = torch.empty(WINDOW, 48, 64, 4, device="meta")
            rows = slice(0, WINDOW)
            window = model.refine(anchor, [(t, maps[t]) for t in seen], state, rows, iterations, ON_A_GPU)
            Places(cells, index, share).read(model.upsample(window, rows, cells))
    refined = windows * WINDOW * CELLS * (iterations * UPDATE_FLOPS + UPSAMPLER)
    assert found.flops == pytest.approx(refined + frames * 1e9 * VOLUME_GFLOP[config.name], rel=0.05)
    # the same for windows of any clip, but for what is gathered frame by frame
    assert found.calls < windows * (420 + 390 * iterations)
