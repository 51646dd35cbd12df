"""Weights files of any family: read without running what is in them, and checked against a model.

A file holds the tensors directly or under "model" or "state_dict", with or
without the prefix that parallel training leaves behind.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..cotracker.errors import CheckpointError, WeightsError
from ..cotracker.weights.checkpoint import read_checkpoint

__all__ = ["CheckpointError", "WeightsError", "fill_model", "read_tensors"]

_SHOWN = 3


def read_tensors(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Reads the tensors of a file; pickled files with `weights_only`.

    Args:
        path: of a .pth or .safetensors file

    Returns:
        tensors by their published names

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it is damaged, holds code, or no tensors
    """
    state, _ = read_checkpoint(path)
    return state


def fill_model(model: nn.Module, state: Mapping[str, Tensor], name: str, path: str | os.PathLike[str]) -> None:
    """Gives a model, built on the meta device, the tensors of a file, as float32.

    Args:
        model: with parameters of the published names and shapes
        state: the tensors
        name: of the tracker, for messages
        path: of the file, for messages

    Raises:
        CheckpointError: if tensors are missing, unknown, or of other shapes or kinds
    """
    expected = model.state_dict()
    problems = [f"{key} is missing" for key in expected if key not in state]
    problems += [f"{key} is unknown" for key in state if key not in expected]
    for key in expected.keys() & state.keys():
        if state[key].shape != expected[key].shape:
            problems.append(f"{key} has the shape {tuple(state[key].shape)} instead of {tuple(expected[key].shape)}")
        elif not torch.is_floating_point(state[key]):
            problems.append(f"{key} holds {state[key].dtype} instead of floating point numbers")
    if problems:
        more = f" and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise CheckpointError(f"{path} does not fit the model {name!r}: {'; '.join(problems[:_SHOWN])}{more}")
    model.load_state_dict({key: value.float() for key, value in state.items()}, assign=True)
