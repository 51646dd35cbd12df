"""Reads and writes weights: the published files, and safetensors with the sizes inside.

Pickled files are read with `weights_only` only: they can hold numbers, no code.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ....errors import CheckpointError, OptionError, OutputError
from ...shared.checkpoint_files import build_filled, count_blocks, read_tensors
from ..network.config import COTRACKER2, COTRACKER2_1, COTRACKER3_OFFLINE, COTRACKER3_ONLINE, CoTrackerConfig
from ..network.cotracker2 import CoTracker2
from ..network.model import CoTracker3

CoTracker = CoTracker3 | CoTracker2

CONFIG_KEY = "cotracker_config"
_SHOWN_CHARACTERS = 200


def build_model(config: CoTrackerConfig) -> CoTracker:
    """A model of these sizes with fresh weights."""
    return CoTracker3(config) if config.version == 3 else CoTracker2(config)


def load_network(path: str | os.PathLike[str]) -> CoTracker:
    """Builds the model a file holds and fills it.

    Args:
        path: a published .pth file (raw, or under "model" or "state_dict"), or
            a safetensors file

    Returns:
        the model on the CPU, in float32, in evaluation mode

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it holds no weights of a CoTracker model
    """
    state, config = read_checkpoint(path)
    sizes = config or detect_config(state, path)
    return build_filled(lambda: build_model(sizes), state, flavour(sizes), path)


def save_network(model: CoTracker, path: str | os.PathLike[str]) -> None:
    """Writes a model as safetensors, its sizes included.

    Args:
        model: any CoTracker model
        path: of the file to write

    Raises:
        OutputError: if it cannot be written
    """
    file = Path(path).expanduser()
    if not file.parent.is_dir():
        raise OutputError(f"There is no folder {file.parent} to write {file.name} into. Create it first")
    state = {key: value.detach().contiguous().cpu() for key, value in model.state_dict().items()}
    try:
        save_file(state, file, metadata={"format": "pt", CONFIG_KEY: json.dumps(model.config.to_dict())})
    except (SafetensorError, OSError) as error:
        raise OutputError(f"{file} cannot be written: {error}") from error


def read_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], CoTrackerConfig | None]:
    """Reads the tensors of a file.

    Args:
        path: as for `load_network`

    Returns:
        tensors by their published names, and the sizes where the file holds them

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it cannot be read, or holds no tensors
    """
    state, metadata = read_tensors(path)
    sizes = metadata.get(CONFIG_KEY)
    return state, None if sizes is None else _read_sizes(sizes, Path(path))


def detect_config(state: dict[str, Tensor], path: str | os.PathLike[str] = "the file") -> CoTrackerConfig:
    """Tells the published models apart by their tensors, and how deep they are.

    Raises:
        CheckpointError: if it is none of them
    """
    time_emb = state.get("time_emb")
    if time_emb is None or time_emb.ndim != 3:
        raise CheckpointError(f"{path} holds no CoTracker weights: the tensor 'time_emb' is missing")
    if not any(key.startswith("updateformer.") for key in state):  # other families have a 'time_emb' too
        raise CheckpointError(f"{path} holds no CoTracker weights: tensors of an 'updateformer' are missing")
    window = time_emb.shape[1]
    published = (COTRACKER2, COTRACKER2_1) if "pos_emb" in state else (COTRACKER3_OFFLINE, COTRACKER3_ONLINE)
    for config in published:
        if config.window == window:
            depth = count_blocks(state, r"updateformer\.time_blocks\.(\d+)\.")
            return replace(config, depth=depth or config.depth)
    raise CheckpointError(
        f"{path} holds a CoTracker{published[0].version} model with a window of {window} frames. "
        f"Published ones have {' or '.join(str(config.window) for config in published)}; "
        "own sizes need a safetensors file from `save_network`"
    )


def flavour(config: CoTrackerConfig) -> str:
    """The name of the tracker a model of these sizes is for."""
    return "cotracker2" if config.version == 2 else f"cotracker3-{config.mode}"


def _read_sizes(text: str, file: Path) -> CoTrackerConfig:
    try:
        return CoTrackerConfig.from_dict(dict(json.loads(text)))
    except OptionError as error:
        raise CheckpointError(f"{file} holds sizes of no CoTracker model: {error}") from error
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{file} holds sizes of no CoTracker model: {text[:_SHOWN_CHARACTERS]!r}") from error
