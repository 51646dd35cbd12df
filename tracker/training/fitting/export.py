"""From a training checkpoint to weights a tracker loads: averaged weights, half precision, the sizes inside.

`python -m point_tracking.tracker.training.fitting.export CHECKPOINT OUT.safetensors`
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from ...errors import OutputError, PointTrackingError, ResumeError
from ...models.cotracker.network.config import CoTrackerConfig
from ...models.cotracker.network.model import CoTracker3
from ...models.cotracker.weights.checkpoint import CONFIG_KEY, load_network
from ..configs import find_config
from .checkpoint import load_checkpoint
from .validation import ValidationClips, validation_frames

LICENSE = "Apache-2.0"
_THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def export_weights(checkpoint: str | os.PathLike[str], out: str | os.PathLike[str]) -> dict[str, str]:
    """Writes the averaged weights of a run.

    Args:
        checkpoint: folder of the run's checkpoint
        out: a .safetensors file to write

    Returns:
        the file's metadata

    Raises:
        ResumeError: if there is no checkpoint, or it is damaged
        OutputError: if the file cannot be written
    """
    state = load_checkpoint(checkpoint)
    try:
        config, weights = CoTrackerConfig.from_dict(state["config"]["model"]), state["ema"]
        progress, training = state["progress"], str(state["config"]["name"])
    except (KeyError, TypeError) as error:
        raise ResumeError(f"The checkpoint in {checkpoint} is not one of training: {error} is missing") from error
    facts = {"config": training, "steps": str(progress["step"]), "clips": str(progress["clips"])}
    return save_weights(weights, config, out, facts)


def save_weights(
    weights: dict[str, torch.Tensor],
    config: CoTrackerConfig,
    out: str | os.PathLike[str],
    facts: dict[str, str] | None = None,
) -> dict[str, str]:
    """Writes weights in half precision.

    Args:
        weights: of a `CoTracker3`
        config: its sizes
        out: a .safetensors file to write
        facts: more entries of the metadata, such as how it was trained

    Returns:
        the file's metadata

    Raises:
        OutputError: if the file cannot be written, or a weight does not fit half precision
    """
    halved = {name: value.detach().cpu().to(torch.float16).contiguous() for name, value in weights.items()}
    broken = [name for name, value in halved.items() if not torch.isfinite(value).all()]
    if broken:
        raise OutputError(f"The weights {', '.join(broken[:3])} are not finite in half precision: nothing was written")
    metadata = {
        "format": "pt",
        CONFIG_KEY: json.dumps(config.to_dict()),
        "license": LICENSE,
        **{f"training_{key}": value for key, value in (facts or {}).items()},
    }
    try:
        Path(out).parent.mkdir(parents=True, exist_ok=True)
        save_file(halved, os.fspath(out), metadata=metadata)
    except (OSError, SafetensorError) as error:
        raise OutputError(f"The weights cannot be written to {out}: {error}") from error
    return metadata


def parameter_count(config: CoTrackerConfig) -> int:
    """Trained numbers of a model of these sizes."""
    with torch.device("meta"):
        model: Any = CoTracker3(config)
    return sum(parameter.numel() for parameter in model.parameters())


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; 2 = an error was told."""
    parser = argparse.ArgumentParser(prog="point_tracking.tracker.training.fitting.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="folder of the run's checkpoint (OUT/checkpoint)")
    parser.add_argument("out", type=Path, help="the .safetensors file to write")
    parser.add_argument("--thresholds", action="store_true", help="also tell which visibility threshold fits best")
    given = parser.parse_args(arguments)
    try:
        metadata = export_weights(given.checkpoint, given.out)
    except PointTrackingError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    size_mb = given.out.stat().st_size / 1e6
    count = parameter_count(CoTrackerConfig.from_dict(json.loads(metadata[CONFIG_KEY])))
    print(f"{given.out}: {count / 1e6:.2f} M parameters, {size_mb:.1f} MB, {metadata['training_steps']} steps")
    if given.thresholds:
        model, training = load_network(given.out), find_config(metadata["training_config"])
        assert isinstance(model, CoTracker3)
        clips = ValidationClips(training.synthetic, training.validation_clips, validation_frames(training))
        for threshold, jaccard in clips.jaccard_by_threshold(model, model.config.iterations, _THRESHOLDS).items():
            print(f"threshold {threshold}: AJ {jaccard:.4f} on the validation clips")
    return 0


if __name__ == "__main__":
    sys.exit(main())
