"""Memory plans: what is made smaller, in which order, and how running out is met."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.cotracker.network.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.running import memory_plan as plan_module
from point_tracking.tracker.models.cotracker.running.memory_plan import (
    MIN_CHUNKS,
    MIN_WINDOW_FRAMES,
    Workload,
    changes_of_results,
    estimate_bytes,
    least_bytes,
    make_plan,
    smaller_plan,
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
        assert config.mode == "online" or plan.points_per_pass <= config.virtual_tokens
        assert config.mode == "online" or plan.window_frames <= MIN_WINDOW_FRAMES


@settings(deadline=None)
@given(config=CONFIGS, frames=st.integers(1, 2000), points=st.integers(0, 10**6))
def test_what_is_needed_at_least_is_enough(config, frames, points):
    least = least_bytes(config, work(frames, points), CPU)
    assert make_plan(config, work(frames, points), CPU, least).estimated_bytes <= least


@settings(deadline=None)
@given(config=CONFIGS, frames=st.integers(1, 500), points=st.integers(1, 10**4), budget=st.integers(1, 4096))
def test_more_memory_never_means_smaller_pieces(config, frames, points, budget):
    less, more = (make_plan(config, work(frames, points), CPU, size * MIB) for size in (budget, 4 * budget))
    for name, size in less.chunks.to_dict().items():
        assert more.chunks.to_dict()[name] >= size
    # the clip is cut last: a longer window may go with fewer points
    assert (more.window_frames, more.points_per_pass) >= (less.window_frames, less.points_per_pass)


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


@pytest.mark.parametrize("config", [COTRACKER3_OFFLINE, COTRACKER3_ONLINE, COTRACKER2], ids=["offline", "online", "v2"])
@pytest.mark.parametrize("free", [None, 900 * 2**30], ids=["unknown", "plenty"])
def test_plans_shrink_to_the_smallest_though_memory_looks_free(config, free, monkeypatch):
    monkeypatch.setattr(plan_module, "available_bytes", lambda _: free)
    plans = [make_plan(config, work(), CPU, None)]
    while (smaller := smaller_plan(config, work(), CPU, plans[-1])) is not None:
        plans.append(smaller)
    sizes = [plan.estimated_bytes for plan in plans]
    assert sizes == sorted(sizes, reverse=True)
    assert all(after <= before // 2 for before, after in pairwise(sizes[:-2])), "halved, until there is less to halve"
    assert len(plans) <= 8, "as often as is tried"
    assert plans[-1].chunks == MIN_CHUNKS
    if config.mode == "offline":
        assert plans[-1].points_per_pass <= config.virtual_tokens
        assert plans[-1].window_frames == MIN_WINDOW_FRAMES


def test_a_gpu_keeps_templates_while_they_fit():
    plenty = make_plan(COTRACKER3_OFFLINE, work(feature_bytes=2), GPU, 64 * 1024 * MIB)
    assert plenty.stores_templates
    base = estimate_bytes(COTRACKER3_OFFLINE, work(feature_bytes=2), GPU, plenty.chunks, 150, 2500)
    kept = 4 * 49 * 128 * 2 * (2500 + 36)
    assert plenty.estimated_bytes - base == kept, "they are counted"
    tight = make_plan(COTRACKER3_OFFLINE, work(feature_bytes=2), GPU, base)
    assert not tight.stores_templates
    assert tight.chunks == plenty.chunks, "given up before anything else"
    assert not make_plan(COTRACKER3_OFFLINE, work(), CPU, 64 * 1024 * MIB).stores_templates
    assert make_plan(COTRACKER3_OFFLINE, work(), CPU, 800 * MIB).stores_templates, "windows that follow need them"


def test_what_changes_results_is_told():
    whole = make_plan(COTRACKER3_OFFLINE, work(), CPU, 64 * 1024 * MIB)
    assert changes_of_results(COTRACKER3_OFFLINE, work(), whole) == []
    cut = make_plan(COTRACKER3_OFFLINE, work(), CPU, 600 * MIB)
    windows, passes = changes_of_results(COTRACKER3_OFFLINE, work(), cut)
    assert f"150 frames were tracked in overlapping windows of {cut.window_frames}" in windows
    assert f"2500 points were tracked {cut.points_per_pass} at a time" in passes
    assert all("memory_limit_gb" in text for text in (windows, passes))
    dense = work(24, 90_000, max_points_per_pass=4000)
    published = make_plan(COTRACKER3_OFFLINE, dense, CPU, 64 * 1024 * MIB)
    assert changes_of_results(COTRACKER3_OFFLINE, dense, published) == [], (
        "the published model tracks them in passes too"
    )
    long = work(5000, 100)
    streamed = make_plan(COTRACKER3_ONLINE, long, CPU, 64 * 1024 * MIB)
    assert changes_of_results(COTRACKER3_ONLINE, long, streamed) == [], "its windows are the published ones"
