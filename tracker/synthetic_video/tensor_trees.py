"""Dataclasses of tensors, and of dataclasses of tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

T = TypeVar("T")


def map_tensors(value: T, function: Callable[[Tensor], Tensor]) -> T:
    """The same tree with every tensor changed; what is no tensor stays."""
    if isinstance(value, Tensor):
        return cast("T", function(value))
    if is_dataclass(value) and not isinstance(value, type):
        changed: dict[str, Any] = {f.name: map_tensors(getattr(value, f.name), function) for f in fields(value)}
        return cast("T", type(value)(**changed))
    return value


def select_clips(value: T, index: Tensor) -> T:
    """The clips of the given indices (b,): every tensor's first axis is the clip."""
    return map_tensors(value, lambda tensor: tensor.index_select(0, index))


def to_device(value: T, device: torch.device) -> T:
    """The same tree on a device, without waiting for it."""
    return map_tensors(value, lambda tensor: tensor.to(device, non_blocking=True))
