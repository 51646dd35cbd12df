"""Small models, and checkpoint files of the published ones with the weights of the reference cases."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from point_tracking.tracker.models.cotracker.network.config import (
    COTRACKER2,
    COTRACKER3_OFFLINE,
    COTRACKER3_ONLINE,
    CoTrackerConfig,
)
from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps
from point_tracking.tracker.models.cotracker.network.guidance import MOTION_PARTS, motion_size
from point_tracking.tracker.models.cotracker.weights.checkpoint import CoTracker, build_model

from .shallow import COTRACKER_SIZES

_SMALL = {**COTRACKER_SIZES, "depth": 2, "iterations": 3}  # high frequencies of motion make the smallest rounding grow
CONFIGS = {
    "offline": replace(COTRACKER3_OFFLINE, **_SMALL),
    "online": replace(COTRACKER3_ONLINE, window=8, **_SMALL),
    "guided": replace(COTRACKER3_ONLINE, window=8, guided=True, **_SMALL),
    "v2": replace(COTRACKER2, window=8, **{**_SMALL, "levels": 4}),
}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Small work is faster without threads, and tests share the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def parity():
    """The module that makes the weights of the reference cases."""
    file = Path(__file__).parents[2] / "data" / "parity" / "parity.py"
    spec = importlib.util.spec_from_file_location("parity", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def published_checkpoint(tmp_path_factory, parity) -> Callable[[CoTrackerConfig], Path]:
    """Writes a checkpoint of a published model, once each."""
    folder = tmp_path_factory.mktemp("weights")

    def write(config: CoTrackerConfig) -> Path:
        path = folder / f"v{config.version}_{config.window}.pth"
        if not path.exists():
            torch.save(parity.make_weights(build_model(config).state_dict()), path)
        return path

    return write


@pytest.fixture
def small_model() -> Callable[..., CoTracker]:
    """Makes a small model whose tracks move and whose heads are no constants."""

    def make(kind: str, **sizes) -> CoTracker:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = build_model(replace(CONFIGS[kind], **sizes))
            for name, value in model.named_parameters():
                if value.ndim > 1 and "virual" not in name:
                    torch.nn.init.normal_(value, std=(2 / value[0].numel()) ** 0.5)
                if "flow_head" in name or "vis_" in name:
                    torch.nn.init.normal_(value, std=0.02)
                if name.endswith("bias") or "norm" in name:
                    value.data += 0.1 * torch.randn_like(value)
            if kind == "v2":  # or its displacement code does the same
                model.updateformer.input_transform.weight.data[:, 2 : 2 + model.config.feature_dim] *= 0.003
        return model.eval()

    return make


@pytest.fixture
def clip() -> Callable[..., np.ndarray]:
    """Makes frames of a smooth pattern that moves."""

    def make(num_frames: int, height: int = 37, width: int = 53, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        phase, wave = rng.uniform(0, 6, (3, 4)), rng.uniform(-0.4, 0.4, (3, 4, 2))
        t = np.arange(num_frames)[:, None, None, None, None]
        y, x = np.mgrid[:height, :width]
        angle = wave[..., 0, None, None] * (x - 0.7 * t) + wave[..., 1, None, None] * (y + 0.4 * t)
        pattern = np.sin(angle + phase[..., None, None]).mean(axis=2)  # (T, 3, H, W)
        return (127.5 + 127.5 * pattern).astype(np.uint8).transpose(0, 2, 3, 1)

    return make


@pytest.fixture
def random_maps() -> Callable[..., FeatureMaps]:
    """Makes a feature pyramid of noise for a model."""

    def make(model: CoTracker, num_frames: int, batch: int = 1, seed: int = 0) -> FeatureMaps:
        generator = torch.Generator().manual_seed(seed)
        height, width = model.config.grid_size
        shape = (batch, num_frames, height, width, model.config.feature_dim)
        noise = torch.randn(shape, generator=generator)
        noise = noise / noise.norm(dim=-1, keepdim=True)
        levels = tuple(noise[:, :, : height >> level, : width >> level].clone() for level in range(model.config.levels))
        motion = None
        if model.config.guided:
            size = (batch, num_frames, MOTION_PARTS, *motion_size(model.config))
            motion = torch.randn(size, generator=generator).half()
        return FeatureMaps(levels, torch.arange(num_frames), motion)

    return make


@pytest.fixture
def random_queries() -> Callable[..., tuple[torch.Tensor, torch.Tensor]]:
    """Makes query frames (B, N) and positions (B, N, 2) in feature pixels."""

    def make(model: CoTracker, num_frames: int, num_points: int, batch: int = 1, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        height, width = model.config.grid_size
        t = torch.randint(0, num_frames, (batch, num_points), generator=generator)
        xy = torch.rand(batch, num_points, 2, generator=generator) * torch.tensor([width - 1.0, height - 1.0])
        return t, xy

    return make


@pytest.fixture
def make(small_model):
    """Trackers of small models with random weights, by kind."""
    from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

    def tracker(kind="offline", **options):
        return CoTrackerTracker.from_model(small_model(kind), **{"device": "cpu", **options})

    return tracker
