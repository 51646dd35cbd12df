"""What every run of a model needs besides its clip; trackers build it, clip runs and sessions take it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

from ...shared.precision import choose_device, choose_dtype, place_model
from ..network.chunks import ChunkSizes
from ..options import CoTrackerOptions
from ..weights.checkpoint import CoTracker
from .memory_plan import Plan, Workload, make_plan
from .passes import ModelFrame, Rules
from .precision import set_matrix_dtype

_GIB = 2**30


@dataclass(frozen=True)
class RunContext:
    """A model ready to run, and how.

    Args:
        model: on its device; videos are resized to its `config.resolution`
        rules: how its heads become visibility
        device: where it runs
        dtype: in which matrices are multiplied, as of `precision.choose_dtype`
        support_grid: points per side that support the others; "auto" = by where these come from
        iterations: refinements
        memory_limit_gb: GiB a run may use above the model; None = what is free
    """

    model: CoTracker
    rules: Rules
    device: torch.device
    dtype: str
    support_grid: int | Literal["auto"]
    iterations: int
    memory_limit_gb: float | None = None

    @classmethod
    def from_options(cls, model: CoTracker, rules: Rules, options: CoTrackerOptions) -> RunContext:
        """Places a model as options say.

        Args:
            model: filled with weights; copied where the options ask for another device or dtype than it has
            rules: how its heads become visibility
            options: as the user gave them

        Raises:
            OptionError: for a device or dtype that is not there
        """
        device = choose_device(options.device)
        dtype = choose_dtype(options.dtype, device)
        placed = place_model(model, device, dtype, set_matrix_dtype)
        return cls(placed, rules, device, dtype, options.support_grid, options.iterations, options.memory_limit_gb)

    def with_model(self, model: CoTracker) -> RunContext:
        """The same way of running for another model of the same sizes, which is moved to the device."""
        return replace(self, model=model.eval().to(self.device))

    def with_resolution(self, resolution: tuple[int, int]) -> RunContext:
        """The same weights for model frames of another (height, width)."""
        model = copy.copy(self.model)
        model.config = replace(model.config, resolution=resolution)
        return replace(self, model=model)

    def with_rules(self, rules: Rules) -> RunContext:
        """The same model, read by other rules."""
        return replace(self, rules=rules)

    @property
    def whole_clip(self) -> bool:
        """Whether the model sees all frames at once (offline), not windows that follow each other."""
        return self.model.config.mode == "offline"

    @property
    def feature_dtype(self) -> torch.dtype:
        """In which feature maps are kept."""
        return torch.bfloat16 if self.dtype == "bfloat16" else torch.float32

    @property
    def feature_bytes(self) -> int:
        """Of one stored feature value."""
        return torch.finfo(self.feature_dtype).bits // 8

    def frame(self, size_px: tuple[int, int]) -> ModelFrame:
        """Where a video of a size (width, height) lies in the model."""
        return ModelFrame(self.model.config, size_px, self.device)

    def plan(self, work: Workload) -> Plan:
        """How some work is cut so that it fits into memory."""
        limit = self.memory_limit_gb
        budget_bytes = None if limit is None else int(limit * _GIB)
        return make_plan(self.model.config, work, self.device, budget_bytes)

    def window_chunks(self, num_points: int, size_px: tuple[int, int]) -> ChunkSizes:
        """How much is done at once where windows follow each other without an end."""
        window = self.model.config.window
        return self.plan(Workload(window, max(num_points, 1), 0, size_px, feature_bytes=self.feature_bytes)).chunks

    def to_dict(self) -> dict[str, Any]:
        """How the model runs, as options of a tracker and JSON values."""
        return {
            "device": str(self.device),
            "dtype": self.dtype,
            "support_grid": self.support_grid,
            "iterations": self.iterations,
            "memory_limit_gb": self.memory_limit_gb,
        }
