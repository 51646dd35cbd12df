"""Trackers whose published weights have to be downloaded, as small as they come: one block, the smallest frame.

Their weights mean nothing, so they follow nothing; what a tracker must do whatever its weights is tested with them.
One more family: a function that writes a checkpoint and loads it by name, and a line in `SHALLOW` for each name.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import point_tracking as pt
from point_tracking.tracker.models.base import Tracker

_PARITY = Path(__file__).parents[2] / "data" / "parity"
COTRACKER_SIZES = {
    "resolution": (48, 64),
    "encoder_widths": (8, 12, 16, 16),
    "feature_dim": 16,
    "levels": 3,
    "radius": 2,
    "corr_hidden": 24,
    "corr_dim": 16,
    "width": 32,
    "heads": 4,
    "depth": 1,
    "virtual_tokens": 6,
    "motion_frequencies": 4,
    "iterations": 2,
}


def reference_weights(family: str) -> Any:
    """The module that makes pseudo-random weights for the reference cases of a family."""
    file = _PARITY / family / "weights.py"
    spec = importlib.util.spec_from_file_location(f"{family}_weights", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _alltracker(name: str, folder: Path, **options: Any) -> Tracker:
    from point_tracking.tracker.models.alltracker.config import ALLTRACKER, ALLTRACKER_TINY, MIN_SIDE
    from point_tracking.tracker.models.alltracker.network import AllTracker

    published = {config.name: config for config in (ALLTRACKER, ALLTRACKER_TINY)}[name]
    path = folder / f"{name}.pth"
    if not path.exists():
        with torch.device("meta"):
            model = AllTracker(replace(published, stage_depths=(1, 1, 1), block_pairs=1, window=4))
        torch.save({"model": reference_weights("alltracker").make_weights(model.state_dict())}, path)
    return _load(name, path, {"resolution": MIN_SIDE, "iterations": 1, **options})


def _cotracker(name: str, folder: Path, **options: Any) -> Tracker:
    from point_tracking.tracker.models.cotracker.network import config as configs
    from point_tracking.tracker.models.cotracker.weights.checkpoint import build_model, save_network

    published = {
        "cotracker3-offline": configs.COTRACKER3_OFFLINE,
        "cotracker3-online": replace(configs.COTRACKER3_ONLINE, window=8),
        "cotracker2": replace(configs.COTRACKER2, levels=4),
    }[name]
    path = folder / f"{name}.safetensors"
    if not path.exists():
        with torch.random.fork_rng():
            torch.manual_seed(0)
            sizes = {**COTRACKER_SIZES, "levels": 4} if published.version == 2 else COTRACKER_SIZES
            save_network(build_model(replace(published, **sizes)), path)
    return _load(name, path, {"iterations": 2, **options})


TAPIR_SIZES = {
    "widths": (8, 8, 16, 16, 16),
    "depths": (1, 1, 1, 1),
    "extra_width": 16,
    "mixer_width": 32,
    "mixer_blocks": 1,
}


def _tapir(name: str, folder: Path, **options: Any) -> Tracker:
    from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, BOOTSTAPIR_ONLINE, TAPIR
    from point_tracking.tracker.models.tapir.network import Tapir

    published = {config.name: config for config in (BOOTSTAPIR, BOOTSTAPIR_ONLINE, TAPIR)}[name]
    path = folder / f"{name}.pt"
    if not path.exists():
        with torch.device("meta"):
            model = Tapir(replace(published, extra_convs=min(published.extra_convs, 1), **TAPIR_SIZES))
        torch.save(reference_weights("tapir").make_weights(model.state_dict()), path)
    flavour = {} if name == "tapir" else {"flavour": name}
    return _load(name, path, {"iterations": 1, **flavour, **options})


LOCOTRACK_SIZES = {
    "widths": (8, 8, 16, 16, 16),
    "depths": (1, 1, 1, 1),
    "width": 128,
    "hidden": 32,
    "layers": 1,
}


def _locotrack(name: str, folder: Path, **options: Any) -> Tracker:
    from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
    from point_tracking.tracker.models.locotrack.network import LocoTrack

    published = {config.name: config for config in (LOCOTRACK_BASE, LOCOTRACK_SMALL)}[name]
    path = folder / f"{name}.ckpt"
    if not path.exists():
        convs = (*(replace(conv, width=16) for conv in published.convs[:-1]), published.convs[-1])
        with torch.device("meta"):
            model = LocoTrack(replace(published, convs=convs, **LOCOTRACK_SIZES))
        weights = reference_weights("locotrack").make_weights(model.state_dict())
        torch.save({"state_dict": {f"model.{key}": value for key, value in weights.items()}}, path)
    return _load(name, path, {"iterations": 1, **options})


def _load(name: str, path: Path, options: dict[str, Any]) -> Tracker:
    return pt.load_tracker(name, checkpoint=path, device="cpu", **options)


SHALLOW: dict[str, Callable[..., Tracker]] = {
    "alltracker": _alltracker,
    "alltracker-tiny": _alltracker,
    "cotracker2": _cotracker,
    "cotracker3-offline": _cotracker,
    "cotracker3-online": _cotracker,
    "bootstapir": _tapir,
    "bootstapir-online": _tapir,
    "tapir": _tapir,
    "locotrack-base": _locotrack,
    "locotrack-small": _locotrack,
}


def load_shallow(name: str, folder: Path, **options: Any) -> Tracker:
    """A shallow tracker.

    Args:
        name: of `SHALLOW`
        folder: for its checkpoint, which is written once
        options: of the tracker, besides its checkpoint
    """
    return SHALLOW[name](name, folder, **options)
