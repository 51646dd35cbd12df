"""The networks as modules: shapes, gradients, codes."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.cotracker.network import encoder
from point_tracking.tracker.models.cotracker.network.chunks import GPU_CHUNKS, ChunkSizes, slices
from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER2,
    COTRACKER2_1,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
    CoTrackerConfig,
)
from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps
from point_tracking.tracker.models.cotracker.network.cotracker2 import displacement_code
from point_tracking.tracker.models.cotracker.network.model import (
    QuerySupport,
    TrackState,
    motion_code,
    relative_motion,
    resample_time,
    sincos_1d,
)
from point_tracking.tracker.models.cotracker.running.online import WindowedPoints


@pytest.mark.parametrize(
    ("config", "token_dim", "tensors", "parameters"),
    [
        (COTRACKER3_OFFLINE, 1110, 188, 25_385_700),
        (COTRACKER3_ONLINE, 1110, 188, 25_385_700),
        (COTRACKER2, 456, 321, 45_458_787),
        (COTRACKER2_1, 456, 321, 45_458_787),
    ],
)
def test_published_sizes(config, token_dim, tensors, parameters):
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model

    with torch.device("meta"):
        model = build_model(config)
    assert config.token_dim == token_dim
    assert len(model.state_dict()) == tensors
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert tuple(model.time_emb.shape) == (1, config.window, token_dim)


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 100},
        {"depth": 0},
        {"resolution": (50, 64)},
        {"resolution": (16, 16)},
        {"version": 2},
        {"mode": "online", "window": 7},
        {"mode": "sideways"},
        {"width": "384"},
        {"window": 2.5},
        {"levels": None},
        {"heads": True},
        {"resolution": (384.0, 512.0)},
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(OptionError, match=r"Invalid|CoTracker2"):
        CoTrackerConfig(**sizes)


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


def test_encoder_gives_the_same_in_batches_and_alone(small_model):
    encoder = small_model("offline").fnet
    frames = torch.rand(3, 3, 48, 64) * 2 - 1
    trained = encoder(frames).detach()
    with torch.inference_mode():
        alone = encoder(frames)
    assert alone.shape == (3, 12, 16, 16)
    torch.testing.assert_close(trained, alone, atol=1e-4, rtol=1e-3)
    torch.testing.assert_close(alone.norm(dim=-1), torch.ones(3, 12, 16), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_norms_of_several_frames_keep_channels_last(dtype):
    # or every convolution that follows would turn its input around, as on GPUs it did
    x = (torch.randn(3, 8, 12, 16) * 3 + 5).to(dtype).contiguous(memory_format=torch.channels_last)
    expected = F.instance_norm(x.float(), eps=1e-5)
    with torch.inference_mode():
        found = encoder._instance_norm(x.clone(memory_format=torch.preserve_format))
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert found.dtype == dtype
    bound = 1e-5 if dtype == torch.float32 else 0.03
    torch.testing.assert_close(found.float(), expected, atol=bound, rtol=bound)


def test_frames_encoded_together_equal_frames_alone(small_model, monkeypatch):
    # the way GPUs take
    fnet = small_model("offline").fnet
    frames = torch.rand(3, 3, 48, 64) * 2 - 1
    with torch.inference_mode():
        alone = fnet(frames)
        together = fnet._encode(frames.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-3)


@given(total=st.integers(0, 500), size=st.integers(0, 600))
def test_blocks_cover_everything_and_are_about_equal(total, size):
    with torch.inference_mode():
        found = list(slices(total, size))
    lengths = [part.stop - part.start for part in found]
    assert [i for part in found for i in range(part.start, part.stop)] == list(range(total))
    assert not lengths or max(lengths) <= max(size, 1)
    assert not lengths or max(lengths) - min(lengths) <= 1, "a block of one costs as many kernels as a full one"
    assert len(found) == -(-total // max(size, 1))


@given(gather=st.integers(1, 500), more=st.integers(0, 500), frames=st.integers(1, 700))
def test_points_of_an_mlp_block_fill_gather_blocks(gather, more, frames):
    chunks = ChunkSizes(gather_tokens=gather, mlp_tokens=gather + more)
    assert chunks.mlp_points(frames) % chunks.gather_points(frames) == 0
    assert chunks.mlp_points(frames) * frames <= max(chunks.mlp_tokens, frames)


def test_blocks_of_a_gpu_fit_its_attention_kernels():
    assert GPU_CHUNKS.block_tokens < 2**16, "rows of a clip of one frame"


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


def test_displacement_code_takes_turns_of_sine_and_cosine():
    code = displacement_code(torch.tensor([0.01, -0.02]), 64)
    assert code.shape == (130,)
    torch.testing.assert_close(code[2 + 2], torch.tensor(0.01 * 31.25).sin())
    torch.testing.assert_close(code[2 + 3], torch.tensor(0.01 * 31.25).cos())
    torch.testing.assert_close(code[2 + 64 + 2], torch.tensor(-0.02 * 31.25).sin())
