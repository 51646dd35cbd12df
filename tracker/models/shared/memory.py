"""What a device has free, and how running out of it is met; for every family."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from ...errors import OutOfMemoryError

T = TypeVar("T")
Size = TypeVar("Size")

_GIB = 2**30
_FREE_SHARE = 0.8  # of the free memory that a plan may use
_CGROUP = Path("/sys/fs/cgroup")


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
    """What a container's limit leaves, None without one; what files are cached in gives way when it is needed."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        parts = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        cached = int(parts.get("inactive_file", 0)) + int(parts.get("active_file", 0))
    except (OSError, ValueError):
        return None
    return max(int(limit) - max(used - cached, 0), 0) if limit.isdigit() else None


def require_memory(least_bytes: int, budget_bytes: int | None, limit_gb: float | None) -> None:
    """Refuses, before it begins, a run for which even the smallest plan is too large.

    Args:
        least_bytes: that the smallest plan needs above the loaded model
        budget_bytes: that plans may use; None where that is not known
        limit_gb: what the user allows, in GiB; None = what is free

    Raises:
        OutOfMemoryError: saying what is needed and what there is
    """
    if budget_bytes is None:
        return
    # of what is free, that which is kept in reserve counts before a run is refused
    allowed = budget_bytes if limit_gb is not None else budget_bytes / _FREE_SHARE
    if least_bytes <= allowed:
        return
    needed = _rounded_up(least_bytes / _GIB)
    found = f"memory_limit_gb allows {limit_gb:g}" if limit_gb is not None else f"{allowed / _GIB:.3g} are free"
    raise OutOfMemoryError(
        f"This needs {needed} GiB of memory above the model, however small its blocks of work are made, and {found}. "
        f"Track fewer points or a shorter clip, use a smaller resolution, or set memory_limit_gb to at least {needed}"
    )


def _rounded_up(gib: float) -> str:
    """To three digits, such that a limit of so much is enough."""
    unit = 10.0 ** (math.floor(math.log10(gib)) - 2)
    return f"{math.ceil(gib / unit) * unit:.3g}"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on any device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and (
        "can't allocate memory" in str(error) or "out of memory" in str(error).lower()
    )


def run_within_memory(
    run: Callable[[Size], T], size: Size, smaller: Callable[[Size], Size | None], attempts: int = 8
) -> tuple[T, Size]:
    """Does some work, and in smaller blocks whenever memory runs out.

    Args:
        run: does the work in blocks of a size
        size: to begin with
        smaller: the size after one that was too large; None where there is none
        attempts: how often to try

    Returns:
        what `run` returned, and the size that worked

    Raises:
        OutOfMemoryError: if no size worked
    """
    reason, following = "", size
    while following is not None and attempts > 0:
        size, attempts = following, attempts - 1
        try:
            return run(size), size
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).strip().split("\n")[0] or type(error).__name__
        # from here on nothing holds the memory of the failed attempt any more
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        following = smaller(size)
    raise OutOfMemoryError(
        f"Memory ran out, even with small blocks of work ({reason}). Track fewer points or a shorter clip, end what "
        "else uses this memory, or set memory_limit_gb to what is really free"
    )
