"""Builds the model a file of weights holds.

Published files: huggingface.co/aharley/alltracker, `alltracker.pth` and
`alltracker_tiny.pth`, tensors under "model". What a file does not say
(correlation radius, levels, heads) is the same for all.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from torch import Tensor

from ...errors import CheckpointError
from ..shared.checkpoint_files import build_filled, count_blocks, read_tensors
from .config import AllTrackerConfig
from .network import AllTracker

_NORMAL_KEY = "cnn.features.0.0.weight"
_TINY_KEY = "fnet.conv1.weight"
_STAGE_PARTS = (1, 3, 5)


def load_model(path: str | os.PathLike[str]) -> AllTracker:
    """Builds the model a file holds and fills it.

    Args:
        path: of a .pth or .safetensors file

    Returns:
        the model on the CPU, in float32, in evaluation mode

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it holds no weights of an AllTracker model
    """
    state, _ = read_tensors(path)
    config = detect_config(state, path)
    return build_filled(lambda: AllTracker(config), state, config.name, path)


def detect_config(state: Mapping[str, Tensor], path: str | os.PathLike[str] = "the file") -> AllTrackerConfig:
    """Tells from its tensors which model it is, and how deep.

    Raises:
        CheckpointError: if it is none
    """
    time_emb = state.get("time_emb")
    kinds = [kind for kind, key in (("convnext", _NORMAL_KEY), ("residual", _TINY_KEY)) if key in state]
    pairs = count_blocks(state, r"update_block\.refine\.(\d+)\.") // 2
    if time_emb is None or time_emb.ndim != 3 or time_emb.shape[1] < 2 or len(kinds) != 1 or pairs < 1:
        raise CheckpointError(
            f"{path} holds no AllTracker weights: expected the tensors 'time_emb', 'update_block.refine.*' and "
            f"either {_NORMAL_KEY!r} (alltracker) or {_TINY_KEY!r} (alltracker-tiny)"
        )
    if kinds[0] == "residual":
        return AllTrackerConfig("residual", block_pairs=pairs, window=time_emb.shape[1])
    first, second, third = (count_blocks(state, rf"cnn\.features\.{part}\.(\d+)\.") for part in _STAGE_PARTS)
    return AllTrackerConfig("convnext", (first, second, third), pairs, time_emb.shape[1])
