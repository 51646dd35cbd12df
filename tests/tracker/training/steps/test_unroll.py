"""Unrolled training is the tracker's own inference with gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.training.configs import TINY
from point_tracking.tracker.training.data.batches import TrainingBatch
from point_tracking.tracker.training.steps.losses import LossWeights
from point_tracking.tracker.training.steps.unroll import clip_loss, encode_clips, unrolled_windows, window_truth

from ..made_clips import moving_batch

STAGE = TINY.stages[2]


@pytest.fixture
def model() -> CoTracker3:
    torch.manual_seed(2)
    return CoTracker3(TINY.model)


@pytest.fixture
def batch() -> TrainingBatch:
    return moving_batch(replace(STAGE, batch=2), torch.Generator().manual_seed(5))


def test_gradients_change_no_number(model: CoTracker3, batch: TrainingBatch):
    """Without gradients the model works in place and block by block."""

    def positions() -> list[torch.Tensor]:
        maps = encode_clips(model, batch.video)
        windows = unrolled_windows(model, maps, batch.query_t, batch.query_xy, 2)
        return [states[-1].xy for _, states in windows]

    trained = positions()
    with torch.inference_mode():
        used = positions()
    assert len(trained) == len(used) == 2  # 6 frames: a window of 4, and half a window more
    for one, other in zip(trained, used, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_every_parameter_learns(model: CoTracker3, batch: TrainingBatch):
    clip_loss(model, batch, LossWeights(), iterations=2, contrastive=0.1).total.backward()
    # a bias before an instance norm has no effect, and the model leaves it out
    useless = {name for name, _ in model.named_parameters() if name.startswith("fnet.") and name.endswith(".bias")}
    useless -= {"fnet.conv3.bias"}
    missing = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    assert missing == useless


def test_a_frozen_encoder_gets_no_gradient(model: CoTracker3, batch: TrainingBatch):
    clip_loss(model, batch, LossWeights(), iterations=1, train_encoder=False).total.backward()
    got = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert got
    assert not any(name.startswith("fnet.") for name in got)


def test_the_heads_can_be_left_out(model: CoTracker3, batch: TrainingBatch):
    """As for the tracks of a teacher."""
    weights = LossWeights(visible=0.05, hidden=0.01)
    loss = clip_loss(model, replace(batch, train_visibility=False), weights, iterations=1)
    torch.testing.assert_close(loss.total.detach(), 0.05 * loss.parts["visible"] + 0.01 * loss.parts["hidden"])
    assert clip_loss(model, batch, weights, iterations=1).total > loss.total + 0.5


def test_what_counts_in_a_window(batch: TrainingBatch):
    query_t = batch.query_t.clone()
    query_t[:, 0] = 5
    known = torch.ones_like(batch.visible)
    known[:, 1, 1] = False
    xy = batch.xy.clone()
    xy[:, 1, 1] = float("nan")
    xy[:, 2, 2] = 500.0
    changed = replace(batch, query_t=query_t, known=known, xy=xy)
    first = window_truth(changed, 0, 4)
    assert not first.counted[:, 0].any(), "its query comes after the window"
    assert not first.counted[:, 1, 1].any(), "unknown"
    assert not first.placed[:, 2, 2].any(), "far outside"
    assert first.counted[:, 2, 2].all(), "but its visibility is asked"
    assert torch.isfinite(first.xy_px).all()
    assert window_truth(changed, 2, 4).counted[:, 0].all(), "its query lies in this window"


def test_batches_check_their_shapes(batch: TrainingBatch):
    with pytest.raises(ShapeError, match="uint8"):
        replace(batch, video=batch.video.float())
    with pytest.raises(ShapeError, match="visible"):
        replace(batch, visible=batch.visible[:, 1:])
