"""How a clip is cut so that it fits into memory, and what it will take.

The estimate is compared with measured peaks in benchmarks/cotracker.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from .chunks import ChunkSizes, default_chunks
from .config import CoTrackerConfig

T = TypeVar("T")

_FLOAT_BYTES = 4
_INDEX_BYTES = 8
_MIB = 2**20
_FREE_SHARE = 0.8  # of the free memory that a plan may use
_MIN_CHUNKS = ChunkSizes(encoder_frames=1, gather_tokens=16, mlp_tokens=16, block_tokens=64)
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
        estimated_bytes: peak above the loaded model
        budget_bytes: what may be used; None where that is not known
    """

    chunks: ChunkSizes
    window_frames: int
    overlap: int
    points_per_pass: int
    keeps_clip: bool
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
            "estimated_mb": round(self.estimated_bytes / _MIB),
            "budget_mb": None if self.budget_bytes is None else round(self.budget_bytes / _MIB),
        }


@dataclass(frozen=True)
class Workload:
    """What is to be tracked.

    Args:
        num_frames: of the clip
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


def make_plan(
    config: CoTrackerConfig, work: Workload, device: torch.device, budget_bytes: int | None, *, shrink: int = 0
) -> Plan:
    """Chooses sizes that fit a budget.

    Blocks are made smaller first, which costs little; then the points are split
    into passes; last, the offline model's clip into windows.

    Args:
        config: of the model
        work: what is to be tracked
        device: where it runs
        budget_bytes: memory above the model; None = what is free
        shrink: how often everything is halved, after memory ran out

    Returns:
        the plan; where even the smallest exceeds the budget, that one
    """
    budget = available_bytes(device) if budget_bytes is None else budget_bytes
    if budget is not None:
        budget >>= shrink
    chunks = default_chunks(device)
    for _ in range(shrink):
        chunks = chunks.halved(_MIN_CHUNKS)
    window = work.num_frames if config.mode == "offline" else min(config.window, work.num_frames)
    points = min(work.max_points_per_pass or work.num_points, work.num_points)

    def bytes_needed() -> int:
        return estimate_bytes(config, work, device, chunks, window, points)

    if budget is not None:
        while bytes_needed() > budget and chunks != chunks.halved(_MIN_CHUNKS):
            chunks = chunks.halved(_MIN_CHUNKS)
        # a pass with few points still gains from its virtual tokens being shared
        while bytes_needed() > budget and points > max(config.virtual_tokens, 1):
            points = -(-points // 2)
        while config.mode == "offline" and bytes_needed() > budget and window > MIN_WINDOW_FRAMES:
            window = max(window // 2, MIN_WINDOW_FRAMES)
    overlap = config.step if config.mode == "online" else max(window // _OVERLAP_SHARE, 1)
    needed = bytes_needed()
    keeps_clip = window >= work.num_frames
    if config.mode == "online" and work.backward and not keeps_clip:
        # backwards the same features are needed again: kept, they are encoded once
        rest = (work.num_frames - window) * _pyramid_bytes(config, work.feature_bytes)
        if budget is None or needed + rest <= budget:
            keeps_clip, needed = True, needed + rest
    return Plan(chunks, window, overlap, max(points, 1), keeps_clip, needed, budget)


def estimate_bytes(
    config: CoTrackerConfig,
    work: Workload,
    device: torch.device,
    chunks: ChunkSizes,
    window_frames: int,
    points_per_pass: int,
) -> int:
    """Peak memory of a run above the loaded model.

    Args:
        config: of the model
        work: what is to be tracked
        device: where it runs
        chunks: how much is done at once
        window_frames: frames whose features are stored
        points_per_pass: points tracked together

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
    # in a single window they are sampled when they are needed
    if config.mode == "online":
        templates *= passes
    else:
        templates *= passes + 1 if windowed else 0
    tokens = (points + 3 * config.virtual_tokens) * tokens_t * config.width * _FLOAT_BYTES
    states = points * tokens_t * 24 * _FLOAT_BYTES
    if config.version == 2:
        states += points * tokens_t * (config.token_dim + 6 * config.feature_dim) * _FLOAT_BYTES
    results = work.num_frames * work.num_points * 4 * _FLOAT_BYTES * (2 if work.backward else 1)
    encoding = _encoder_bytes(config, work, device, chunks)
    refining = tokens + states + max(_block_bytes(config, work, chunks, points, tokens_t))
    if not windowed:
        return int(maps + results + max(encoding, templates + refining))
    return int(maps + results + templates + max(encoding, refining))


def _pyramid_bytes(config: CoTrackerConfig, feature_bytes: int) -> int:
    height, width = config.grid_size
    cells = sum((height >> level) * (width >> level) for level in range(config.levels))
    return cells * config.feature_dim * feature_bytes


def _encoder_bytes(config: CoTrackerConfig, work: Workload, device: torch.device, chunks: ChunkSizes) -> int:
    height, width = config.resolution
    together = 1 if device.type == "cpu" else chunks.encoder_frames
    stage = config.encoder_widths[0] * (height // 2) * (width // 2) * _FLOAT_BYTES * _ENCODER_MAPS
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


def available_bytes(device: torch.device) -> int | None:
    """Memory a run may use on a device: most of what is free now; None where that is not known."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        # what torch's allocator holds without using it is free too
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(free * _FREE_SHARE)
    limits = [limit for limit in (_available_ram(), _cgroup_room()) if limit is not None]
    return int(min(limits) * _FREE_SHARE) if limits else None


def _available_ram() -> int | None:
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    names = getattr(os, "sysconf_names", {})
    if "SC_PHYS_PAGES" not in names or "SC_PAGE_SIZE" not in names:
        return None
    # half of all memory where the system does not tell what is free
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _cgroup_room() -> int | None:
    """What a container's limit leaves, None without one."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
    except (OSError, ValueError):
        return None
    return max(int(limit) - used, 0) if limit.isdigit() else None


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in str(error) or "out of memory" in str(error).lower()
    )


def run_within_memory(plan_for: Callable[[int], Plan], run: Callable[[Plan], T], attempts: int = 4) -> tuple[T, Plan]:
    """Runs a plan, and one of half its size whenever memory runs out.

    Args:
        plan_for: makes the plan of the n-th attempt, from 0
        run: does the work
        attempts: how often to try

    Returns:
        what `run` returned, and the plan that worked
    """
    for attempt in range(attempts):
        plan = plan_for(attempt)
        try:
            return run(plan), plan
        except (RuntimeError, MemoryError) as error:
            if attempt + 1 == attempts or not is_out_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    raise AssertionError("unreachable")
