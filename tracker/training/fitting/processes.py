"""One process, or several under torchrun that train one model together."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from ...models.shared.precision import choose_device


@dataclass(frozen=True)
class Processes:
    """This process among those of a run.

    Args:
        rank: of this process, from 0
        count: of processes
        device: this process computes on
    """

    rank: int
    count: int
    device: torch.device

    @classmethod
    def start(cls, device: str = "auto") -> Processes:
        """Joins the processes that torchrun started; one alone without it.

        Args:
            device: "auto" (cuda where there is one, else cpu), or a torch device

        Raises:
            OptionError: if there is no such device
        """
        count = int(os.environ.get("WORLD_SIZE", "1"))
        rank = int(os.environ.get("RANK", "0"))
        chosen = _device(device, int(os.environ.get("LOCAL_RANK", "0")))
        if count > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        return cls(rank, count, chosen)

    @property
    def leads(self) -> bool:
        """Whether this one writes files."""
        return self.rank == 0

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replaces gradients by their mean over all processes."""
        if self.count == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.count
        for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))

    def agree(self, value: float) -> float:
        """The first process's number, for all."""
        if self.count == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, 0)
        return float(shared)

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in order of rank."""
        if self.count == 1:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value)
        return values

    def stop(self) -> None:
        """Leaves the group."""
        if self.count > 1 and dist.is_initialized():
            dist.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        name = f"cuda:{local_rank}"
    device = choose_device(name)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device
