"""A model ready to run."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

from ..cases import KINDS, POINTS


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_model_of_a_caller_is_left_alone(small_model, dtype):
    model = small_model("offline").train()
    tracker = CoTrackerTracker.from_model(model, device="cpu", dtype=dtype)
    assert model.training, "it may be in training elsewhere"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (tracker.model is model) == (dtype == "float32"), "copied only where it has to change"
    assert (tracker.model.fnet.conv1.weight.dtype == torch.bfloat16) == (dtype == "bfloat16")


def test_a_model_in_training_tracks_as_one_in_evaluation(small_model, clip):
    trackers = [
        CoTrackerTracker.from_model(model, device="cpu")
        for model in (small_model("online").train(), small_model("online"))
    ]
    found = [tracker.track(clip(10), POINTS).xy for tracker in trackers]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_close(make, clip, kind):
    frames = clip(10)
    exact, rough = make(kind).track(frames, POINTS), make(kind, dtype="bfloat16").track(frames, POINTS)
    difference = np.abs(exact.xy - rough.xy)
    assert difference.max() > 0
    assert difference.mean() < 1.0
