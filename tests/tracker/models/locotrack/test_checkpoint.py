"""Checkpoint files: which model they hold, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError
from point_tracking.tracker.models.locotrack.checkpoint import detect_config, load_model
from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.network import LocoTrack

from ..shallow import load_shallow


def zeros_of(config) -> dict[str, torch.Tensor]:
    """A state dict of the published shapes that takes hardly any memory."""
    with torch.device("meta"):
        state = LocoTrack(config).state_dict()
    return {key: torch.zeros(1).expand(value.shape) for key, value in state.items()}


@pytest.mark.parametrize("config", [LOCOTRACK_SMALL, LOCOTRACK_BASE], ids=lambda config: config.name)
def test_sizes_are_those_of_the_tensors(config):
    assert detect_config(zeros_of(config)) == config


@pytest.mark.parametrize("wrapped", [lambda s: s, lambda s: {"epoch": 3, "state_dict": s}], ids=["plain", "lightning"])
@pytest.mark.parametrize("prefix", ["", "model."])
def test_containers_and_prefixes_of_training_scripts_are_read(tmp_path, wrapped, prefix):
    tracker: Any = load_shallow("locotrack-base", tmp_path)
    model = tracker.model
    torch.save(wrapped({prefix + key: value for key, value in model.state_dict().items()}), tmp_path / "weights.ckpt")
    loaded = load_model(tmp_path / "weights.ckpt")
    assert loaded.config == model.config
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), model.parameters(), strict=True))


def test_files_of_other_models_are_named(tmp_path):
    path = load_shallow("locotrack-base", tmp_path).options["checkpoint"]
    with pytest.raises(CheckpointError, match="weights of 'locotrack-base', not of 'locotrack-small'"):
        pt.load_tracker("locotrack-small", checkpoint=path)
    other = load_shallow("bootstapir", tmp_path).options["checkpoint"]
    with pytest.raises(CheckpointError, match="holds no LocoTrack weights"):
        pt.load_tracker("locotrack-small", checkpoint=other)
