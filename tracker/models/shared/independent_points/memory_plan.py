"""How a clip is cut so that it fits into memory, and what it will take.

Nothing that is cut changes the results. The maps of all frames stay, as every point
may be given in any of them; only a network that remembers what it needs of earlier
frames can let them go. The estimate is compared with measured peaks in
benchmarks/trackers/peers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..memory import available_bytes
from .model_sizes import Size

_FLOAT_BYTES = 4
_RESULT_BYTES = 60
"""Of a point in a frame: positions, logits and scores, and what `Tracks` holds of them."""
_MIB = 2**20
# of what is freed, a process keeps some that cannot be used again; libraries set themselves up
_CPU_SLACK, _CPU_BASE_BYTES = 1.3, 15 * _MIB
_SMALLEST_BLOCK = 1 << 4


@dataclass(frozen=True)
class Costs:
    """What a network takes; values are float32, operations are multiply + add = 2.

    Args:
        map_values: stored per pixel of a frame
        encoder_values: alive per pixel of a frame while it is encoded
        point_values: of a point, such as its templates
        token_values: alive per point and frame while these are refined
        block_values: alive per point and frame of a block, while their surroundings are read
        pair_values: alive per pair of frames
        state_values: remembered of a point from frame to frame, per size and iteration; None = frames need later ones
        encoder_flops: per pixel of a frame
        start_flops: of a point in a frame, once
        refine_flops: of a point in a frame, per iteration
    """

    map_values: float
    encoder_values: float
    point_values: float
    token_values: float
    block_values: float
    pair_values: float
    encoder_flops: float
    start_flops: float
    refine_flops: float
    state_values: float | None = None


@dataclass(frozen=True)
class Workload:
    """What is to be tracked.

    Args:
        num_frames: of the clip
        num_points: of all query frames together
        frame_size: (height, width) of the given frames
        sizes: (height, width) in which the network looks at them
        iterations: refinements in each
        map_bytes: of a stored value
    """

    num_frames: int
    num_points: int
    frame_size: Size
    sizes: Sequence[Size]
    iterations: int
    map_bytes: int = _FLOAT_BYTES


@dataclass(frozen=True)
class Plan:
    """How one clip is worked through.

    Args:
        encoder_frames: encoded together
        points: tracked together
        block: points x frames whose surroundings are read at once
        keeps_clip: whether the maps of all frames stay; else points go through the clip frame by frame
        estimated_bytes: peak above the loaded model
        budget_bytes: what may be used; None where that is not known
    """

    encoder_frames: int
    points: int
    block: int
    keeps_clip: bool = True
    estimated_bytes: int = 0
    budget_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, for reports."""
        return {
            "encoder_frames": self.encoder_frames,
            "points_together": self.points,
            "block": self.block,
            "keeps_clip": self.keeps_clip,
            "estimated_mb": round(self.estimated_bytes / _MIB),
            "budget_mb": None if self.budget_bytes is None else round(self.budget_bytes / _MIB),
        }


def make_plan(costs: Costs, work: Workload, device: torch.device, budget_bytes: int | None) -> Plan:
    """Chooses the fastest way that fits a budget.

    Args:
        costs: of the network
        work: what is to be tracked
        device: where it runs
        budget_bytes: memory above the model; None = what is free

    Returns:
        the plan; where even the smallest exceeds the budget, that one
    """
    budget = available_bytes(device) if budget_bytes is None else budget_bytes
    plans = _plans(costs, work, device)
    fitting = (plan for plan in plans if budget is None or plan.estimated_bytes <= budget)
    plan = next(fitting, None) or min(plans, key=lambda plan: plan.estimated_bytes)
    return replace(plan, budget_bytes=budget)


def least_bytes(costs: Costs, work: Workload, device: torch.device) -> int:
    """What the smallest plan needs."""
    return min(plan.estimated_bytes for plan in _plans(costs, work, device))


def smaller_plan(costs: Costs, work: Workload, device: torch.device, failed: Plan) -> Plan | None:
    """The next plan after one with which memory ran out; None where there is no smaller one."""
    plans = [replace(plan, budget_bytes=failed.budget_bytes) for plan in _plans(costs, work, device)]
    following = plans[plans.index(failed) + 1 :]
    return following[0] if following else None


def _plans(costs: Costs, work: Workload, device: torch.device) -> list[Plan]:
    """Plans from the fastest to the smallest."""
    on_cpu = device.type == "cpu"
    # on a CPU what is worked on stays in its caches; a large GPU is filled
    frames, tokens, block = (1, 1 << 10, 1 << 7) if on_cpu else (8, 1 << 17, 1 << 14)
    ways = [True] if costs.state_values is None else [True, False]
    plans = []
    for keeps_clip in ways:
        points = min(tokens // max(work.num_frames, 1), work.num_points) if keeps_clip else work.num_points
        plan = Plan(frames, max(points, 1), block, keeps_clip)
        plans.append(plan)
        while (smaller := _halved(plan)) != plan:
            plan = smaller
            plans.append(plan)
    return [replace(plan, estimated_bytes=estimate_bytes(costs, work, device, plan)) for plan in plans]


def _halved(plan: Plan) -> Plan:
    """Half of every size of a plan, but not below the least."""
    return replace(
        plan,
        encoder_frames=max(plan.encoder_frames // 2, 1),
        points=max(plan.points // 2, 1),
        block=max(plan.block // 2, _SMALLEST_BLOCK),
    )


def estimate_bytes(costs: Costs, work: Workload, device: torch.device, plan: Plan) -> int:
    """Peak memory of a run above the loaded model.

    Args:
        costs: of the network
        work: what is to be tracked
        device: where it runs
        plan: how it is worked through
    """
    pixels = [height * width for height, width in work.sizes]
    stored_frames = work.num_frames if plan.keeps_clip else 2 * plan.encoder_frames
    maps = stored_frames * sum(pixels) * costs.map_values * work.map_bytes
    results = work.num_frames * work.num_points * _RESULT_BYTES
    given = work.frame_size[0] * work.frame_size[1] * 3 * (2 + 2 * _FLOAT_BYTES)
    encoding = plan.encoder_frames * (given + max(pixels) * costs.encoder_values * _FLOAT_BYTES)
    points = min(plan.points, max(work.num_points, 1))
    refined_frames = work.num_frames if plan.keeps_clip else plan.encoder_frames
    tokens = points * refined_frames
    refining = points * costs.point_values + tokens * costs.token_values
    refining += min(plan.block, tokens) * costs.block_values + refined_frames**2 * costs.pair_values
    if not plan.keeps_clip:
        # of all points that go through the clip together; twice while it is renewed
        refining += 2 * points * (costs.state_values or 0) * work.iterations * len(work.sizes)
        refining += work.num_points * costs.point_values
    total = maps + results + max(encoding, refining * _FLOAT_BYTES)
    return int(total * _CPU_SLACK) + _CPU_BASE_BYTES if device.type == "cpu" else int(total)
