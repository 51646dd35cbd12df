"""Where the model runs, and in which precision its matrices are multiplied.

Positions, motion codes, layer norms, residual streams and the heads are float32
in every mode; only convolutions and the large linear layers change.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ...errors import OptionError
from .checkpoint import CoTracker
from .model import CoTracker3
from .transformer import Attention, Mlp

DTYPES = ("auto", "float32", "tf32", "bfloat16")


def choose_device(device: str) -> torch.device:
    """Reads the device option.

    Args:
        device: "auto" (cuda, else mps, else cpu), or a torch device that is there

    Raises:
        OptionError: if there is no such device
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
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


def set_matrix_dtype(model: CoTracker, dtype: torch.dtype) -> None:
    """Converts the convolutions and large linear layers of a model in place."""
    model.fnet.to(dtype)
    for module in model.updateformer.modules():
        if isinstance(module, Attention | Mlp):
            module.to(dtype)
    if isinstance(model, CoTracker3):
        model.corr_mlp.fc1.to(dtype)


@contextmanager
def matrix_products(dtype: str) -> Iterator[None]:
    """Allows TF32 products in float32 modules for a while where that was chosen, and forbids them elsewhere.

    Torch's own default rounds the convolutions of float32 modules to TF32 on cuda.
    """
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = dtype == "tf32"
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn
