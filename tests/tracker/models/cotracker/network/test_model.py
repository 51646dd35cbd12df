"""The networks as modules: shapes, gradients, codes."""

from __future__ import annotations

import math

import meta_run
import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.cotracker.network.chunks import GPU_CHUNKS, ChunkSizes
from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER2,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
    CoTrackerConfig,
)
from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps
from point_tracking.tracker.models.cotracker.network.model import (
    QuerySupport,
    TrackState,
    motion_code,
    relative_motion,
    resample_time,
    sincos_1d,
)
from point_tracking.tracker.models.cotracker.running.online import WindowedPoints
from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model


def test_gradients_reach_every_parameter_that_matters(small_model, random_queries):
    model = small_model("offline").train()
    frames = torch.rand(2 * 4, 3, 48, 64) * 2 - 1
    levels = tuple(level.unflatten(0, (2, 4)) for level in model.encode(frames))
    maps = FeatureMaps(levels, torch.arange(4))
    t, xy = random_queries(model, 4, num_points=3, batch=2)
    loss = torch.zeros(())
    queries = QuerySupport(model.support(maps, t, xy), t)
    for state in model.refine(maps, queries, TrackState.at_queries(xy, 4), 2):
        loss = loss + state.xy.sin().sum() + state.visibility.square().sum() + state.confidence.cos().sum()
    loss.backward()
    # a norm takes the bias of the convolution before it away
    dead = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert all(name.startswith("fnet.") and name.endswith(".bias") and "conv3" not in name for name in dead), dead
    assert len(dead) == 1 + 2 * 8 + 3 + 1  # conv1, the blocks, their shortcuts, conv2


@pytest.mark.parametrize("kind", ["online", "v2"])
def test_gradients_flow_through_windows(small_model, random_maps, random_queries, kind):
    model = small_model(kind).train()
    maps = random_maps(model, 12)
    t, xy = random_queries(model, 12, num_points=4)
    points = WindowedPoints(model, t, xy)
    loss = torch.zeros(())
    for start in (0, 4):
        for state in points.refine_window(FeatureMaps(maps.levels, maps.frames[start : start + 8]), iterations=2):
            loss = loss + state.xy.sin().sum() + state.visibility.sin().sum()
    loss.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None and not name.startswith("fnet.")]
    assert without == []


def test_a_few_steps_of_training_lower_the_loss(small_model, random_maps, random_queries):
    model = small_model("offline").train()
    maps = random_maps(model, 5)
    t, xy = random_queries(model, 5, num_points=6)
    target = xy[:, :, None] + 0.3
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    for _ in range(12):
        queries = QuerySupport(model.support(maps, t, xy), t)
        states = model.refine(maps, queries, TrackState.at_queries(xy, 5), 2)
        loss = torch.stack([(state.xy - target).abs().mean() for state in states]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("kind", ["offline", "online", "v2"])
def test_no_points_is_no_work(small_model, random_maps, kind):
    model = small_model(kind)
    maps = random_maps(model, 8)
    t, xy = torch.zeros(1, 0, dtype=torch.long), torch.zeros(1, 0, 2)
    queries = QuerySupport(model.support(maps, t, xy), t)
    *_, state = model.refine(maps, queries, TrackState.at_queries(xy, 8))
    assert state.xy.shape == (1, 0, 8, 2)


@pytest.mark.parametrize("kind", ["offline", "v2"])
def test_results_do_not_depend_on_chunk_sizes(small_model, random_maps, random_queries, kind):
    model = small_model(kind)
    maps = random_maps(model, 8)
    t, xy = random_queries(model, 8, num_points=9)
    found = []
    with torch.inference_mode():
        sizes = [(), (1, 1, 1, 1), (1, 5, 17, 30), (9, 999, 999, 999), (1, 64, 256, 1024, True), (1, 5, 17, 30, True)]
        for chunks in (ChunkSizes(*numbers) for numbers in sizes):
            queries = QuerySupport(model.support(maps, t, xy), t)
            *_, state = model.refine(maps, queries, TrackState.at_queries(xy, 8), 3, chunks)
            found.append(state.xy)
    for other in found[1:]:
        torch.testing.assert_close(found[0], other, atol=1e-3, rtol=1e-3)


def test_time_embedding_is_the_table_at_its_own_length_and_linear_elsewhere():
    table = sincos_1d(10, torch.arange(60))[None]
    assert resample_time(table, 60) is not None
    assert torch.equal(resample_time(table, 60), table[0])
    torch.testing.assert_close(resample_time(table, 1)[0], (table[0, 29] + table[0, 30]) / 2)
    longer = F.interpolate(table.transpose(1, 2), 90, mode="linear").transpose(1, 2)[0]
    torch.testing.assert_close(resample_time(table, 90), longer)


def test_motion_is_relative_and_zero_past_the_ends():
    config = CoTrackerConfig()
    xy = torch.tensor([[0.0, 0.0], [12.8, 9.6], [12.8, 19.2]])[None, None]
    motion = relative_motion(xy, config)[0, 0]
    expected = [[-0.1, -0.1, 0, 0], [0, -0.1, 0.1, 0.1], [0, 0, 0, 0.1]]
    torch.testing.assert_close(motion, torch.tensor(expected), atol=1e-7, rtol=0)
    code = motion_code(motion, 10)
    assert code.shape == (3, 84)
    torch.testing.assert_close(code[0, 4 + 4 * 3], torch.tensor(-0.8).sin())
    torch.testing.assert_close(code[0, 44 + 4 * 3], torch.tensor(-0.8 + math.pi / 2).sin())


# the published sizes on no device at all: operations by the cost model of the facts, for 384 x 512
ENCODER_FLOPS = 51.8e9
AT_ONCE = ChunkSizes(*[1 << 40] * 4)


def run_without_numbers(
    config: CoTrackerConfig, frames: int, points: int, iterations: int, chunks: ChunkSizes
) -> tuple[meta_run.Counts, meta_run.Counts]:
    """A window, a clip or a step of a stream: what encoding two frames takes, and tracking points through all."""
    with torch.device("meta"):
        model = build_model(config).to("meta").eval().requires_grad_(False)
        t, xy = torch.empty(1, points, dtype=torch.int64), torch.empty(1, points, 2)
        rows, pixels = torch.arange(frames), torch.empty(2, 3, 384, 512)
        known = [torch.empty(1, points, frames, *rest) for rest in ((2,), (), ())]
    with meta_run.watched() as encoded:
        levels = model.encode(pixels)
    maps = FeatureMaps(tuple(level.new_empty(1, frames, *level.shape[1:]) for level in levels), rows)
    with meta_run.watched() as refined:
        queries = QuerySupport(model.support(maps, t, xy), t, first_window=False)
        *_, state = model.refine(maps, queries, TrackState(*known), iterations, chunks)
    assert state.xy.shape == (1, points, frames, 2)
    return encoded, refined


def published_flops(frames: int, points: int) -> float:
    """Of an iteration of CoTracker3."""
    return frames * (33.3e6 * points + 2.04e9) + 4.6e3 * frames**2 * (points + 64)


def test_the_published_clip_takes_what_is_known_of_it():
    encoded, refined = run_without_numbers(COTRACKER3_OFFLINE, 150, 2500, 1, AT_ONCE)
    assert encoded.flops / 2 == pytest.approx(ENCODER_FLOPS, rel=0.05)
    assert encoded.calls < 200
    total = 150 * encoded.flops / 2 + 6 * refined.flops
    assert total == pytest.approx(150 * ENCODER_FLOPS + 6 * published_flops(150, 2500), rel=0.05)
    assert total == pytest.approx(85.0e12, rel=0.01)


@pytest.mark.parametrize(
    ("config", "frames", "calls"),
    [
        (COTRACKER3_OFFLINE, 24, 1500),
        (COTRACKER3_OFFLINE, 48, 1720),
        (COTRACKER3_ONLINE, 16, 1500),
        (COTRACKER2, 8, 2350),
    ],
    ids=["offline 24", "offline 48", "online", "v2"],
)
def test_points_run_without_numbers_at_the_published_size(config, frames, calls):
    _, refined = run_without_numbers(config, frames, 200, 1, GPU_CHUNKS)
    if config.version == 3:
        assert refined.flops == pytest.approx(published_flops(frames, 200), rel=0.05)
    assert refined.calls < calls
