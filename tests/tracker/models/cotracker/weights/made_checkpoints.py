"""Files of weights without any training."""

from __future__ import annotations

import torch

from point_tracking.tracker.models.cotracker.weights.checkpoint import (
    build_model,
)


def zeros_of(config) -> dict[str, torch.Tensor]:
    """A state dict of the published shapes that takes hardly any memory."""
    with torch.device("meta"):
        state = build_model(config).state_dict()
    return {key: torch.zeros(1).expand(value.shape) for key, value in state.items()}
