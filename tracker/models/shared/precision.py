"""Where a model runs, and in which precision its matrices are multiplied; for every family.

The switch of TF32 counts the runs of the whole process, so there is one.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar

import torch
from torch import nn

from ...errors import OptionError

DTYPES = ("auto", "float32", "tf32", "bfloat16")

Model = TypeVar("Model", bound=nn.Module)


def choose_device(device: str) -> torch.device:
    """Reads the device option.

    Args:
        device: "auto" (cuda, else mps, else cpu), or a torch device that is there

    Raises:
        OptionError: if there is no such device
    """
    if not isinstance(device, str | torch.device):
        raise OptionError(f"Invalid device ({device!r}). Supported values are auto, cpu, cuda, mps")
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        # torch says in any of these ways that it was built without a device
        raise OptionError(
            f"Invalid device ({device!r}): {str(error).splitlines()[0]}. Supported values are auto, cpu, cuda, mps"
        ) from error
    return chosen


def choose_dtype(dtype: str, device: torch.device) -> str:
    """Reads the dtype option.

    Args:
        dtype: one of `DTYPES`; "auto" is tf32 on cuda and float32 elsewhere
        device: where the model runs

    Returns:
        "float32", "tf32" or "bfloat16"

    Raises:
        OptionError: for another value, or one the device does not have
    """
    if dtype not in DTYPES:
        raise OptionError(f"Invalid dtype ({dtype!r}). Supported values are {', '.join(DTYPES)}")
    if dtype == "auto":
        return "tf32" if device.type == "cuda" else "float32"
    if dtype == "tf32" and device.type != "cuda":
        raise OptionError("Invalid dtype ('tf32'). It exists on cuda devices only; use float32 or bfloat16")
    return dtype


def place_model(
    model: Model, device: torch.device, dtype: str, set_matrix_dtype: Callable[[Model, torch.dtype], None]
) -> Model:
    """Brings a model to a device and into a dtype; its owner's is left alone.

    Args:
        model: in float32, or as an earlier call gave it
        device: where it is to run
        dtype: as of `choose_dtype`
        set_matrix_dtype: converts what is multiplied in another dtype, in place

    Returns:
        the model itself where it is so already, else a copy
    """
    parameters = list(model.parameters())
    moves = parameters[0].device != torch.empty(0, device=device).device
    casts = dtype == "bfloat16" and not any(value.dtype == torch.bfloat16 for value in parameters)
    if not moves and not casts:
        return model
    model = copy.deepcopy(model).to(device)
    if casts:
        set_matrix_dtype(model, torch.bfloat16)
    return model


class _Tf32Switch:
    """Torch's process-wide TF32 settings, while runs that ask for different ones may overlap in threads.

    TF32 is used while every running one asked for it: a float32 run never meets
    it, a tf32 run beside one is slower and more exact. What the caller had set
    comes back with the end of the last.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: Counter[bool] = Counter()  # by whether TF32 was asked for
        self._before: tuple[Any, ...] = ()

    def enter(self, wanted: bool) -> None:
        with self._lock:
            if not self._running.total():
                self._before = tuple(getattr(owner, name) for owner, name in _tf32_settings())
            self._running[wanted] += 1
            self._apply()

    def leave(self, wanted: bool) -> None:
        with self._lock:
            self._running[wanted] -= 1
            if self._running.total():
                self._apply()
            else:
                for (owner, name), value in zip(_tf32_settings(), self._before, strict=True):
                    setattr(owner, name, value)

    def _apply(self) -> None:
        allowed = not self._running[False]
        for owner, name in _tf32_settings():
            setattr(owner, name, allowed if name == "allow_tf32" else ("tf32" if allowed else "ieee"))


def _tf32_settings() -> list[tuple[Any, str]]:
    """Where torch keeps the settings: since 2.9 by kind of operation, and then it refuses to read the older flags."""
    matmul, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    convolution = getattr(cudnn, "conv", None)
    if hasattr(convolution, "fp32_precision") and hasattr(matmul, "fp32_precision"):
        return [(matmul, "fp32_precision"), (convolution, "fp32_precision")]
    return [(matmul, "allow_tf32"), (cudnn, "allow_tf32")]


_TF32 = _Tf32Switch()


@contextmanager
def matrix_products(dtype: str, device: torch.device) -> Iterator[None]:
    """Allows TF32 products in float32 modules for a while where that was chosen, and forbids them elsewhere.

    Torch's own default rounds the convolutions of float32 modules to TF32 on
    cuda; on other devices there is nothing to set.

    Args:
        dtype: as of `choose_dtype`
        device: where the products will run
    """
    if device.type != "cuda":
        yield
        return
    _TF32.enter(dtype == "tf32")
    try:
        yield
    finally:
        _TF32.leave(dtype == "tf32")
