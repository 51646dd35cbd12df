"""Checkpoint files: which model they hold, and what is refused."""

from __future__ import annotations

import os
import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, WeightsError
from point_tracking.tracker.models.alltracker.checkpoint import detect_config, load_model
from point_tracking.tracker.models.alltracker.config import ALLTRACKER, ALLTRACKER_TINY
from point_tracking.tracker.models.alltracker.network import AllTracker, time_embedding
from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model


def zeros_of(config) -> dict[str, torch.Tensor]:
    """A state dict of the published shapes that takes hardly any memory."""
    with torch.device("meta"):
        state = AllTracker(config).state_dict()
    return {key: torch.zeros(1).expand(value.shape) for key, value in state.items()}


@pytest.mark.parametrize(
    ("config", "tensors", "parameters"), [(ALLTRACKER, 236, 16_476_962), (ALLTRACKER_TINY, 131, 6_294_050)]
)
def test_models_have_the_published_tensors(config, tensors, parameters):
    state = zeros_of(config)
    assert len(state) == tensors
    assert sum(value.numel() for key, value in state.items() if key != "time_emb") == parameters
    assert detect_config(state) == config


def test_the_time_embedding_is_the_published_table(parity):
    torch.testing.assert_close(time_embedding(16)[None], torch.from_numpy(parity._time_table(16, 128)))


@pytest.mark.parametrize("wrapped", [lambda s: s, lambda s: {"model": s}, lambda s: {"state_dict": s}])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_containers_and_prefixes_of_training_scripts_are_read(shallow, tmp_path, wrapped, prefix):
    state = {prefix + key: value for key, value in shallow["tiny"].state_dict().items()}
    torch.save(wrapped(state), tmp_path / "weights.pth")
    loaded = load_model(tmp_path / "weights.pth")
    assert loaded.config == shallow["tiny"].config, "depths are those of the tensors"
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), shallow["tiny"].parameters(), strict=True))


def test_half_precision_safetensors_become_float32(shallow, tmp_path):
    save_file({k: v.half() for k, v in shallow["normal"].state_dict().items()}, tmp_path / "weights.safetensors")
    loaded = load_model(tmp_path / "weights.safetensors")
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}
    assert loaded.config == shallow["normal"].config


def test_files_of_the_other_model_are_named(checkpoint, shallow):
    path = checkpoint(shallow["tiny"].config)
    with pytest.raises(CheckpointError, match=r"weights of 'alltracker-tiny', not of 'alltracker'\. Load it with"):
        pt.load_tracker("alltracker", checkpoint=path)
    assert pt.load_tracker("alltracker-tiny", checkpoint=path, device="cpu").name == "alltracker-tiny"


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(WeightsError, match="no checkpoint file"):
        pt.load_tracker("alltracker", checkpoint="/nowhere/alltracker.pth")


def test_files_of_other_families_are_refused(tmp_path):
    with torch.device("meta"):
        state = build_model(COTRACKER3_ONLINE).state_dict()
    torch.save({key: torch.zeros(1).expand(value.shape) for key, value in state.items()}, tmp_path / "alltracker.pth")
    with pytest.raises(CheckpointError, match=r"holds no AllTracker weights|does not fit"):
        pt.load_tracker("alltracker", checkpoint=tmp_path / "alltracker.pth")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="holds no AllTracker weights"):
        pt.load_tracker("alltracker", checkpoint=tmp_path / "other.pth")


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.99])
def test_truncated_files_are_refused(shallow, tmp_path, kept):
    path = tmp_path / "weights.pth"
    torch.save({"model": shallow["tiny"].state_dict()}, path)
    os.truncate(path, int(path.stat().st_size * kept))
    with pytest.raises(CheckpointError, match="damaged or incomplete"):
        load_model(path)


def test_code_in_a_file_is_not_run(tmp_path):
    marker = tmp_path / "was-run"

    class Code:
        def __reduce__(self):
            return os.mkdir, (str(marker),)

    (tmp_path / "legacy.pth").write_bytes(pickle.dumps({"model": Code()}))
    torch.save({"model": Code()}, tmp_path / "zipped.pth")
    assert zipfile.is_zipfile(tmp_path / "zipped.pth")
    for name in ("legacy.pth", "zipped.pth"):
        with pytest.raises(CheckpointError, match="never run"):
            load_model(tmp_path / name)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("flow_head.2.bias"), r"flow_head\.2\.bias is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra is unknown"),
        (lambda s: s.update({"flow_head.2.bias": torch.zeros(3)}), r"flow_head\.2\.bias has the shape \(3,\)"),
        (lambda s: s.update({"flow_head.2.bias": torch.zeros(2, dtype=torch.long)}), "instead of floating point"),
        (lambda s: s.pop("cnn.features.0.0.weight"), "holds no AllTracker weights"),
        (lambda s: s.pop("time_emb"), "holds no AllTracker weights"),
        (lambda s: s.update({"fnet.conv1.weight": torch.zeros(1)}), "holds no AllTracker weights"),
        (lambda s: [s.pop(key) for key in list(s) if "refine" in key], "holds no AllTracker weights"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message):
    state = zeros_of(ALLTRACKER)
    change(state)
    torch.save({"model": state}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=message):
        load_model(tmp_path / "weights.pth")
