"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.models.tapir.config import BOOTSTAPIR, BOOTSTAPIR_ONLINE, TAPIR
from point_tracking.tracker.models.tapir.network import Tapir

from ..contract import least_limit_gb
from ..published_cases import Family, cases, every_dtype, needs_gpu

CONFIGS = {"bootstapir": BOOTSTAPIR, "causal": BOOTSTAPIR_ONLINE, "tapir": TAPIR}
FAST = "boots_temp10"
OTHERS = ("boots_384", "boots_clip", "causal_stream", "tapir_256x384_corrected", "tapir_clip")


def options_of(case):
    config = CONFIGS[case["config"]]
    flavour = {} if config == TAPIR else {"flavour": config.name}
    size, temperature = tuple(case["model_frame"]), case["softmax_temperature"]
    return {"resolution": size, "softmax_temperature": temperature, **flavour}


def differences(reference, case, tracks, loose_px):
    known = case["kind"] != "clip"  # the published stream knows nothing of later frames
    strict = loose_px is None
    logits = {key: tracks.info[key] for key in ("occlusion", "expected_dist")} if strict else {}
    return reference.compare(
        case,
        tracks.xy,
        visible=tracks.visible if strict else None,
        after_query=known,
        tol_px=reference.TOL_PX if strict else loose_px,
        **logits,
    )


def family():
    return Family(
        "tapir",
        Tapir,
        config_of=lambda case: CONFIGS[case["config"]],
        content_of=lambda weights: weights,
        options_of=options_of,
        differences=differences,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tapir")


@pytest.mark.parametrize("name", cases(FAST, OTHERS))
def test_tracks_equal_the_published_ones(name, folder):
    family().check(name, folder)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["boots_clip", "causal_stream"])
def test_tracks_with_hardly_any_memory_equal_the_published_ones(name, folder):
    def check(limit_gb: float) -> None:
        family().check(name, folder, memory_limit_gb=limit_gb)

    check(least_limit_gb(check))


@pytest.mark.parity
def test_a_session_gives_what_the_published_stream_gives_to_points_of_its_first_frame(folder):
    tapir = family()
    case = tapir.reference.load_case("causal_stream")
    queries = pt.point_queries(case["queries"].tolist())
    first = queries.t == 0
    height, width = case["video"].shape[1:3]
    session = tapir.load(case, folder, device="cpu").open_session((width, height))
    session.add(queries.chosen(first))
    parts = [session.push(case["video"][i : i + 3]) for i in range(0, len(case["video"]), 3)]
    found = {key: np.concatenate([part.info[key] for part in parts]) for key in ("occlusion", "expected_dist")}
    columns = {key: case[key][:, first] for key in ("tracks", "occlusion", "expected_dist", "visible", "score")}
    case = {**case, **columns, "defined": case["defined"][:, first], "queries": case["queries"][first]}
    result = tapir.reference.compare(case, np.concatenate([part.xy for part in parts]), **found)
    assert result["ok"], result


@pytest.mark.parity
def test_bfloat16_is_near_the_published_tracks(folder):
    family().check(FAST, folder, dtype="bfloat16")


@needs_gpu
@every_dtype
@pytest.mark.parametrize("name", [FAST, *OTHERS])
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, folder):
    family().check(name, folder, device="cuda", dtype=dtype)


def test_models_have_the_published_tensors():
    family().check_sizes(
        {
            BOOTSTAPIR: (218, 54_699_335),
            BOOTSTAPIR_ONLINE: (218, 54_699_335),
            TAPIR: (188, 31_072_327),
        }
    )
