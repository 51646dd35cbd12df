"""Where the model runs, and in which precision its matrices are multiplied.

Positions, motion codes, layer norms, residual streams and the heads are float32
in every mode; only convolutions and the large linear layers change.
"""

from __future__ import annotations

import torch

from ..network.model import CoTracker3
from ..network.transformer import Attention, Mlp
from ..weights.checkpoint import CoTracker


def set_matrix_dtype(model: CoTracker, dtype: torch.dtype) -> None:
    """Converts the convolutions and large linear layers of a model in place."""
    model.fnet.to(dtype)
    for module in model.updateformer.modules():
        if isinstance(module, Attention | Mlp):
            module.to(dtype)
    if isinstance(model, CoTracker3):
        model.corr_mlp.fc1.to(dtype)
