"""A network whose points never see one another behind the `Tracker` contract."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch

from ....types import Queries, Tracks
from ....video.frames import FrameSource
from ...base import RunHooks, Tracker
from ..memory import require_memory, run_within_memory
from ..precision import choose_device, choose_dtype, matrix_products
from .clip_run import ClipRun, RunSettings, with_plan
from .memory_plan import Plan, Workload, least_bytes, make_plan, smaller_plan
from .options import PointModelOptions

_GIB = 2**30


class PointModelTracker(Tracker):
    """What trackers of these networks have in common. Subclasses set `capabilities`.

    Args:
        name: in the registry
        options: how to run
    """

    def __init__(self, name: str, options: PointModelOptions) -> None:
        self.name = name
        self._options = options
        self._device = choose_device(options.device)
        self._dtype = choose_dtype(options.dtype, self._device)

    @property
    def options(self) -> dict[str, Any]:
        return {**self._options.to_dict(), "device": str(self._device), "dtype": self._dtype}

    @property
    def map_dtype(self) -> torch.dtype:
        """In which feature maps are kept."""
        return torch.bfloat16 if self._dtype == "bfloat16" else torch.float32

    @abstractmethod
    def _settings(self) -> RunSettings:
        """How clips are run."""

    def first_reading(self, size_px: tuple[int, int], queries: Queries) -> tuple[int, tuple[int, int]] | None:
        return (0, size_px) if len(queries) else None  # resized on the device

    def _track(self, source: FrameSource, queries: Queries, backward: bool, hooks: RunHooks) -> Tracks:
        settings = self._settings()
        work = self._workload(settings, source.num_frames, len(queries), source.size_px)

        def run(plan: Plan) -> Tracks:
            with torch.inference_mode(), matrix_products(self._dtype, self._device):
                return self._run(settings, source, queries, backward, hooks, plan)

        def smaller(failed: Plan) -> Plan | None:
            return smaller_plan(settings.costs, work, self._device, failed)

        plan = self._plan(settings, work)
        least = least_bytes(settings.costs, work, self._device)
        require_memory(least, plan.budget_bytes, self._options.memory_limit_gb)
        tracks, plan = run_within_memory(run, plan, smaller)
        return with_plan(tracks, plan)

    def _workload(self, settings: RunSettings, num_frames: int, num_points: int, size_px: tuple[int, int]) -> Workload:
        """What is to be tracked in a video of (width, height)."""
        return Workload(
            num_frames=num_frames,
            num_points=num_points,
            frame_size=(size_px[1], size_px[0]),
            sizes=settings.network.sizes(settings.frame_size),
            iterations=settings.iterations,
            map_bytes=torch.finfo(settings.map_dtype).bits // 8,
        )

    def _plan(self, settings: RunSettings, work: Workload) -> Plan:
        """How some work is cut so that it fits into memory."""
        limit = self._options.memory_limit_gb
        return make_plan(settings.costs, work, self._device, None if limit is None else int(limit * _GIB))

    def _run(
        self,
        settings: RunSettings,
        source: FrameSource,
        queries: Queries,
        backward: bool,
        hooks: RunHooks,
        plan: Plan,
    ) -> Tracks:
        """One run by a plan; arguments as of `ClipRun`."""
        return ClipRun(settings, source, queries, backward, hooks, plan).run()
