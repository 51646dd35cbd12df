"""Checkpoint files: containers, flavours, mismatches, round trips."""

from __future__ import annotations

import os
import pickle
import traceback
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import point_tracking as pt
from point_tracking.tracker.errors import CheckpointError, WeightsError
from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER2,
    COTRACKER2_1,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
)
from point_tracking.tracker.models.cotracker.weights.checkpoint import (
    detect_config,
    flavour,
    load_network,
    read_checkpoint,
    save_network,
)

from .made_checkpoints import zeros_of

PUBLISHED = [COTRACKER3_OFFLINE, COTRACKER3_ONLINE, COTRACKER2, COTRACKER2_1]


@pytest.mark.parametrize("config", PUBLISHED, ids=["offline", "online", "v2", "v2.1"])
def test_published_models_are_told_apart_by_their_tensors(config):
    assert detect_config(zeros_of(config)) == config


def test_flavours_are_the_names_of_trackers():
    assert [flavour(config) for config in PUBLISHED] == [
        "cotracker3-offline",
        "cotracker3-online",
        "cotracker2",
        "cotracker2",
    ]


@pytest.mark.parametrize("wrap", ["raw", "model", "state_dict", "module"])
def test_every_container_is_read(tmp_path, small_model, wrap):
    state = small_model("offline").state_dict()
    content = {
        "raw": state,
        "model": {"model": state, "optimizer": {"state": {}}, "step": 3},
        "state_dict": {"state_dict": state},
        "module": {"model": {f"module.{key}": value for key, value in state.items()}},
    }[wrap]
    torch.save(content, tmp_path / "weights.pth")
    read, config = read_checkpoint(tmp_path / "weights.pth")
    assert config is None
    assert read.keys() == state.keys()
    assert all(torch.equal(read[key], state[key]) for key in state)


@pytest.mark.parametrize("kind", ["offline", "online", "v2"])
def test_a_saved_model_comes_back(tmp_path, small_model, kind):
    model = small_model(kind)
    save_network(model, tmp_path / "weights.safetensors")
    loaded = load_network(tmp_path / "weights.safetensors")
    assert loaded.config == model.config
    assert not loaded.training
    for key, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], value), key
    assert all(parameter.requires_grad for parameter in loaded.parameters()), "ready to be trained on"


def test_the_offline_tracker_refuses_online_weights(tmp_path, small_model):
    save_network(small_model("online"), tmp_path / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"'cotracker3-online', not of 'cotracker3-offline'"):
        pt.load_tracker("cotracker3-offline", checkpoint=tmp_path / "weights.safetensors", device="cpu")
    tracker = pt.load_tracker("cotracker3-online", checkpoint=str(tmp_path / "weights.safetensors"), device="cpu")
    assert tracker.options["checkpoint"] == str(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("fnet.conv1.weight"), "fnet.conv1.weight is missing"),
        (lambda state: state.update(extra=torch.zeros(1)), "extra is unknown"),
        (lambda state: state.update({"corr_mlp.fc1.bias": torch.zeros(7)}), r"shape \(7,\) instead of \(384,\)"),
        (lambda state: state.pop("time_emb"), "'time_emb' is missing"),
        (lambda state: state.update(time_emb=torch.zeros(1, 24, 1110)), "window of 24 frames"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path, change, message):
    state = zeros_of(COTRACKER3_OFFLINE)
    change(state)
    torch.save(state, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match=message):
        load_network(tmp_path / "weights.pth")


class Evil:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_a_checkpoint_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Evil()}, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / "weights.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / "old.pth")
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"version https://git-lfs.github.com/spec/v1"])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_files_that_are_no_checkpoints_are_refused(tmp_path, content, suffix):
    (tmp_path / f"weights.{suffix}").write_bytes(content)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_network(tmp_path / f"weights.{suffix}")


# what pickle makes of text and of pieces of files: KeyError, IndexError, EOFError, TypeError ...
@pytest.mark.parametrize(
    "content",
    [
        b"hello world\nthis is text",
        b"a",
        b"tensor",
        b"(",
        b".",
        b"}q\x00.",
        b"\x80\x02]q\x00.",
        b"\x80\x04\x95",
        b"PK\3\4",
    ],
)
def test_damaged_files_are_refused_in_our_own_words(tmp_path, content):
    (tmp_path / "weights.pth").write_bytes(content * 20)
    with pytest.raises(CheckpointError, match="damaged or incomplete, or holds code") as caught:
        load_network(tmp_path / "weights.pth")
    shown = "".join(traceback.format_exception(caught.value))
    assert "weights_only" not in shown.replace("weights_only=True", ""), "torch advises to run what is in the file"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_no_damage_gets_through(tmp_path, small_model, zipped):
    torch.save(small_model("offline").state_dict(), tmp_path / "whole.pth", _use_new_zipfile_serialization=zipped)
    whole = (tmp_path / "whole.pth").read_bytes()
    rng = np.random.default_rng(0)
    damaged = [whole[: int(share * len(whole))] for share in (0.001, 0.3, 0.7, 0.999)]
    for _ in range(80):
        content = bytearray(whole)
        for place in rng.integers(0, 4000, 6):  # where the names are
            content[place] = rng.integers(256)
        damaged.append(bytes(content))
    outcomes = set()
    for content in damaged:
        (tmp_path / "weights.pth").write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what else torch thinks of such files
            try:
                load_network(tmp_path / "weights.pth")
                outcomes.add("read")  # what was hit did not matter
            except CheckpointError:
                outcomes.add("refused")
    assert "refused" in outcomes


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    (tmp_path / "weights.pth").write_bytes(b"x")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torch, "load", refuse)  # root may read everything
    with pytest.raises(CheckpointError, match="Permission denied"):
        load_network(tmp_path / "weights.pth")


@pytest.mark.parametrize(
    "sizes",
    [
        *("no json", "3", "[1]", "null", '{"width": "x"}', '{"window": 2.5}', '{"levels": null}', '{"resolution": 3}'),
        *('{"resolution": ["a", "b"]}', '{"resolution": [48]}', '{"stride": 0}', '{"version": 4}'),
    ],
)
def test_safetensors_with_damaged_sizes_are_refused(tmp_path, sizes):
    save_file({"time_emb": torch.zeros(1, 60, 8)}, tmp_path / "w.safetensors", metadata={"cotracker_config": sizes})
    with pytest.raises(CheckpointError, match="sizes of no CoTracker model"):
        load_network(tmp_path / "w.safetensors")


@pytest.mark.parametrize("content", [{}, [1, 2], {"epoch": 3}, {"model": {"a": 1}}, {1: torch.zeros(2)}])
def test_files_without_tensors_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(CheckpointError, match="no state dict"):
        load_network(tmp_path / "weights.pth")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"no checkpoint file at .*gone\.pth"):
        load_network(tmp_path / "gone.pth")


def test_safetensors_with_unknown_sizes_are_refused(tmp_path):
    metadata = {"cotracker_config": '{"flux": 3}'}
    save_file({"time_emb": torch.zeros(1, 60, 8)}, tmp_path / "weights.safetensors", metadata=metadata)
    with pytest.raises(pt.PointTrackingError, match="flux"):
        load_network(tmp_path / "weights.safetensors")


def test_paths_may_start_at_home(tmp_path, monkeypatch, small_model):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_network(small_model("online"), "~/weights.safetensors")
    assert (tmp_path / "weights.safetensors").is_file()
    pt.load_tracker("cotracker3-online", checkpoint="~/weights.safetensors", device="cpu")
