"""Reference cases, checkpoints with their weights, and small models."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from point_tracking.tracker.models.cotracker.checkpoint import build_model
from point_tracking.tracker.models.cotracker.config import (
    COTRACKER2,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
    CoTrackerConfig,
)

PARITY = Path(__file__).parents[3] / "data" / "parity"
sys.path.insert(0, str(PARITY))

_SMALL = {
    "resolution": (48, 64),
    "encoder_widths": (8, 12, 16, 16),
    "feature_dim": 16,
    "levels": 3,
    "radius": 2,
    "corr_hidden": 24,
    "corr_dim": 16,
    "width": 32,
    "heads": 4,
    "virtual_tokens": 6,
    "iterations": 3,
}
SMALL_OFFLINE = replace(COTRACKER3_OFFLINE, depth=2, **_SMALL)
SMALL_ONLINE = replace(COTRACKER3_ONLINE, depth=2, window=8, **_SMALL)
SMALL_V2 = replace(COTRACKER2, depth=2, **_SMALL)


def small_model(config: CoTrackerConfig, seed: int = 0) -> torch.nn.Module:
    """A small model whose tracks move and whose heads are no constants."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_model(config)
        for name, value in model.named_parameters():
            if value.ndim > 1 and not name.endswith("virual_tracks"):
                torch.nn.init.normal_(value, std=(2 / value[0].numel()) ** 0.5)
            if "flow_head" in name or "vis" in name:
                torch.nn.init.normal_(value, std=0.1)
    return model.eval()


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small work is faster without threads, and tests share the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def published_checkpoint(tmp_path_factory):
    """Writes a checkpoint of a published model with the weights of the reference cases, once each."""
    import parity

    folder = tmp_path_factory.mktemp("weights")

    def write(config: CoTrackerConfig) -> Path:
        path = folder / f"v{config.version}_{config.window}.pth"
        if not path.exists():
            torch.save(parity.make_weights(build_model(config).state_dict()), path)
        return path

    return write
