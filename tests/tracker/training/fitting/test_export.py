"""From a run to a tracker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from point_tracking import Queries, load_tracker
from point_tracking.tracker.errors import OutputError, ResumeError
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.models.cotracker.weights.checkpoint import load_network
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.fitting.checkpoint import load_checkpoint, save_checkpoint
from point_tracking.tracker.training.fitting.export import export_weights, main, parameter_count, save_weights
from point_tracking.tracker.training.fitting.train import RunOptions, Trainer

from ..made_clips import MadeSource


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    options = RunOptions(tmp_path / "run", steps=6, validate=False, precision="float32")
    Trainer(TINY, options, source=MadeSource(), report=lambda line: None).run()
    return tmp_path / "run" / "checkpoint"


def test_exported_weights_are_the_averaged_ones_in_half_precision(checkpoint: Path, tmp_path: Path):
    out = tmp_path / "weights.safetensors"
    assert main([str(checkpoint), str(out)]) == 0
    averaged = load_checkpoint(checkpoint)["ema"]
    model = load_network(out)
    assert model.config == TINY.model
    for name, value in model.state_dict().items():
        assert torch.equal(value, averaged[name].half().float())
    with safe_open(out, framework="pt") as content:
        metadata = content.metadata()
        assert {content.get_tensor(name).dtype for name in content.keys()} == {torch.float16}  # noqa: SIM118
    assert metadata["license"] == "Apache-2.0"
    assert (metadata["training_config"], metadata["training_steps"]) == ("tiny", "6")


def test_a_tracker_runs_the_exported_weights(checkpoint: Path, tmp_path: Path):
    out = tmp_path / "weights.safetensors"
    export_weights(checkpoint, out)
    tracker = load_tracker("pt-small", checkpoint=out, device="cpu", support_grid=0)
    frames = np.random.default_rng(0).integers(0, 255, (9, 48, 48, 3), dtype=np.uint8)
    queries = Queries(np.array([0, 3]), np.array([[10.0, 20.0], [30.0, 5.0]]))
    tracks = tracker.track(frames, queries)
    assert tracks.xy.shape == (9, 2, 2)
    assert np.isnan(tracks.xy[:3, 1]).all()
    assert tracks.visible[[0, 3], [0, 1]].all()


def test_parameters_are_counted():
    assert parameter_count(TINY.model) == sum(p.numel() for p in CoTracker3(TINY.model).parameters())


def test_weights_too_large_for_half_precision_are_refused(tmp_path: Path):
    weights = {**CoTracker3(TINY.model).state_dict(), "updateformer.flow_head.bias": torch.tensor([1e6, 0.0])}
    with pytest.raises(OutputError, match=r"flow_head.bias.*not finite"):
        save_weights(weights, TINY.model, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def test_a_place_that_cannot_be_written_is_told(checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture):
    for out in (tmp_path, checkpoint / "index.json" / "out.safetensors"):
        assert main([str(checkpoint), str(out)]) == 2
        assert f"OutputError: The weights cannot be written to {out}" in capsys.readouterr().err


def test_what_is_no_training_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    save_checkpoint(tmp_path / "other", {"step": 1})
    with pytest.raises(ResumeError, match="not one of training"):
        export_weights(tmp_path / "other", tmp_path / "out.safetensors")
    assert main([str(tmp_path / "nothing"), str(tmp_path / "out.safetensors")]) == 2
    assert "no checkpoint" in capsys.readouterr().err
