"""The command that makes safetensors of checkpoints."""

from __future__ import annotations

import torch

from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER3_OFFLINE,
)
from point_tracking.tracker.models.cotracker.weights import convert_weights
from point_tracking.tracker.models.cotracker.weights.checkpoint import (
    load_network,
    save_network,
)

from .made_checkpoints import zeros_of


def test_the_convert_command_writes_the_same_numbers(tmp_path, small_model, capsys):
    model = small_model("online")
    save_network(model, tmp_path / "in.safetensors")
    assert convert_weights.main([str(tmp_path / "in.safetensors"), str(tmp_path / "out.safetensors")]) == 0
    assert "cotracker3-online, window of 8 frames" in capsys.readouterr().out
    again = load_network(tmp_path / "out.safetensors")
    assert all(torch.equal(again.state_dict()[key], value) for key, value in model.state_dict().items())
    assert convert_weights.main([str(tmp_path / "gone.pth"), str(tmp_path / "out.safetensors")]) == 1
    assert "no checkpoint file" in capsys.readouterr().err


def test_converting_into_a_folder_that_is_not_there_is_refused(tmp_path, small_model, capsys):
    save_network(small_model("online"), tmp_path / "in.safetensors")
    assert convert_weights.main([str(tmp_path / "in.safetensors"), str(tmp_path / "no" / "out.safetensors")]) == 1
    assert "There is no folder" in capsys.readouterr().err
    (tmp_path / "taken.safetensors").mkdir()
    assert convert_weights.main([str(tmp_path / "in.safetensors"), str(tmp_path / "taken.safetensors")]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_a_published_file_converts(tmp_path):
    torch.save({key: value.clone() for key, value in zeros_of(COTRACKER3_OFFLINE).items()}, tmp_path / "in.pth")
    assert convert_weights.main([str(tmp_path / "in.pth"), str(tmp_path / "out.safetensors")]) == 0
    assert load_network(tmp_path / "out.safetensors").config == COTRACKER3_OFFLINE
