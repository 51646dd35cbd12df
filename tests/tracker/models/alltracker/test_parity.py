"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.alltracker.config import ALLTRACKER, ALLTRACKER_TINY

from ..contract import least_limit_gb

CONFIGS = {"normal": ALLTRACKER, "tiny": ALLTRACKER_TINY}
FAST = "normal_T2"
CASES = [FAST, *(pytest.param(name, marks=pytest.mark.parity) for name in ("normal_T20", "tiny_T21_backward"))]
# what bfloat16 and tf32 may differ by: rounding that the network's steps enlarge
LOOSE = {"tol_px": 0.5, "tol_score": 0.05}

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def check(parity, checkpoint, name: str, device: str, dtype: str, **options) -> None:
    case = parity.load_case(name)
    config = CONFIGS[case["variant"]]
    tracker = pt.load_tracker(
        config.name,
        checkpoint=checkpoint(config),
        device=device,
        dtype=dtype,
        resolution=None,
        iterations=case["iters"],
        keep=case["keep"],
        **options,
    )
    tracks = tracker.track(case["video"], pt.point_queries(case["queries"].tolist()), backward=True)
    scores = np.stack([tracks.info["visibility"], tracks.info["certainty"]], axis=-1)
    result = parity.compare(tracks.xy, scores, case, **({} if dtype == "float32" else LOOSE))
    assert result["ok"], result
    score = case["visconf"].prod(axis=-1)
    sure = case["known"] & (np.abs(score - case["threshold"]) > (1e-4 if dtype == "float32" else LOOSE["tol_score"]))
    np.testing.assert_array_equal(tracks.visible[sure], score[sure] >= case["threshold"])


@pytest.mark.parametrize("name", CASES)
def test_tracks_equal_the_published_ones(name, parity, checkpoint):
    check(parity, checkpoint, name, "cpu", "float32")


@pytest.mark.parity
@pytest.mark.parametrize("name", ["normal_T2", "tiny_T21_backward"])
def test_tracks_with_hardly_any_memory_equal_the_published_ones(name, parity, checkpoint):
    def run(limit_gb: float) -> None:
        check(parity, checkpoint, name, "cpu", "float32", memory_limit_gb=limit_gb)

    run(least_limit_gb(run))


@pytest.mark.parity
def test_bfloat16_is_near_the_published_tracks(parity, checkpoint):
    check(parity, checkpoint, FAST, "cpu", "bfloat16")


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", [FAST, "normal_T20", "tiny_T21_backward"])
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, parity, checkpoint):
    check(parity, checkpoint, name, "cuda", dtype)
