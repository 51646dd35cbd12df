"""Memory plans: what is made smaller, in which order, and how running out is met."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.cotracker.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.plan import (
    MIN_WINDOW_FRAMES,
    Plan,
    Workload,
    available_bytes,
    estimate_bytes,
    is_out_of_memory,
    make_plan,
    run_within_memory,
)

CPU, GPU = torch.device("cpu"), torch.device("cuda")
CONFIGS = st.sampled_from([COTRACKER3_OFFLINE, COTRACKER3_ONLINE, COTRACKER2])
MIB = 2**20


def work(num_frames=150, num_points=2500, **more) -> Workload:
    return Workload(num_frames, num_points, 36, (1280, 720), **more)


@settings(deadline=None)
@given(
    config=CONFIGS,
    frames=st.integers(1, 2000),
    points=st.integers(0, 10**6),
    budget=st.integers(1, 64 * 1024).map(lambda mib: mib * MIB),
)
def test_plans_keep_to_the_budget_or_are_the_smallest(config, frames, points, budget):
    plan = make_plan(config, work(frames, points), CPU, budget)
    assert 1 <= plan.window_frames <= max(frames, 1)
    assert plan.points_per_pass >= 1
    assert plan.overlap < max(plan.window_frames, 2) or config.mode == "online"
    if plan.estimated_bytes > budget:
        assert plan.chunks.block_tokens == 64
        assert plan.points_per_pass <= max(config.virtual_tokens, 1)
        assert config.mode == "online" or plan.window_frames <= MIN_WINDOW_FRAMES


@settings(deadline=None)
@given(config=CONFIGS, frames=st.integers(1, 500), points=st.integers(1, 10**4), budget=st.integers(1, 4096))
def test_more_memory_never_means_smaller_pieces(config, frames, points, budget):
    less, more = (make_plan(config, work(frames, points), CPU, size * MIB) for size in (budget, 4 * budget))
    for name, size in less.chunks.to_dict().items():
        assert more.chunks.to_dict()[name] >= size
    assert more.window_frames >= less.window_frames
    assert more.points_per_pass >= less.points_per_pass


def test_blocks_shrink_before_points_are_split_and_clips_cut():
    plenty = make_plan(COTRACKER3_OFFLINE, work(), CPU, 100 * 1024 * MIB)
    assert (plenty.window_frames, plenty.points_per_pass) == (150, 2500)
    base = estimate_bytes(COTRACKER3_OFFLINE, work(), CPU, plenty.chunks, 150, 2500)
    blocks = make_plan(COTRACKER3_OFFLINE, work(), CPU, base - 10 * MIB)
    assert blocks.chunks != plenty.chunks
    assert (blocks.window_frames, blocks.points_per_pass) == (150, 2500)
    points = make_plan(COTRACKER3_OFFLINE, work(), CPU, 1800 * MIB)
    assert points.window_frames == 150
    assert points.points_per_pass < 2500
    clips = make_plan(COTRACKER3_OFFLINE, work(), CPU, 800 * MIB)
    assert clips.window_frames < 150


def test_published_goals_of_memory_are_planned():
    lean = make_plan(COTRACKER3_OFFLINE, Workload(8, 2500, 0, (512, 384)), CPU, None)
    assert lean.estimated_bytes < 200 * MIB
    large = make_plan(COTRACKER3_OFFLINE, work(150, 2500, feature_bytes=2), GPU, 141 * 1024 * MIB)
    assert large.estimated_bytes < 4096 * MIB
    assert (large.window_frames, large.points_per_pass) == (150, 2500)


def test_online_memory_does_not_grow_with_the_video_beyond_its_results():
    short, long = (make_plan(COTRACKER3_ONLINE, work(frames, 100), CPU, 8 * 1024 * MIB) for frames in (100, 10_000))
    assert long.estimated_bytes - short.estimated_bytes == 9900 * 100 * 16


def test_dense_passes_are_the_published_ones_at_most():
    plan = make_plan(COTRACKER3_OFFLINE, work(24, 90_000, max_points_per_pass=4000), CPU, 64 * 1024 * MIB)
    assert plan.points_per_pass == 4000


def test_a_plan_is_reported_as_json_values():
    report = make_plan(COTRACKER3_OFFLINE, work(), CPU, 2 * 1024 * MIB).to_dict()
    assert report["budget_mb"] == 2048
    assert all(isinstance(value, int) for value in report.values())


def test_free_memory_is_found():
    found = available_bytes(CPU)
    assert found is None or 10 * MIB < found < 2**50


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (MemoryError(), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("shape mismatch"), False),
        (ValueError("can't allocate memory"), False),
    ],
)
def test_running_out_of_memory_is_recognised(error, expected):
    assert is_out_of_memory(error) is expected


def test_halving_goes_on_until_it_fits_or_attempts_end():
    first = make_plan(COTRACKER3_OFFLINE, work(), CPU, 4096 * MIB)

    def plan_for(attempt: int) -> Plan:
        return dataclasses.replace(first, window_frames=100 >> attempt)

    def run(plan: Plan) -> int:
        if plan.window_frames > 30:
            raise MemoryError
        return plan.window_frames

    assert run_within_memory(plan_for, run) == (25, plan_for(2))
    with pytest.raises(MemoryError):
        run_within_memory(plan_for, run, attempts=2)
