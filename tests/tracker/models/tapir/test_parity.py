"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, BOOTSTAPIR_ONLINE, TAPIR
from point_tracking.tracker.models.tapir.network import Tapir

from ..contract import least_limit_gb
from ..shallow import reference_weights

CONFIGS = {"bootstapir": BOOTSTAPIR, "causal": BOOTSTAPIR_ONLINE, "tapir": TAPIR}
FAST = "boots_temp10"
OTHERS = ("boots_384", "boots_clip", "causal_stream", "tapir_256x384_corrected", "tapir_clip")
CASES = [FAST, *(pytest.param(name, marks=pytest.mark.parity) for name in OTHERS)]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.fixture(scope="module")
def parity():
    return reference_weights("tapir")


@pytest.fixture(scope="module")
def load(parity, tmp_path_factory) -> Callable[..., Any]:
    """Loads the tracker of a case from a checkpoint as the published ones are."""
    folder = tmp_path_factory.mktemp("tapir")

    def make(case, **options):
        config = CONFIGS[case["config"]]
        path = folder / f"{config.name}.pt"
        if not path.exists():
            with torch.device("meta"):
                model = Tapir(config)
            torch.save(parity.make_weights(model.state_dict()), path)
        if config != TAPIR:
            options["flavour"] = config.name
        size, temperature = tuple(case["model_frame"]), case["softmax_temperature"]
        return pt.load_tracker(
            config.name, checkpoint=path, resolution=size, softmax_temperature=temperature, **options
        )

    return make


def compare(parity, load, name: str, tol_px: float | None = None, **options) -> pt.Tracks:
    case = parity.load_case(name)
    tracks = load(case, **options).track(case["video"], pt.point_queries(case["queries"].tolist()), backward=True)
    known = case["kind"] != "clip"  # the published stream knows nothing of later frames
    logits = {} if tol_px else {key: tracks.info[key] for key in ("occlusion", "expected_dist")}
    result = parity.compare(
        case, tracks.xy, visible=None if tol_px else tracks.visible, after_query=known,
        tol_px=tol_px or parity.TOL_PX, **logits,
    )  # fmt: skip
    assert result["ok"], result
    return tracks


@pytest.mark.parametrize("name", CASES)
def test_tracks_equal_the_published_ones(name, parity, load):
    compare(parity, load, name, device="cpu")


@pytest.mark.parity
@pytest.mark.parametrize("name", ["boots_clip", "causal_stream"])
def test_tracks_with_hardly_any_memory_equal_the_published_ones(name, parity, load):
    def run(limit_gb: float) -> None:
        compare(parity, load, name, device="cpu", memory_limit_gb=limit_gb)

    run(least_limit_gb(run))


@pytest.mark.parity
def test_a_session_gives_what_the_published_stream_gives_to_points_of_its_first_frame(parity, load):
    case = parity.load_case("causal_stream")
    queries = pt.point_queries(case["queries"].tolist())
    first = queries.t == 0
    height, width = case["video"].shape[1:3]
    session = load(case, device="cpu").open_session((width, height))
    session.add(queries.chosen(first))
    parts = [session.push(case["video"][i : i + 3]) for i in range(0, len(case["video"]), 3)]
    found = {key: np.concatenate([part.info[key] for part in parts]) for key in ("occlusion", "expected_dist")}
    columns = {key: case[key][:, first] for key in ("tracks", "occlusion", "expected_dist", "visible", "score")}
    case = {**case, **columns, "defined": case["defined"][:, first], "queries": case["queries"][first]}
    result = parity.compare(case, np.concatenate([part.xy for part in parts]), **found)
    assert result["ok"], result


@pytest.mark.parity
def test_bfloat16_is_near_the_published_tracks(parity, load):
    compare(parity, load, FAST, tol_px=3.0, device="cpu", dtype="bfloat16")


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", [FAST, *OTHERS])
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, parity, load):
    compare(parity, load, name, None if dtype == "float32" else 3.0, device="cuda", dtype=dtype)


def test_models_have_the_published_tensors():
    for config, tensors, parameters in (
        (BOOTSTAPIR, 218, 54_699_335),
        (BOOTSTAPIR_ONLINE, 218, 54_699_335),
        (TAPIR, 188, 31_072_327),
    ):
        with torch.device("meta"):
            state = Tapir(replace(config)).state_dict()
        assert len(state) == tensors
        assert sum(value.numel() for value in state.values()) == parameters
