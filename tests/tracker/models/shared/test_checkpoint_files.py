"""Weights files of any family: what is read, what is refused, and that nothing in them is run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from point_tracking.tracker.errors import CheckpointError, WeightsError
from point_tracking.tracker.models.shared.checkpoint_files import fill_model, read_tensors

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


class _Runs:
    """Something whose unpickling would make a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"model": s}, lambda s: {"model": {"state_dict": s}}])
def test_tensors_are_found_under_the_usual_wrappers(tmp_path: Path, wrap: Any) -> None:
    path = tmp_path / "weights.pth"
    torch.save(wrap({f"module.{name}": value for name, value in STATE.items()}), path)
    state, metadata = read_tensors(path)
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], STATE[name]) for name in STATE)
    assert metadata == {}


def test_safetensors_come_with_their_metadata(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "weights.safetensors", {"sizes": "small"})
    state, metadata = read_tensors(tmp_path / "weights.safetensors")
    assert torch.equal(state["weight"], STATE["weight"])
    assert metadata == {"sizes": "small"}


def test_code_in_a_file_is_refused_and_never_run(tmp_path: Path) -> None:
    path, made = tmp_path / "weights.pth", tmp_path / "made"
    path.write_bytes(pickle.dumps({"weight": _Runs(made)}))
    with pytest.raises(CheckpointError, match="holds code, which is never run"):
        read_tensors(path)
    torch.save({"weight": _Runs(made)}, path)
    with pytest.raises(CheckpointError, match="never run"):
        read_tensors(path)
    assert not made.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_damaged_and_missing_files_are_told(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    with pytest.raises(WeightsError, match="There is no checkpoint file"):
        read_tensors(path)
    torch.save(STATE, path) if suffix == ".pth" else save_file(STATE, path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_tensors(path)


@pytest.mark.parametrize("content", [[1, 2], {}, {"weight": 1}, {1: torch.zeros(1)}])
def test_files_without_tensors_by_name_are_refused(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="holds no state dict"):
        read_tensors(tmp_path / "weights.pth")


def test_a_model_is_filled_as_float32_or_says_what_does_not_fit() -> None:
    with torch.device("meta"):
        model = nn.Linear(3, 2)
    fill_model(model, {name: value.half() for name, value in STATE.items()}, "name", "file")
    assert model.weight.dtype == torch.float32
    assert torch.equal(model.weight, STATE["weight"])
    wrong = {"weight": torch.zeros(3, 3), "bias": torch.zeros(2, dtype=torch.int64), "more": torch.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        fill_model(nn.Linear(3, 2), wrong, "name", "file")
    for part in (
        "'name'",
        "more is unknown",
        "weight has the shape (3, 3) instead of (2, 3)",
        "bias holds torch.int64",
    ):
        assert part in str(caught.value)
    with pytest.raises(CheckpointError, match="bias is missing"):
        fill_model(nn.Linear(3, 2), {"weight": torch.zeros(2, 3)}, "name", "file")
