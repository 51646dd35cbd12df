"""How a clip is cut so that it fits into memory, and what it will take.

Nothing that is cut changes the results. The estimate is compared with measured
peaks in benchmarks/trackers/peers.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from ..shared.memory import available_bytes
from .config import (
    CORRELATIONS,
    LEVELS,
    MLP_RATIO,
    NEIGHBOURS,
    RADIUS,
    UPSAMPLED,
    WIDTH,
    AllTrackerConfig,
    grid_size,
    level_sizes,
)
from .encoder import WIDTHS
from .network import Blocks

_FLOAT_BYTES = 4
_INDEX_BYTES = 8
_MIB = 2**20
_SMALLEST = Blocks(encoder_frames=1, frames=1, cells=64, volume_cells=256)
_CPU_BLOCKS = Blocks(encoder_frames=1, frames=1, cells=256)
# enough work per kernel to fill a large GPU
_GPU_BLOCKS = Blocks(encoder_frames=16, frames=16, cells=1 << 16)
_CPU_SLACK = 1.1
_RESULT_BYTES = 33  # of a point in a frame: positions, scores, what `Tracks` holds of them


@dataclass(frozen=True)
class Workload:
    """What is to be tracked.

    Args:
        num_frames: of the clip
        frame_size: (height, width) of the given frames
        model_size: (height, width) of the model's frame
        passes: distinct query frames
        num_points: of all passes together
        query_cells: cells of the feature map that are up-sampled together at most
        backward: whether a second, reversed direction follows
        feature_bytes: of a stored feature, and of a value in a product
    """

    num_frames: int
    frame_size: tuple[int, int]
    model_size: tuple[int, int]
    passes: int
    num_points: int
    query_cells: int
    backward: bool = False
    feature_bytes: int = _FLOAT_BYTES


@dataclass(frozen=True)
class Plan:
    """How one clip is worked through.

    Args:
        blocks: how much is done at once
        keeps_clip: whether the features of all frames stay in memory; passes follow each other then, else they go
            through the clip together
        passes_together: passes that go through the clip together
        estimated_bytes: peak above the loaded model
        budget_bytes: what may be used; None where that is not known
    """

    blocks: Blocks
    keeps_clip: bool
    passes_together: int
    estimated_bytes: int
    budget_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, for reports."""
        return {
            "encoder_frames": self.blocks.encoder_frames,
            "block_frames": self.blocks.frames,
            "attended_cells": self.blocks.cells,
            "volume_cells": self.blocks.volume_cells,
            "keeps_volumes": self.blocks.keeps_volumes,
            "keeps_clip": self.keeps_clip,
            "passes_together": self.passes_together,
            "estimated_mb": round(self.estimated_bytes / _MIB),
            "budget_mb": None if self.budget_bytes is None else round(self.budget_bytes / _MIB),
        }


def make_plan(config: AllTrackerConfig, work: Workload, device: torch.device, budget_bytes: int | None) -> Plan:
    """Chooses the fastest way that fits a budget.

    Args:
        config: of the model
        work: what is to be tracked
        device: where it runs
        budget_bytes: memory above the model; None = what is free

    Returns:
        the plan; where even the smallest exceeds the budget, that one
    """
    budget = available_bytes(device) if budget_bytes is None else budget_bytes
    plan = None
    for plan in _plans(config, work, device):
        if budget is None or plan.estimated_bytes <= budget:
            break
    assert plan is not None
    return replace(plan, budget_bytes=budget)


def least_bytes(config: AllTrackerConfig, work: Workload, device: torch.device) -> int:
    """What the smallest plan needs; it hardly grows with the number of query frames."""
    return min(plan.estimated_bytes for plan in _plans(config, work, device))


def smaller_plan(config: AllTrackerConfig, work: Workload, device: torch.device, failed: Plan) -> Plan | None:
    """A plan for half of what one needed with which memory ran out; None where there is no smaller one."""
    budget = failed.estimated_bytes if failed.budget_bytes is None else min(failed.budget_bytes, failed.estimated_bytes)
    plan = make_plan(config, work, device, budget // 2)
    return None if replace(plan, budget_bytes=failed.budget_bytes) == failed else plan


def _plans(config: AllTrackerConfig, work: Workload, device: torch.device) -> Iterator[Plan]:
    """Plans from the fastest to the smallest: each step costs more time than the one before."""
    rows, columns = grid_size(work.model_size)
    blocks = _CPU_BLOCKS if device.type == "cpu" else _GPU_BLOCKS
    blocks = replace(blocks, volume_cells=rows * columns, cells=min(blocks.cells, rows * columns))
    # only backwards, or for the next pass, is a frame needed again that the window has left
    keeps_clip = work.backward or work.passes > 1

    def plan(keeps_clip: bool, passes: int) -> Plan:
        needed = estimate_bytes(config, work, device, blocks, keeps_clip, passes)
        return Plan(blocks, keeps_clip, passes, needed, None)

    yield plan(keeps_clip, work.passes)
    while blocks.frames > _CPU_BLOCKS.frames:
        blocks = blocks.halved(_CPU_BLOCKS)
        blocks = replace(blocks, volume_cells=rows * columns)
        yield plan(keeps_clip, work.passes)
    yield plan(False, work.passes)
    blocks = replace(blocks, keeps_volumes=False)
    yield plan(False, work.passes)
    while blocks != blocks.halved(_SMALLEST):
        blocks = blocks.halved(_SMALLEST)
        yield plan(False, work.passes)
    passes = work.passes
    while passes > 1:
        passes = -(-passes // 2)
        yield plan(False, passes)


def estimate_bytes(
    config: AllTrackerConfig,
    work: Workload,
    device: torch.device,
    blocks: Blocks,
    keeps_clip: bool,
    passes_together: int,
) -> int:
    """Peak memory of a run above the loaded model.

    Args:
        config: of the model
        work: what is to be tracked
        device: where it runs
        blocks: how much is done at once
        keeps_clip: as of `Plan`
        passes_together: as of `Plan`

    Returns:
        bytes
    """
    rows, columns = grid_size(work.model_size)
    cells = rows * columns
    window = config.window if work.num_frames > 2 else 1
    seen = min(window, work.num_frames)
    map_bytes = cells * config.feature_dim * work.feature_bytes
    stored = work.num_frames if keeps_clip else min(window + 1 + blocks.encoder_frames, work.num_frames)
    # a pass that has begun keeps its anchor, the context, and what the last window said
    begun = 1 if keeps_clip else passes_together
    state = window * cells * 4 * _FLOAT_BYTES
    started = begun * ((0 if keeps_clip else map_bytes) + 2 * cells * WIDTH * _FLOAT_BYTES + state)
    results = work.num_frames * work.num_points * _RESULT_BYTES
    encoding = _encoder_bytes(config, work, blocks)
    refining = window * cells * WIDTH * _FLOAT_BYTES + 2 * state
    refining += max(_block_bytes(config, work, blocks, window, cells))
    if blocks.keeps_volumes:
        refining += seen * cells * _volume_cells((rows, columns)) * work.feature_bytes
    total = stored * map_bytes + started + results + max(encoding, refining)
    if device.type == "cpu":
        # blocks of these sizes stay with the process when they are freed, and not all of them can be used again
        total += min(encoding, refining) // 2
        if not keeps_clip and (work.backward or passes_together < work.passes):
            total += stored * map_bytes  # of the round before
        total *= _CPU_SLACK
    return int(total)


def _volume_cells(grid: tuple[int, int]) -> int:
    return sum(rows * columns for rows, columns in level_sizes(grid))


def _encoder_bytes(config: AllTrackerConfig, work: Workload, blocks: Blocks) -> int:
    """Temporary memory of encoding some frames."""
    given = 3 * work.frame_size[0] * work.frame_size[1] * (2 + _FLOAT_BYTES)
    rows, columns = grid_size(work.model_size)
    cells = rows * columns
    pixels = 3 * cells * UPSAMPLED * _FLOAT_BYTES * 3  # resized, normalised, padded
    if config.encoder == "convnext":
        # the first and the last stage have as many values in their hidden layers: 4 x 96 in 4 cells, 4 x 384 in one
        stage = cells * WIDTHS[-1] * (2 * MLP_RATIO * work.feature_bytes + 4 * _FLOAT_BYTES)
        return blocks.encoder_frames * (given + pixels + stage)
    stage = 64 * 16 * cells * work.feature_bytes * 6.5  # maps of half the frame's size that are alive together
    alone = stage  # frame by frame on a CPU
    return int(blocks.encoder_frames * (given + pixels) + alone * (blocks.encoder_frames if blocks.frames > 1 else 1))


def _block_bytes(config: AllTrackerConfig, work: Workload, blocks: Blocks, window: int, cells: int) -> Iterator[float]:
    """Temporary memory of each kind of block; only one kind is alive at a time."""
    value = work.feature_bytes
    frames = min(blocks.frames, window)
    grid = grid_size(work.model_size)
    together = 0 if blocks.keeps_volumes else min(blocks.volume_cells, cells)  # kept ones are counted elsewhere
    read = LEVELS * (2 * RADIUS + 2) ** 2  # values that are gathered for a cell
    reading = frames * cells * read * (_INDEX_BYTES + 3 * value)
    pyramid = 2 * _volume_cells(grid) * config.feature_dim * value
    yield reading + pyramid + together * _volume_cells(grid) * value
    yield frames * cells * (CORRELATIONS + 2 * 512 + 192) * value  # motion encoder
    yield frames * cells * WIDTH * (2 * MLP_RATIO * value + 4 * _FLOAT_BYTES)  # space
    yield window * min(blocks.cells, cells) * WIDTH * (2 * MLP_RATIO * value + 6 * _FLOAT_BYTES)  # time
    yield frames * cells * WIDTH * (4 * value + 2 * _FLOAT_BYTES)  # heads
    upsampled = NEIGHBOURS * WIDTH * _FLOAT_BYTES + NEIGHBOURS * UPSAMPLED * (value + 2 * _FLOAT_BYTES)
    points = work.num_points * 4 * 4 * 2 * _FLOAT_BYTES  # read from four pixels each
    yield frames * (cells * WIDTH * _FLOAT_BYTES + work.query_cells * upsampled + points)
