"""Runs of networks without numbers: on torch's meta device, counted, and guarded against what would stall a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass
class Counts:
    """What a run called for.

    Args:
        flops: of convolutions and matrix products, multiply + add = 2
        calls: of ATen operators
    """

    flops: int = 0
    calls: int = 0


class _Guard(TorchDispatchMode):
    """Fails on a tensor of another device, which on a GPU would be a copy, or a wait, in the midst of work."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self._counts = counts

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        self._counts.calls += 1
        result = func(*args, **kwargs)
        for leaf in tree_leaves((args, kwargs, result)):
            if isinstance(leaf, torch.Tensor) and leaf.device.type != "meta":
                raise AssertionError(f"{func} has a tensor on {leaf.device}: it belongs on the model's device")
        return result


@contextmanager
def watched() -> Iterator[Counts]:
    """Counts what runs on the meta device for a while; reading a number back to the host fails there by itself."""
    counts = Counts()
    flops = FlopCounterMode(display=False)
    with torch.no_grad(), flops, _Guard(counts):
        yield counts
    counts.flops = flops.get_total_flops()
