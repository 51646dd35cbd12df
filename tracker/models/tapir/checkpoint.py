"""Builds the model a file of weights holds.

Published files: storage.googleapis.com/dm-tapnet, `tapir_checkpoint_panning.pt`,
`bootstap/bootstapir_checkpoint_v2.pt` and `bootstap/causal_bootstapir_checkpoint.pt`,
plain tensors by name. The last two have the same names and shapes: which of them
a file is, the tracker's name says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor

from ...errors import CheckpointError
from ..shared.checkpoint_files import build_filled, read_tensors
from ..shared.independent_points.sampling import AROUND
from ..shared.independent_points.trunk import detect_trunk
from .config import STATE_PARTS, TapirConfig
from .network import Tapir

_MIXER = "torch_pips_mixer."


def load_model(path: str | os.PathLike[str], *, causal: bool = False) -> Tapir:
    """Builds the model a file holds and fills it.

    Args:
        path: of a .pt or .safetensors file
        causal: whether its frames see earlier ones only

    Returns:
        the model on the CPU, in float32, in evaluation mode

    Raises:
        WeightsError: if there is no such file
        CheckpointError: if it holds no weights of the family
    """
    state, _ = read_tensors(path)
    config = replace(detect_config(state, path), causal=causal)
    return build_filled(lambda: Tapir(config), state, config.name, path)


def detect_config(state: Mapping[str, Tensor], path: str | os.PathLike[str] = "the file") -> TapirConfig:
    """Tells from its tensors how large a model is; not whether it is causal.

    Raises:
        CheckpointError: if it is none
    """
    trunk = detect_trunk(state, "resnet_torch.")
    first = state.get(f"{_MIXER}linear.weight")
    blocks = _count(state, _MIXER + "blocks.{}.mlp1_up.weight")
    if trunk is None or first is None or first.ndim != 2 or not blocks:
        raise CheckpointError(
            f"{path} holds no weights of the TAPIR family: expected the tensors 'resnet_torch.*', "
            f"'{_MIXER}linear.weight' and '{_MIXER}blocks.*'"
        )
    widths, depths = trunk
    extra = state.get("extra_convs.blocks.0.conv.weight")
    config = TapirConfig(
        widths=widths,
        depths=depths,
        extra_convs=_count(state, "extra_convs.blocks.{}.conv.weight"),
        extra_width=0 if extra is None else extra.shape[0],
        mixer_width=first.shape[0],
        mixer_blocks=blocks,
    )
    maps = (first.shape[1] - STATE_PARTS - config.feature_dim) // AROUND
    return replace(config, pooled=maps > 2)


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    """How many names of a numbered pattern there are, from 0 on."""
    count = 0
    while pattern.format(count) in state:
        count += 1
    return count
