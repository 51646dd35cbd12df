"""Builds the model a file of weights holds.

Published files: huggingface.co/datasets/hamacojr/LocoTrack-pytorch-weights,
`locotrack_small.ckpt` and `locotrack_base.ckpt`, written by Lightning: tensors
under "state_dict", their names after "model.".
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from torch import Tensor

from ...errors import CheckpointError
from ..shared.checkpoint_files import build_filled, read_tensors
from ..shared.independent_points.trunk import detect_trunk
from .config import HEAD_DIM, ConvSize, LocoTrackConfig
from .network import LocoTrack

_PREFIX = "model."  # left behind by Lightning
_LAYERS = "torch_pips_mixer.transformer.layers."


def load_model(path: str | os.PathLike[str]) -> LocoTrack:
    """Builds the model a file holds and fills it.

    Args:
        path: of a .ckpt or .safetensors file

    Returns:
        the model on the CPU, in float32, in evaluation mode

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it holds no weights of a LocoTrack model
    """
    state, _ = read_tensors(path)
    state = {key.removeprefix(_PREFIX): value for key, value in state.items()}
    config = detect_config(state, path)
    return build_filled(lambda: LocoTrack(config), state, config.name, path)


def detect_config(state: Mapping[str, Tensor], path: str | os.PathLike[str] = "the file") -> LocoTrackConfig:
    """Tells from its tensors which model it is, and how large.

    Raises:
        CheckpointError: if it is none
    """
    trunk = detect_trunk(state, "resnet_torch.")
    first = state.get("torch_pips_mixer.input_proj.weight")
    hidden = state.get(f"{_LAYERS}0.dense.0.weight")
    convs = []
    while (conv := state.get(f"cmdtop.0.conv.{len(convs)}.0.weight")) is not None and conv.ndim == 4:
        convs.append(ConvSize(conv.shape[2], conv.shape[0]))
    if trunk is None or first is None or hidden is None or not convs or first.shape[0] % (2 * HEAD_DIM):
        raise CheckpointError(
            f"{path} holds no LocoTrack weights: expected the tensors 'resnet_torch.*', 'cmdtop.*', "
            f"'torch_pips_mixer.input_proj.weight' and '{_LAYERS}*'"
        )
    widths, depths = trunk
    layers = 0
    while f"{_LAYERS}{layers}.dense.0.weight" in state:
        layers += 1
    return LocoTrackConfig(widths, depths, tuple(convs), first.shape[0], hidden.shape[0], layers)
