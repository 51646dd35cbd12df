"""The published models' numbers, from a checkpoint file to tracks in pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.cotracker.network.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.running.session import CoTrackerSession

CASES = sorted(
    file.stem.removeprefix("case_") for file in (Path(__file__).parents[3] / "data" / "parity").glob("*.npz")
)
# kind -> tracker, its sizes, options
KINDS = {
    "offline": ("cotracker3-offline", COTRACKER3_OFFLINE, {}),
    "windowed": ("cotracker3-online", COTRACKER3_ONLINE, {"windowed": True}),
    "online": ("cotracker3-online", COTRACKER3_ONLINE, {"support_grid": 0}),
    "v2": ("cotracker2", COTRACKER2, {}),
    "v2_online": ("cotracker2", COTRACKER2, {"windowed": False, "support_grid": 0}),
}
FAST = "off_T2"
STREAMED = ["on_queries", "v2_online_queries"]
LOOSE_VISIBILITY = 0.03

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def cases(names):
    return [pytest.param(name, marks=[] if name == FAST else pytest.mark.parity) for name in names]


def queries_of(case) -> pt.Queries:
    height, width = case["video"].shape[2:4]
    if case["queries"] is not None:
        return pt.point_queries(case["queries"][0].tolist())
    return pt.grid_queries(
        case["params"]["grid_size"],
        height=height,
        width=width,
        frame_index=case["params"].get("grid_query_frame", 0),
        mask=None if case["mask"] is None else case["mask"][0, 0],
    )


def load(case, published_checkpoint, device="cpu", dtype="float32"):
    name, config, options = KINDS[case["kind"]]
    return pt.load_tracker(name, checkpoint=published_checkpoint(config), device=device, dtype=dtype, **options)


@pytest.mark.parametrize("name", cases(CASES))
def test_tracks_equal_the_published_ones(name, parity, published_checkpoint):
    check_tracks(parity, name, published_checkpoint, "cpu", "float32")


@needs_gpu
@pytest.mark.parametrize("dtype", ["float32", "tf32", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_tracks_on_a_gpu_equal_the_published_ones(name, dtype, parity, published_checkpoint):
    check_tracks(parity, name, published_checkpoint, "cuda", dtype)


def check_tracks(parity, name, published_checkpoint, device, dtype):
    case = parity.load_case(name)
    backward = case["params"].get("backward_tracking", False)
    tracks = load(case, published_checkpoint, device, dtype).track(case["video"][0], queries_of(case), backward)
    # the bounds of tf32 and bfloat16 are loose: their rounding is that of the published model in these types
    bounds = {} if dtype == "float32" else {"tol_px": parity.LOOSE_PX, "vis_margin": LOOSE_VISIBILITY}
    result = parity.compare(tracks.xy[None], tracks.visible[None], case, **bounds)
    assert result["ok"], result


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=needs_gpu)])
@pytest.mark.parametrize("name", cases(STREAMED))
def test_a_session_gives_the_published_streaming_tracks(name, device, parity, published_checkpoint):
    case = parity.load_case(name)
    session = load(case, published_checkpoint, device).open_session(case["video"].shape[3:1:-1])
    assert isinstance(session, CoTrackerSession)
    session.add(queries_of(case))
    parts = [session.push(case["video"][0, start : start + 5]) for start in range(0, case["video"].shape[1], 5)]
    parts.append(session.finish())
    xy, visible = np.concatenate([p.xy for p in parts]), np.concatenate([p.visible for p in parts])
    result = parity.compare(xy[None], visible[None], case)
    assert result["ok"], result
