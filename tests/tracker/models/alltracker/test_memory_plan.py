"""Memory plans: what is given up, in which order, and that it never ends before the smallest."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.alltracker import memory_plan as plan_module
from point_tracking.tracker.models.alltracker.config import ALLTRACKER, ALLTRACKER_TINY
from point_tracking.tracker.models.alltracker.memory_plan import Workload, least_bytes, make_plan, smaller_plan

CPU, GPU = torch.device("cpu"), torch.device("cuda")
MIB = 2**20
SIZES = st.sampled_from([(384, 512), (65, 65), (768, 1024), (100, 1000)])
WORKS = st.builds(
    Workload,
    num_frames=st.integers(1, 3000),
    frame_size=st.sampled_from([(720, 1280), (1, 1)]),
    model_size=SIZES,
    passes=st.integers(1, 60),
    num_points=st.integers(0, 10**5),
    query_cells=st.integers(0, 3000),
    backward=st.booleans(),
    feature_bytes=st.sampled_from([2, 4]),
)
CONFIGS, DEVICES = st.sampled_from([ALLTRACKER, ALLTRACKER_TINY]), st.sampled_from([CPU, GPU])


def work(**more) -> Workload:
    return Workload(**{**{"num_frames": 50, "frame_size": (720, 1280), "model_size": (384, 512), "passes": 1,
                          "num_points": 400, "query_cells": 1600}, **more})  # fmt: skip


@given(config=CONFIGS, work=WORKS, device=DEVICES, budget=st.integers(1, 64 * 1024))
def test_plans_keep_to_the_budget_or_are_the_smallest(config, work, device, budget):
    plan = make_plan(config, work, device, budget * MIB)
    if plan.estimated_bytes > budget * MIB:
        blocks = plan.blocks
        assert (blocks.encoder_frames, blocks.frames, blocks.cells, blocks.volume_cells) == (1, 1, 64, 256)
        assert not blocks.keeps_volumes
        assert (plan.keeps_clip, plan.passes_together) == (False, 1)


@given(config=CONFIGS, work=WORKS, device=DEVICES)
def test_what_is_needed_at_least_is_enough_and_hardly_grows_with_the_query_frames(config, work, device):
    least = least_bytes(config, work, device)
    assert make_plan(config, work, device, least).estimated_bytes <= least
    one, many = (least_bytes(config, replace(work, passes=passes), device) for passes in (1, 1000))
    assert many <= 2 * one, "passes follow each other where they do not fit together"


@given(config=CONFIGS, work=WORKS, device=DEVICES, free=st.sampled_from([None, 900 * 2**30]))
def test_plans_shrink_to_the_smallest_though_memory_looks_free(config, work, device, free):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan_module, "available_bytes", lambda _: free)
        plans = [make_plan(config, work, device, None)]
        while (smaller := smaller_plan(config, work, device, plans[-1])) is not None:
            plans.append(smaller)
            assert len(plans) < 40
    assert plans[-1].blocks.cells == 64
    assert plans[-1].passes_together == 1


@given(config=CONFIGS, work=WORKS, budget=st.integers(1, 4096))
def test_more_memory_never_means_smaller_pieces(config, work, budget):
    less, more = (make_plan(config, work, GPU, size * MIB) for size in (budget, 4 * budget))
    for name in ("encoder_frames", "frames", "cells", "volume_cells", "keeps_volumes"):
        assert getattr(more.blocks, name) >= getattr(less.blocks, name)
    assert more.keeps_clip >= less.keeps_clip
    assert more.passes_together >= less.passes_together


def test_a_clip_is_kept_only_where_its_frames_are_needed_again():
    plenty = 64 * 1024 * MIB
    assert not make_plan(ALLTRACKER, work(), CPU, plenty).keeps_clip
    assert make_plan(ALLTRACKER, work(backward=True), CPU, plenty).keeps_clip
    assert make_plan(ALLTRACKER, work(passes=3), CPU, plenty).keeps_clip


def test_memory_does_not_grow_with_the_video_beyond_its_results():
    short, long = (make_plan(ALLTRACKER, work(num_frames=n), CPU, 8 * 1024 * MIB) for n in (100, 10_000))
    assert long.estimated_bytes - short.estimated_bytes <= 9900 * 400 * 40


def test_volumes_go_before_the_passes_are_parted():
    plans = [make_plan(ALLTRACKER, work(passes=8), CPU, size * MIB) for size in (8192, 900, 300, 60)]
    assert [plan.keeps_clip for plan in plans] == [True, False, False, False]
    assert [plan.blocks.keeps_volumes for plan in plans] == [True, False, False, False]
    assert [plan.passes_together for plan in plans] == [8, 8, 8, 1]


def test_a_plan_is_reported_as_json_values():
    report = make_plan(ALLTRACKER, work(), CPU, 2 * 1024 * MIB).to_dict()
    assert report["budget_mb"] == 2048
    assert all(isinstance(value, int) for value in report.values())
