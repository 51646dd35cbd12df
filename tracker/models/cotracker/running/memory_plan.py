"""How a clip is cut so that it fits into memory, and what it will take.

The estimate is compared with measured peaks in benchmarks/trackers/cotracker.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch

from ...shared.memory import available_bytes
from ..network.chunks import ChunkSizes, default_chunks
from ..network.config import CoTrackerConfig
from ..network.guidance import motion_bytes

_FLOAT_BYTES = 4
_INDEX_BYTES = 8
_MIB = 2**20
MIN_CHUNKS = ChunkSizes(encoder_frames=1, gather_tokens=16, mlp_tokens=16, block_tokens=64)
# maps of the encoder's widest stage that are alive together, scratch memory included
_ENCODER_MAPS = 6.5
# windows of the offline model: longer ones track through longer occlusions
MIN_WINDOW_FRAMES = 8
_OVERLAP_SHARE = 4  # windows overlap by a quarter


@dataclass(frozen=True)
class Plan:
    """How one clip is worked through.

    Args:
        chunks: how much is done at once
        window_frames: frames whose features are in memory together; the offline
            model chains windows where these are fewer than the clip has
        overlap: frames shared by successive windows
        points_per_pass: points tracked together
        keeps_clip: whether the features of all frames stay in memory
        stores_templates: whether templates stay in memory from iteration to
            iteration; otherwise they are sampled when they are needed
        estimated_bytes: peak above the loaded model
        budget_bytes: what may be used; None where that is not known
    """

    chunks: ChunkSizes
    window_frames: int
    overlap: int
    points_per_pass: int
    keeps_clip: bool
    stores_templates: bool
    estimated_bytes: int
    budget_bytes: int | None

    def to_dict(self) -> dict[str, Any]:
        """The plan as JSON values, for reports."""
        return {
            **self.chunks.to_dict(),
            "window_frames": self.window_frames,
            "overlap": self.overlap,
            "points_per_pass": self.points_per_pass,
            "keeps_clip": self.keeps_clip,
            "stores_templates": self.stores_templates,
            "estimated_mb": round(self.estimated_bytes / _MIB),
            "budget_mb": None if self.budget_bytes is None else round(self.budget_bytes / _MIB),
        }


@dataclass(frozen=True)
class Workload:
    """What is to be tracked.

    Args:
        num_frames: frames of the clip
        num_points: of all passes together, without support points
        num_support: support points that join every pass
        frame_size: (width, height) of the given frames
        max_points_per_pass: where the published model tracks in passes (dense)
        backward: whether a second, reversed pass will follow
        feature_bytes: of one stored feature value
    """

    num_frames: int
    num_points: int
    num_support: int
    frame_size: tuple[int, int]
    max_points_per_pass: int | None = None
    backward: bool = False
    feature_bytes: int = _FLOAT_BYTES


def make_plan(config: CoTrackerConfig, work: Workload, device: torch.device, budget_bytes: int | None) -> Plan:
    """Chooses sizes that fit a budget.

    Blocks are made smaller first, which costs little; then the points are split
    into passes; last, the offline model's clip into windows.

    Args:
        config: sizes of the model
        work: what is to be tracked
        device: where it runs
        budget_bytes: memory above the model; None = what is free

    Returns:
        the plan; where even the smallest exceeds the budget, that one
    """
    budget = available_bytes(device) if budget_bytes is None else budget_bytes
    chunks = default_chunks(device)
    window = work.num_frames if config.mode == "offline" else min(config.window, work.num_frames)
    points = min(work.max_points_per_pass or work.num_points, work.num_points)
    # sampled again in every block, they cost a CPU next to nothing, and a GPU many small kernels
    stores_templates = config.mode == "online" or device.type != "cpu"

    def bytes_needed(points_per_pass: int | None = None) -> int:
        together = points if points_per_pass is None else points_per_pass
        return estimate_bytes(config, work, device, chunks, window, together, stores_templates)

    if budget is not None:
        if config.mode == "offline" and bytes_needed() > budget:
            stores_templates = False
        while bytes_needed() > budget and chunks != chunks.halved(MIN_CHUNKS):
            chunks = chunks.halved(MIN_CHUNKS)
        # a pass with few points still gains from its virtual tokens being shared
        choices = [points]
        while choices[-1] > config.virtual_tokens:
            choices.append(-(-choices[-1] // 2))
        fitting = [number for number in choices if bytes_needed(number) <= budget]
        # more passes are not always less: in windows, each keeps the templates of its own support points
        points = fitting[0] if fitting else min(choices, key=lambda number: (bytes_needed(number), number))
        while config.mode == "offline" and bytes_needed() > budget and window > MIN_WINDOW_FRAMES:
            window = max(window // 2, MIN_WINDOW_FRAMES)
        if bytes_needed() > budget:
            least, (smallest_window, smallest_points) = _smallest(config, work, device)
            if least <= budget:  # one step at a time did not lead there
                window, points, stores_templates = smallest_window, smallest_points, False
    overlap = config.step if config.mode == "online" else max(window // _OVERLAP_SHARE, 1)
    needed = bytes_needed()
    keeps_clip = window >= work.num_frames
    stores_templates = stores_templates or not keeps_clip  # windows that come later have no other way to them
    if config.mode == "online" and work.backward and not keeps_clip:
        # backwards the same features are needed again: kept, they are encoded once
        rest = (work.num_frames - window) * _pyramid_bytes(config, work.feature_bytes)
        if budget is None or needed + rest <= budget:
            keeps_clip, needed = True, needed + rest
    return Plan(chunks, window, overlap, max(points, 1), keeps_clip, stores_templates, needed, budget)


def least_bytes(config: CoTrackerConfig, work: Workload, device: torch.device) -> int:
    """What the smallest plan needs."""
    return _smallest(config, work, device)[0]


def _smallest(config: CoTrackerConfig, work: Workload, device: torch.device) -> tuple[int, tuple[int, int]]:
    """The least bytes that any plan needs, and its frames in a window and points in a pass."""
    windows = [work.num_frames if config.mode == "offline" else min(config.window, work.num_frames)]
    while config.mode == "offline" and windows[-1] > MIN_WINDOW_FRAMES:
        windows.append(max(windows[-1] // 2, MIN_WINDOW_FRAMES))
    points = [min(work.max_points_per_pass or work.num_points, work.num_points)]
    while points[-1] > config.virtual_tokens:
        points.append(-(-points[-1] // 2))
    return min(
        (estimate_bytes(config, work, device, MIN_CHUNKS, window, number), (window, number))
        for window in windows
        for number in points
    )


def smaller_plan(config: CoTrackerConfig, work: Workload, device: torch.device, failed: Plan) -> Plan | None:
    """A plan for half of what one needed with which memory ran out; None where there is no smaller one."""
    budget = failed.estimated_bytes if failed.budget_bytes is None else min(failed.budget_bytes, failed.estimated_bytes)
    plan = make_plan(config, work, device, budget // 2)
    return None if replace(plan, budget_bytes=failed.budget_bytes) == failed else plan


def changes_of_results(config: CoTrackerConfig, work: Workload, plan: Plan) -> list[str]:
    """Where a plan, to save memory, tracks otherwise than the published model; in words, for the user."""
    advice = "For the model's full accuracy allow more memory (memory_limit_gb), or track fewer points"
    changes = []
    if config.mode == "offline" and plan.window_frames < work.num_frames:
        changes.append(
            f"to fit into memory, the {work.num_frames} frames were tracked in overlapping windows of "
            f"{plan.window_frames}: points hidden for longer may be lost. {advice} or a shorter clip"
        )
    if plan.points_per_pass < min(work.max_points_per_pass or work.num_points, work.num_points):
        changes.append(
            f"to fit into memory, the {work.num_points} points were tracked {plan.points_per_pass} at a time: "
            f"points of different passes do not help each other. {advice}"
        )
    return changes


def estimate_bytes(
    config: CoTrackerConfig,
    work: Workload,
    device: torch.device,
    chunks: ChunkSizes,
    window_frames: int,
    points_per_pass: int,
    stores_templates: bool = False,
) -> int:
    """Peak memory of a run above the loaded model.

    Args:
        config: sizes of the model
        work: what is to be tracked
        device: where it runs
        chunks: how much is done at once
        window_frames: frames whose features are stored
        points_per_pass: points tracked together
        stores_templates: as of `Plan`, for a single window

    Returns:
        bytes
    """
    points = points_per_pass + work.num_support
    passes = -(-work.num_points // max(points_per_pass, 1))
    tokens_t = window_frames if config.mode == "offline" else config.window
    windowed = window_frames < work.num_frames
    # a store of windows has room for the frames that come next, beside those still needed
    stored_frames = window_frames + (min(chunks.encoder_frames, window_frames) if windowed else 0)
    maps = stored_frames * _pyramid_bytes(config, work.feature_bytes)
    template_values = config.levels * config.neighbourhood if config.version == 3 else 1
    templates = points * template_values * config.feature_dim * work.feature_bytes
    # every pass keeps its templates from window to window; a chain copies those of the points it has come to;
    if config.mode == "online":
        templates *= passes
    elif windowed:
        templates *= passes + 1
    elif not stores_templates:
        templates = 0
    tokens = (points + 3 * config.virtual_tokens) * tokens_t * config.width * _FLOAT_BYTES
    states = points * tokens_t * 24 * _FLOAT_BYTES
    if config.version == 2:
        states += points * tokens_t * (config.token_dim + 6 * config.feature_dim) * _FLOAT_BYTES
    results = work.num_frames * work.num_points * 4 * _FLOAT_BYTES * (2 if work.backward else 1)
    encoding = _encoder_bytes(config, work, device, chunks)
    refining = tokens + states + max(_block_bytes(config, work, chunks, points, tokens_t))
    if not windowed:
        return int(maps + results + _one_after_the_other(encoding, templates + refining, device))
    return int(maps + results + templates + _one_after_the_other(encoding, refining, device))


def _one_after_the_other(first: float, second: float, device: torch.device) -> float:
    """Peak of two stages that follow each other."""
    if device.type == "cpu":
        # blocks of these sizes stay with the process when they are freed, and about half of them cannot be used again
        return max(first, second) + min(first, second) / 2
    return max(first, second)


def _pyramid_bytes(config: CoTrackerConfig, feature_bytes: int) -> int:
    """Of the maps of a frame, with the motion beside them."""
    height, width = config.grid_size
    cells = sum((height >> level) * (width >> level) for level in range(config.levels))
    return cells * config.feature_dim * feature_bytes + motion_bytes(config)


def _encoder_bytes(config: CoTrackerConfig, work: Workload, device: torch.device, chunks: ChunkSizes) -> int:
    height, width = config.resolution
    together = 1 if device.type == "cpu" else chunks.encoder_frames
    # convolutions have the precision of the features that are kept
    stage = config.encoder_widths[0] * (height // 2) * (width // 2) * work.feature_bytes * _ENCODER_MAPS
    given = 3 * work.frame_size[0] * work.frame_size[1] * (2 + _FLOAT_BYTES)
    resized = 3 * height * width * _FLOAT_BYTES * 3
    fresh = _pyramid_bytes(config, _FLOAT_BYTES)
    return int(together * stage + chunks.encoder_frames * (given + resized + fresh))


def _block_bytes(
    config: CoTrackerConfig, work: Workload, chunks: ChunkSizes, points: int, frames: int
) -> Iterator[int]:
    """Temporary memory of each kind of block; only one kind is alive at a time."""
    tokens = points * frames
    cells = (2 * config.radius + 2) ** 2
    template = config.neighbourhood if config.version == 3 else 1
    gather = cells * (config.feature_dim * work.feature_bytes + 2 * _INDEX_BYTES + 3 * template * _FLOAT_BYTES)
    volume = config.levels * config.neighbourhood * template * _FLOAT_BYTES
    hidden = 2 * config.levels * config.corr_hidden * _FLOAT_BYTES + 4 * config.width * _FLOAT_BYTES
    yield min(chunks.gather_tokens, tokens) * gather + min(chunks.mlp_tokens, tokens) * (volume + hidden)
    block = (2 * config.mlp_ratio + 6) * config.width * _FLOAT_BYTES
    context = 3 * config.width * _FLOAT_BYTES * max(points, min(chunks.block_tokens, tokens))
    yield min(max(chunks.block_tokens, frames), tokens) * block + context
