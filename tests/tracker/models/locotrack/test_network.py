"""The network: against the plain form, the motion's code, and what it costs at the published size."""

from __future__ import annotations

import math

import meta_run
import numpy as np
import pytest
import torch
from plain_locotrack import PlainLocoTrack

import point_tracking as pt
from point_tracking.tracker.models.locotrack.config import LOCOTRACK_BASE, LOCOTRACK_SMALL
from point_tracking.tracker.models.locotrack.network import LocoTrack, _motion_code, set_matrix_dtype
from point_tracking.tracker.models.shared.independent_points.frame_maps import Course, FrameMaps, Points

from ..shallow import load_shallow


@pytest.mark.parametrize("name", ["locotrack-base", "locotrack-small"])
def test_tracks_equal_the_plain_form(name, tmp_path, clip):
    tracker, frames = load_shallow(name, tmp_path, iterations=2), clip(5)
    rows = np.array([(0, 0, 0), (2, 52, 36), (3, 20.5, 11.25), (4, 30, 30)])
    tracks = tracker.track(frames, pt.point_queries(rows.tolist()), backward=True)
    xy, logits = PlainLocoTrack(tracker.model).track(frames, rows, 2)  # type: ignore[attr-defined]
    np.testing.assert_allclose(tracks.xy, xy, atol=1e-3)
    np.testing.assert_allclose(tracks.info["occlusion"], logits[..., 0], atol=1e-3)
    np.testing.assert_allclose(tracks.info["expected_dist"], logits[..., 1], atol=1e-3)
    assert np.abs(tracks.xy - rows[:, 1:]).max() > 1, "tracks that do not move prove nothing"


def test_the_motion_is_coded_by_frequency_then_component():
    xy = torch.tensor([[[0.0, 0.0], [8.0, 4.0], [6.0, 20.0]]])
    code = _motion_code(xy, (256, 512))[0]
    steps = torch.tensor([[16.0, 4], [-4, 16]]) / 256  # twice as wide
    v = torch.cat([torch.cat([-steps, torch.zeros(1, 2)]), torch.cat([torch.zeros(1, 2), steps])], dim=1)
    torch.testing.assert_close(code[:, :4], v)
    for k in range(10):
        torch.testing.assert_close(code[:, 4 + 4 * k : 8 + 4 * k], (v * 2**k).sin(), rtol=0, atol=1e-5)
        angle = v * 2**k + math.pi / 2
        torch.testing.assert_close(code[:, 44 + 4 * k : 48 + 4 * k], angle.sin(), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("config", "flops"), [(LOCOTRACK_SMALL, 48.4e6), (LOCOTRACK_BASE, 95.6e6)], ids=["small", "base"]
)
@pytest.mark.parametrize("frames", [24, 48])
def test_points_run_without_numbers_at_the_published_size(config, flops, frames):
    with torch.device("meta"):
        model = LocoTrack(config).eval().requires_grad_(False)
    points, levels = 16, [(64, 128), (32, 256), (128, 64)]
    maps = FrameMaps((256, 256), tuple(torch.empty(frames, s, s, c, device="meta") for s, c in levels))
    here = Points(torch.empty(points, dtype=torch.int64, device="meta"), torch.empty(points, 2, device="meta"))
    with meta_run.watched() as found:
        model.track([maps], torch.arange(frames, device="meta"), here, Course(4, 20.0, 1 << 14))
    # products are taken with 8 x 8 whole cells instead of 7 x 7 places, and unread rows are left out
    assert found.flops / points / frames == pytest.approx(flops + 2.5e6, rel=0.05)
    assert found.calls < 2800, "the same for any number of frames"


def test_the_encoder_runs_without_numbers_at_the_published_size():
    with torch.device("meta"):
        model = LocoTrack(LOCOTRACK_SMALL).eval().requires_grad_(False)
    with meta_run.watched() as found:
        model.encode(torch.empty(2, 3, 256, 256, device="meta"))
    assert found.flops / 2 == pytest.approx(18.8e9, rel=0.05)


def test_bfloat16_keeps_positions_and_their_layers_in_float32():
    model = LocoTrack(LOCOTRACK_SMALL)
    set_matrix_dtype(model, torch.bfloat16)
    transformer = model.torch_pips_mixer
    assert transformer.input_proj.weight.dtype == transformer.output_proj.weight.dtype == torch.float32
    assert model.cost_conv.weight.dtype == torch.float32
    assert model.cmdtop[0].conv[0][0].weight.dtype == torch.bfloat16  # type: ignore
    assert transformer.transformer.layers[0].attn.query_proj.weight.dtype == torch.bfloat16  # type: ignore
