"""Reference cases of published models whose points never see one another: one loop for TAPIR and LocoTrack.

A family says how its checkpoints look, how it is loaded for a case, and how what it found is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.base import Tracker

from .shallow import reference_weights

REDUCED_PX = 3.0  # what bfloat16 and tf32 may differ by: rounding that the network's steps enlarge

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
every_dtype = pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])


def cases(fast: str, others: tuple[str, ...]) -> list[Any]:
    """Names of cases, all but one of them marked `parity`."""
    return [fast, *(pytest.param(name, marks=pytest.mark.parity) for name in others)]


@dataclass(frozen=True)
class Family:
    """How the models of a family are compared with their cases.

    Args:
        name: of the folder with its cases
        network: its class
        config_of: the published sizes for a case
        content_of: what a checkpoint holds for weights by name
        options_of: how a tracker is loaded for a case
        differences: `result` of the comparison of tracks with a case, within pixels (None: the strict bounds)
    """

    name: str
    network: Callable[[Any], torch.nn.Module]
    config_of: Callable[[Mapping[str, Any]], Any]
    content_of: Callable[[dict[str, torch.Tensor]], Any]
    options_of: Callable[[Mapping[str, Any]], dict[str, Any]]
    differences: Callable[[Any, Mapping[str, Any], pt.Tracks, float | None], dict[str, Any]]
    reference: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "reference", reference_weights(self.name))

    def load(self, case: Mapping[str, Any], folder: Path, **options: Any) -> Tracker:
        """Loads the tracker of a case from a checkpoint as the published ones are, written once a folder."""
        config = self.config_of(case)
        path = folder / f"{config.name}.pth"
        if not path.exists():
            torch.save(self.content_of(self.reference.make_weights(self.shapes(config))), path)
        return pt.load_tracker(config.name, checkpoint=path, **{**self.options_of(case), **options})

    def check(self, name: str, folder: Path, **options: Any) -> None:
        """Compares all tracks of a case, in reduced precision within a loose bound."""
        case = self.reference.load_case(name)
        tracker = self.load(case, folder, **{"device": "cpu", **options})
        tracks = tracker.track(case["video"], pt.point_queries(case["queries"].tolist()), backward=True)
        loose = None if options.get("dtype", "float32") == "float32" else REDUCED_PX
        result = self.differences(self.reference, case, tracks, loose)
        assert result["ok"], result

    def shapes(self, config: Any) -> dict[str, torch.Tensor]:
        """A state dict without numbers."""
        with torch.device("meta"):
            return self.network(config).state_dict()

    def check_sizes(self, expected: Mapping[Any, tuple[int, int]]) -> None:
        """Compares numbers of tensors and of parameters with the published ones."""
        for config, (tensors, parameters) in expected.items():
            state = self.shapes(config)
            assert (len(state), sum(value.numel() for value in state.values())) == (tensors, parameters)
