"""Checkpoint files: which model they hold, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, OptionError
from point_tracking.tracker.models.tapir.checkpoint import detect_config, load_model
from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, TAPIR
from point_tracking.tracker.models.tapir.network import Tapir

from ..shallow import load_shallow


def zeros_of(config) -> dict[str, torch.Tensor]:
    """A state dict of the published shapes that takes hardly any memory."""
    with torch.device("meta"):
        state = Tapir(config).state_dict()
    return {key: torch.zeros(1).expand(value.shape) for key, value in state.items()}


@pytest.mark.parametrize("config", [BOOTSTAPIR, TAPIR], ids=lambda config: config.name)
def test_sizes_are_those_of_the_tensors(config):
    found = detect_config(zeros_of(config))
    assert found.name == config.name
    assert (found.widths, found.extra_convs, found.mixer_blocks, found.pooled) == (
        config.widths, config.extra_convs, config.mixer_blocks, config.pooled,
    )  # fmt: skip


def test_the_name_says_whether_a_model_is_causal(tmp_path):
    path = load_shallow("bootstapir", tmp_path).options["checkpoint"]
    assert not load_model(path).config.causal
    online: Any = pt.load_tracker("bootstapir-online", checkpoint=path, device="cpu")
    assert online.model.config.causal
    assert "cannot be told apart" in online.warnings[0]
    assert pt.load_tracker("bootstapir", checkpoint=path, device="cpu", flavour="bootstapir").warnings == ()
    with pytest.raises(OptionError, match="load_tracker\\('bootstapir-online'"):
        pt.load_tracker("bootstapir", checkpoint=path, device="cpu", flavour="bootstapir-online")


def test_files_of_other_models_are_named(tmp_path):
    path = load_shallow("bootstapir", tmp_path).options["checkpoint"]
    with pytest.raises(CheckpointError, match=r"weights of 'bootstapir', not of 'tapir'"):
        pt.load_tracker("tapir", checkpoint=path)
    other = load_shallow("locotrack-small", tmp_path).options["checkpoint"]
    with pytest.raises(CheckpointError, match="holds no weights of the TAPIR family"):
        pt.load_tracker("bootstapir", checkpoint=other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("torch_pips_mixer.linear_1.bias"), r"linear_1\.bias is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra is unknown"),
        (lambda s: s.pop("torch_pips_mixer.linear.weight"), "holds no weights of the TAPIR family"),
        (lambda s: s.pop("resnet_torch.initial_conv.weight"), "holds no weights of the TAPIR family"),
    ],
    ids=["missing", "unknown", "no mixer", "no trunk"],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message):
    state = zeros_of(TAPIR)
    change(state)
    torch.save(state, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "weights.pt")
