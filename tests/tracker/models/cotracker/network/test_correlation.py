"""Patches, templates and correlation against `grid_sample`."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.cotracker.network.correlation import (
    FeatureMaps,
    build_pyramid,
    correlate,
    sample_neighbourhoods,
    sample_templates,
)

HEIGHT, WIDTH, CHANNELS = 9, 13, 4
POSITION = st.one_of(
    st.floats(-30, 40, width=32), st.integers(-8, 20).map(float), st.sampled_from([-1e9, 1e9, 12.0, 8.0, 0.0])
)


def make_maps(num_frames=3, levels=2, batch=2):
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, num_frames, HEIGHT >> level, WIDTH >> level, CHANNELS) for level in range(levels)]
    return FeatureMaps(tuple(torch.randn(shape, generator=generator) for shape in shapes), torch.arange(num_frames))


def grid_sampled(image, xy):
    """(h, w, C) at (.., 2) pixels, border padding."""
    height, width, _ = image.shape
    grid = 2 * xy.double() / torch.tensor([width - 1.0, height - 1.0], dtype=torch.float64) - 1
    out = F.grid_sample(
        image.double().permute(2, 0, 1)[None], grid.reshape(1, 1, -1, 2), padding_mode="border", align_corners=True
    )
    return out[0, :, 0].T.reshape(*xy.shape[:-1], -1).float()


def neighbourhood(xy, radius):
    offsets = [(dx, dy) for dx in range(-radius, radius + 1) for dy in range(-radius, radius + 1)]
    return xy + torch.tensor(offsets, dtype=torch.float32)


@settings(deadline=None)
@given(x=POSITION, y=POSITION, radius=st.integers(0, 3))
def test_shared_fraction_patches_equal_sampling_each_position(x, y, radius):
    level = make_maps().levels[0]
    xy = torch.tensor([[x, y]])
    found = sample_neighbourhoods(level, torch.tensor([(1 * 3 + 2) * HEIGHT * WIDTH]), xy, radius)[0]
    expected = grid_sampled(level[1, 2], neighbourhood(xy, radius))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_neighbourhoods_are_x_major():
    ramp = torch.zeros(1, 1, HEIGHT, WIDTH, 2)
    ramp[..., 0] = torch.arange(WIDTH)
    ramp[..., 1] = torch.arange(HEIGHT)[:, None]
    maps = FeatureMaps((ramp,), torch.zeros(1, dtype=torch.long))
    templates = sample_templates(maps, torch.zeros(1, 1, dtype=torch.long), torch.tensor([[[5.25, 4.5]]]), radius=1)
    assert templates[0, 0, 0, :4].tolist() == [[4.25, 3.5], [4.25, 4.5], [4.25, 5.5], [5.25, 3.5]]


@pytest.mark.parametrize("frames", [[0, 1, 2], [2, 1, 0], [1, 2, 2]], ids=["forwards", "flipped", "padded"])
def test_correlation_is_neighbourhood_times_template(frames):
    maps = FeatureMaps(make_maps().levels, torch.tensor(frames))
    t_query, xy_query = torch.tensor([[2, 0], [1, 1]]), torch.rand(2, 2, 2) * 8
    templates = sample_templates(maps, t_query, xy_query, radius=1).flatten(0, 1)
    clip = torch.tensor([0, 0, 1, 1])
    xy = torch.rand(4, 3, 2) * 10 - 1
    for level in range(2):
        found = correlate(maps, level, clip, torch.arange(3), xy, templates[:, level], radius=1)
        for p in range(4):
            query_map = maps.levels[level][clip[p], frames[t_query.flatten()[p]]]
            template = grid_sampled(query_map, neighbourhood(xy_query.flatten(0, 1)[p] / 2**level, 1))
            for t in range(3):
                around = grid_sampled(maps.levels[level][clip[p], frames[t]], neighbourhood(xy[p, t] / 2**level, 1))
                torch.testing.assert_close(found[p, t], (around @ template.T).flatten(), atol=1e-4, rtol=1e-4)


def test_correlation_writes_into_a_given_array():
    maps = make_maps()
    xy, clip, t = torch.rand(4, 3, 2) * 8, torch.tensor([0, 0, 1, 1]), torch.arange(3)
    templates = torch.randn(4, 9, CHANNELS)
    with torch.inference_mode():
        out = torch.full((2, 4, 3, 81), torch.nan)
        correlate(maps, 1, clip, t, xy, templates, 1, out=out[1])
        torch.testing.assert_close(out[1], correlate(maps, 1, clip, t, xy, templates, 1))
        assert out[0].isnan().all()


@pytest.mark.parametrize("per_frame", [False, True], ids=["point templates", "frame templates"])
@pytest.mark.parametrize("into", [False, True], ids=["returned", "written"])
def test_products_of_whole_pixels_interpolate_to_the_same(per_frame, into):
    maps = make_maps()
    xy, clip, t = torch.rand(4, 3, 2) * 14 - 3, torch.tensor([0, 0, 1, 1]), torch.arange(3)
    templates = torch.randn(4, 3, 1, CHANNELS) if per_frame else torch.randn(4, 9, CHANNELS)
    with torch.inference_mode():
        expected = correlate(maps, 1, clip, t, xy, templates, 1)
        out = torch.full((2, *expected.shape), torch.nan) if into else None
        found = correlate(maps, 1, clip, t, xy, templates, 1, None if out is None else out[1], product_first=True)
    torch.testing.assert_close(found, expected)
    if out is not None:
        torch.testing.assert_close(out[1], expected)
        assert out[0].isnan().all()


def test_pyramid_halves_by_averaging():
    features = torch.randn(2, 8, 12, 3)
    pyramid = build_pyramid(features, 3)
    assert [tuple(level.shape) for level in pyramid] == [(2, 8, 12, 3), (2, 4, 6, 3), (2, 2, 3, 3)]
    torch.testing.assert_close(pyramid[1][1, 2, 3], features[1, 4:6, 6:8].mean(dim=(0, 1)))


def test_clips_past_the_end_repeat_the_last_frame():
    maps = make_maps()
    assert maps.clip(1, 4).frames.tolist() == [1, 2, 2, 2]
    assert maps.flipped().clip(0, 2).frames.tolist() == [2, 1]
    assert maps.clip(1, 4).levels is maps.levels, "features are not copied"
