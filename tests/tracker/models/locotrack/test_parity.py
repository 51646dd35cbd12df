"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

import pytest

from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.network import LocoTrack

from ..contract import least_limit_gb
from ..published_cases import Family, cases, every_dtype, needs_gpu

CONFIGS = {"small": LOCOTRACK_SMALL, "base": LOCOTRACK_BASE}
FAST = "base_T2"
OTHERS = ("base_384x512", "base_queries", "small_downsample", "small_queries")


def differences(reference, case, tracks, loose_px):
    strict = loose_px is None
    logits = (tracks.info["occlusion"], tracks.info["expected_dist"]) if strict else (None, None)
    px = reference.STRICT_PX if strict else loose_px
    return reference.compare(tracks.xy, tracks.visible if strict else None, *logits, case, px=px)


def antialiased(reference, case, tracks, loose_px):
    case = {**case, **{key: case[f"antialias_{key}"] for key in ("tracks", "occlusion", "expected_dist")}}
    logits = tracks.info["occlusion"], tracks.info["expected_dist"]
    return reference.compare(tracks.xy, None, *logits, case, px=reference.STRICT_PX)


def family(compare=differences, resize="bilinear"):
    return Family(
        "locotrack",
        LocoTrack,
        config_of=lambda case: CONFIGS[case["size"]],
        content_of=lambda weights: {"epoch": 1, "state_dict": {f"model.{key}": weights[key] for key in weights}},
        options_of=lambda case: {"resolution": tuple(case["resolution"]), "resize": resize},
        differences=compare,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("locotrack")


@pytest.mark.parametrize("name", cases(FAST, OTHERS))
def test_tracks_equal_the_published_ones(name, folder):
    family().check(name, folder)


@pytest.mark.parity
def test_antialiased_frames_give_the_published_tracks_of_such(folder):
    family(antialiased, "antialias").check("small_downsample", folder)


@pytest.mark.parity
def test_tracks_with_hardly_any_memory_equal_the_published_ones(folder):
    def check(limit_gb: float) -> None:
        family().check("base_queries", folder, memory_limit_gb=limit_gb)

    check(least_limit_gb(check))


@pytest.mark.parity
def test_bfloat16_is_near_the_published_tracks(folder):
    family().check(FAST, folder, dtype="bfloat16")


@needs_gpu
@every_dtype
@pytest.mark.parametrize("name", [FAST, *OTHERS])
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, folder):
    family().check(name, folder, device="cuda", dtype=dtype)


def test_models_have_the_published_tensors():
    family().check_sizes({LOCOTRACK_SMALL: (135, 8_236_133), LOCOTRACK_BASE: (147, 11_519_717)})
