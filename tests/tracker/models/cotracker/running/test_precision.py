"""Which parts of a model are converted to bfloat16."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from point_tracking.tracker.models.cotracker.running.precision import set_matrix_dtype
from point_tracking.tracker.models.cotracker.weights.checkpoint import CoTracker


@pytest.mark.parametrize("kind", ["offline", "v2"])
def test_convolutions_and_large_linears_alone_are_converted(small_model: Callable[..., CoTracker], kind: str) -> None:
    model = small_model(kind)
    set_matrix_dtype(model, torch.bfloat16)
    kinds = {name: parameter.dtype for name, parameter in model.named_parameters()}
    converted = {name.split(".")[0] for name, dtype in kinds.items() if dtype == torch.bfloat16}
    assert {"fnet", "updateformer"} <= converted
    left = [name for name, dtype in kinds.items() if dtype == torch.float32]
    assert any("flow_head" in name or "vis" in name for name in left), "the heads stay float32"
    assert all(dtype == torch.bfloat16 for name, dtype in kinds.items() if name.startswith("fnet."))
    set_matrix_dtype(model, torch.float32)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
