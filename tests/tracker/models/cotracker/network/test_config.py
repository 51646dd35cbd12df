"""Sizes of models."""

from __future__ import annotations

import pytest
import torch

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER2,
    COTRACKER2_1,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
    CoTrackerConfig,
)


@pytest.mark.parametrize(
    ("config", "token_dim", "tensors", "parameters"),
    [
        (COTRACKER3_OFFLINE, 1110, 188, 25_385_700),
        (COTRACKER3_ONLINE, 1110, 188, 25_385_700),
        (COTRACKER2, 456, 321, 45_458_787),
        (COTRACKER2_1, 456, 321, 45_458_787),
    ],
)
def test_published_sizes(config, token_dim, tensors, parameters):
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model

    with torch.device("meta"):
        model = build_model(config)
    assert config.token_dim == token_dim
    assert len(model.state_dict()) == tensors
    assert sum(p.numel() for p in model.parameters()) == parameters
    assert tuple(model.time_emb.shape) == (1, config.window, token_dim)


@pytest.mark.parametrize(
    "sizes",
    [
        {"width": 100},
        {"depth": 0},
        {"resolution": (50, 64)},
        {"resolution": (16, 16)},
        {"version": 2},
        {"mode": "online", "window": 7},
        {"mode": "sideways"},
        {"width": "384"},
        {"window": 2.5},
        {"levels": None},
        {"heads": True},
        {"resolution": (384.0, 512.0)},
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(OptionError, match=r"Invalid|CoTracker2"):
        CoTrackerConfig(**sizes)
