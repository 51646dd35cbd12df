"""Weights files of any family: read without running what is in them, and checked against a model.

A file holds the tensors directly or under "model" or "state_dict", with or
without the prefix that parallel training leaves behind.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ...errors import CheckpointError, WeightsError

_WRAPPERS = ("model", "state_dict")  # keys under which training scripts keep the weights
_PREFIX = "module."  # left behind by parallel training
_SHOWN = 3

Model = TypeVar("Model", bound=nn.Module)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Reads the tensors of a file; pickled files with `weights_only`.

    Args:
        path: of a .pth or .safetensors file

    Returns:
        tensors by their published names, and the metadata of a safetensors file

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it is damaged, holds code, or no tensors
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise WeightsError(f"There is no checkpoint file at {file}. Expected a .pth or .safetensors file")
    metadata: dict[str, str] = {}
    if file.suffix == ".safetensors":
        state, metadata = _read_safetensors(file)
    else:
        state = _unwrap(_unpickle(file), file)
    return {key.removeprefix(_PREFIX): value for key, value in state.items()}, metadata


def build_filled(
    build: Callable[[], Model], state: Mapping[str, Tensor], name: str, path: str | os.PathLike[str]
) -> Model:
    """Builds a model, without numbers of its own, from the tensors of a file.

    Args:
        build: makes it
        state, name, path: as of `fill_model`

    Returns:
        the model on the CPU, in float32, in evaluation mode

    Raises:
        CheckpointError: as of `fill_model`
    """
    with torch.device("meta"):
        model = build()
    fill_model(model, state, name, path)
    return model.eval()


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


def count_blocks(keys: Iterable[str], pattern: str) -> int:
    """How many numbered parts a model has.

    Args:
        keys: names of tensors
        pattern: a regular expression for their beginnings, with the number, from 0, as its only group
    """
    return 1 + max((int(found[1]) for key in keys if (found := re.match(pattern, key))), default=-1)


def check_tracker_name(found: str, name: str, path: str | os.PathLike[str]) -> None:
    """Refuses a file that holds weights of another tracker of its family.

    Args:
        found: the tracker that its tensors are for
        name: the tracker it was loaded as
        path: of the file, for messages

    Raises:
        CheckpointError: if they differ
    """
    if found != name:
        raise CheckpointError(
            f"{path} holds weights of {found!r}, not of {name!r}. Load it with load_tracker({found!r}, checkpoint=...)"
        )


def _unpickle(file: Path) -> Any:
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except PermissionError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}. Check who may read it") from error
    except Exception as error:  # noqa: BLE001 - damaged bytes make the unpickler raise nearly anything
        # torch's own text, which advises to run the code in such files, is left out with its traceback
        raise CheckpointError(
            f"{file} cannot be read as a checkpoint ({type(error).__name__}): it is damaged or incomplete, or holds "
            "code, which is never run. Expected a .pth file of tensors, or a .safetensors file"
        ) from None


def _unwrap(content: Any, file: Path) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(wrapper), dict):
            content = content[wrapper]
    pairs = content.items() if isinstance(content, dict) else ()
    if not pairs or not all(isinstance(key, str) and isinstance(value, Tensor) for key, value in pairs):
        raise CheckpointError(
            f"{file} holds no state dict. Expected tensors by name, directly or under {' or '.join(_WRAPPERS)}"
        )
    return content


def _read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(file, framework="pt", device="cpu") as content:
            return {key: content.get_tensor(key) for key in content.keys()}, content.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} cannot be read as safetensors: {error}") from error
