"""Shallow AllTracker models, checkpoint files of the published sizes, and the reference cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from point_tracking.tracker.models.alltracker.config import AllTrackerConfig
from point_tracking.tracker.models.alltracker.network import AllTracker

from ..shallow import reference_weights

SHALLOW = {
    "normal": AllTrackerConfig("convnext", (1, 1, 1), block_pairs=1, window=4),
    "tiny": AllTrackerConfig("residual", block_pairs=1, window=4),
}


@pytest.fixture(scope="session")
def parity():
    """The module that makes the weights of AllTracker's reference cases."""
    return reference_weights("alltracker")


@pytest.fixture(scope="session")
def make_model(parity) -> Callable[[AllTrackerConfig], AllTracker]:
    """Makes a model with the weights of the reference cases."""

    def make(config: AllTrackerConfig) -> AllTracker:
        with torch.device("meta"):
            model = AllTracker(config)
        model.load_state_dict(parity.make_weights(model.state_dict()), assign=True)
        return model.eval().requires_grad_(False)

    return make


@pytest.fixture(scope="session")
def shallow(make_model) -> dict[str, AllTracker]:
    """Both kinds of model, with one block of each kind and windows of four frames."""
    return {kind: make_model(config) for kind, config in SHALLOW.items()}


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory, make_model) -> Callable[[AllTrackerConfig], Path]:
    """Writes the checkpoint of a model as the published ones are, once each."""
    folder = tmp_path_factory.mktemp("alltracker")

    def write(config: AllTrackerConfig) -> Path:
        path = folder / f"{config.name}_{config.block_pairs}.pth"
        if not path.exists():
            torch.save({"model": make_model(config).state_dict()}, path)
        return path

    return write
