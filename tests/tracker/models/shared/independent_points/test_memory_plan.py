"""Memory plans: what is given up, in which order, and that it never ends before the smallest."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE
from point_tracking.tracker.models.locotrack.tracker import costs_of as costs_of_locotrack
from point_tracking.tracker.models.shared.independent_points.memory_plan import (
    Workload,
    least_bytes,
    make_plan,
    smaller_plan,
)
from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, BOOTSTAPIR_ONLINE
from point_tracking.tracker.models.tapir.tracker import costs_of as costs_of_tapir

MIB = 2**20
NETWORKS = {
    "bootstapir": costs_of_tapir(BOOTSTAPIR),
    "online": costs_of_tapir(BOOTSTAPIR_ONLINE),
    "locotrack": costs_of_locotrack(LOCOTRACK_BASE),
}
COSTS, DEVICES = st.sampled_from(sorted(NETWORKS)), st.sampled_from([torch.device("cpu"), torch.device("cuda")])
WORKS = st.builds(
    Workload,
    num_frames=st.integers(1, 3000),
    num_points=st.integers(0, 10**5),
    frame_size=st.sampled_from([(720, 1280), (1, 1)]),
    sizes=st.sampled_from([[(256, 256)], [(256, 256), (384, 512)]]),
    iterations=st.integers(1, 6),
    map_bytes=st.sampled_from([2, 4]),
)


@given(costs=COSTS, work=WORKS, device=DEVICES, budget=st.integers(1, 64 * 1024))
def test_plans_keep_to_the_budget_or_are_the_smallest(costs, work, device, budget):
    plan = make_plan(NETWORKS[costs], work, device, budget * MIB)
    if plan.estimated_bytes > budget * MIB:
        while plan is not None:
            assert plan.estimated_bytes > budget * MIB
            plan = smaller_plan(NETWORKS[costs], work, device, plan)


@given(costs=COSTS, work=WORKS, device=DEVICES)
def test_what_is_needed_at_least_is_enough(costs, work, device):
    least = least_bytes(NETWORKS[costs], work, device)
    assert make_plan(NETWORKS[costs], work, device, least).estimated_bytes == least


@given(costs=COSTS, work=WORKS, device=DEVICES)
def test_plans_shrink_to_the_smallest(costs, work, device):
    plans = [make_plan(NETWORKS[costs], work, device, 900 * 1024 * MIB)]
    while (smaller := smaller_plan(NETWORKS[costs], work, device, plans[-1])) is not None:
        plans.append(smaller)
        assert len(plans) < 60
    assert (plans[-1].encoder_frames, plans[-1].points, plans[-1].block) == (1, 1, 16)


def test_only_a_network_that_remembers_lets_the_clip_go():
    work = Workload(3000, 400, (720, 1280), [(256, 256)], 4)
    kept = {
        name: make_plan(costs, work, torch.device("cpu"), 2048 * MIB).keeps_clip for name, costs in NETWORKS.items()
    }
    assert kept == {"bootstapir": True, "online": False, "locotrack": True}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_plan_is_reported_as_json_values(name):
    work = Workload(50, 400, (720, 1280), [(256, 256)], 4)
    report = make_plan(NETWORKS[name], work, torch.device("cpu"), 2048 * MIB).to_dict()
    assert report["budget_mb"] == 2048
    assert all(isinstance(value, int) for value in report.values())
