"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.network import LocoTrack

from ..contract import least_limit_gb
from ..shallow import reference_weights

CONFIGS = {"small": LOCOTRACK_SMALL, "base": LOCOTRACK_BASE}
FAST = "base_T2"
OTHERS = ("base_384x512", "base_queries", "small_downsample", "small_queries")
CASES = [FAST, *(pytest.param(name, marks=pytest.mark.parity) for name in OTHERS)]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(scope="module")
def parity():
    return reference_weights("locotrack")


@pytest.fixture(scope="module")
def load(parity, tmp_path_factory) -> Callable[..., Any]:
    """Loads the tracker of a case from a checkpoint as the published ones are, written by Lightning."""
    folder = tmp_path_factory.mktemp("locotrack")

    def make(case, **options):
        config = CONFIGS[case["size"]]
        path = folder / f"{config.name}.ckpt"
        if not path.exists():
            with torch.device("meta"):
                model = LocoTrack(config)
            weights = parity.make_weights(model.state_dict())
            content = {"epoch": 1, "state_dict": {f"model.{key}": value for key, value in weights.items()}}
            torch.save(content, path)
        return pt.load_tracker(
            config.name, checkpoint=path, resolution=tuple(case["resolution"]), **{"resize": "bilinear", **options}
        )

    return make


def compare(parity, load, name: str, tol_px: float | None = None, **options) -> None:
    case = parity.load_case(name)
    tracks = load(case, **options).track(case["video"], pt.point_queries(case["queries"].tolist()), backward=True)
    visible = tracks.visible
    if options.get("resize") == "antialias":
        case = {**case, **{key: case[f"antialias_{key}"] for key in ("tracks", "occlusion", "expected_dist")}}
        visible = None
    logits = (None, None) if tol_px else (tracks.info["occlusion"], tracks.info["expected_dist"])
    visible = None if tol_px else visible
    result = parity.compare(tracks.xy, visible, *logits, case, px=tol_px or parity.STRICT_PX)
    assert result["ok"], result


@pytest.mark.parametrize("name", CASES)
def test_tracks_equal_the_published_ones(name, parity, load):
    compare(parity, load, name, device="cpu")


@pytest.mark.parity
def test_antialiased_frames_give_the_published_tracks_of_such(parity, load):
    compare(parity, load, "small_downsample", device="cpu", resize="antialias")


@pytest.mark.parity
def test_tracks_with_hardly_any_memory_equal_the_published_ones(parity, load):
    def run(limit_gb: float) -> None:
        compare(parity, load, "base_queries", device="cpu", memory_limit_gb=limit_gb)

    run(least_limit_gb(run))


@pytest.mark.parity
def test_bfloat16_is_near_the_published_tracks(parity, load):
    compare(parity, load, FAST, tol_px=3.0, device="cpu", dtype="bfloat16")


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", [FAST, *OTHERS])
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, parity, load):
    compare(parity, load, name, None if dtype == "float32" else 3.0, device="cuda", dtype=dtype)


def test_models_have_the_published_tensors():
    for config, tensors, parameters in ((LOCOTRACK_SMALL, 135, 8_236_133), (LOCOTRACK_BASE, 147, 11_519_717)):
        with torch.device("meta"):
            state = LocoTrack(config).state_dict()
        assert len(state) == tensors
        assert sum(value.numel() for value in state.values()) == parameters
