"""Textures, outlines, random numbers and camera effects of the synthetic video."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError, TextureError
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.draws import Draws
from point_tracking.tracker.synthetic_video.effects import EffectTables, compress
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures
from point_tracking.tracker.synthetic_video.rendering.shading import TextureBank
from point_tracking.tracker.synthetic_video.rendering.shapes import build_outlines
from point_tracking.tracker.synthetic_video.scenes.motion import draw_path, draw_swing, rotation

CPU = torch.device("cpu")


def write_image(path, colour, size=(60, 80)) -> None:
    image = np.empty((*size, 3), np.uint8)
    image[:] = colour[::-1]
    assert cv2.imwrite(str(path), image)


def test_drawn_textures_are_reproducible_and_differ():
    textures = build_textures(6, size=64, seed=1)
    assert textures.shape == (6, 3, 64, 64)
    assert textures.dtype == torch.uint8
    assert torch.equal(textures, build_textures(6, size=64, seed=1))
    assert not torch.equal(textures, build_textures(6, size=64, seed=2))
    assert (textures.float().flatten(1).std(1) > 2).all()


def test_drawn_textures_repeat_without_a_seam():
    textures = build_textures(20, size=64, seed=3).float()
    seam = (textures[..., 0] - textures[..., -1]).abs().mean()
    inner = (textures[..., 1:] - textures[..., :-1]).abs().mean()
    assert seam < 1.3 * inner


@pytest.mark.parametrize(("count", "size"), [(0, 64), (1, 63), (1, 8), (1, 8192)])
def test_texture_options_are_checked(count, size):
    with pytest.raises(OptionError, match="Invalid"):
        build_textures(count, size=size)


def test_a_folder_of_images_becomes_textures(tmp_path):
    (tmp_path / "deep").mkdir()
    write_image(tmp_path / "red.png", (200, 0, 0))
    write_image(tmp_path / "deep" / "blue.jpg", (0, 0, 200))
    (tmp_path / "notes.txt").write_text("no image")
    textures = build_textures(5, size=32, folder=tmp_path)
    assert textures.shape == (5, 3, 32, 32)
    mean = textures.float().mean((2, 3))
    red, blue = (mean[:, 0] > 150) & (mean[:, 2] < 50), (mean[:, 2] > 150) & (mean[:, 0] < 50)
    assert (red ^ blue).all()
    assert red.any()
    assert blue.any()


def test_broken_images_are_skipped_and_counted(tmp_path):
    write_image(tmp_path / "good.png", (10, 90, 10))
    (tmp_path / "empty.png").touch()
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing of the kind")
    (tmp_path / "folder.png").mkdir()
    with pytest.warns(UserWarning, match=r"3 of 4 images .* cannot be read"):
        textures = build_textures(3, size=32, folder=tmp_path)
    assert textures.shape == (3, 3, 32, 32)


def test_folders_without_a_usable_image_are_refused(tmp_path):
    with pytest.raises(TextureError, match="no texture folder"):
        build_textures(2, folder=tmp_path / "missing")
    with pytest.raises(TextureError, match="no image in"):
        build_textures(2, folder=tmp_path)
    (tmp_path / "broken.png").write_bytes(b"broken")
    with pytest.raises(TextureError, match="1 of 1 images"):
        ClipRenderer(SyntheticConfig(texture_dir=tmp_path))


def test_outlines_are_distances_that_stay_inside():
    outlines = build_outlines(26, seed=4)
    assert outlines.shape == (26, 64, 64)
    inside = (outlines > 0).flatten(1).float().mean(1)
    assert (inside > 0.02).all()
    assert (inside < 0.95).all()
    edges = torch.cat([outlines[:, 0], outlines[:, -1], outlines[:, :, 0], outlines[:, :, -1]], 1)
    assert (edges < 0).all()
    # distances change by no more than the way itself
    step = 2 / 64
    assert (outlines[:, 1:] - outlines[:, :-1]).abs().max() < 1.5 * step


def test_random_numbers_have_their_distributions():
    draws = Draws(torch.rand(200, 400, generator=torch.Generator().manual_seed(0)))
    normal = draws.normal(100)
    assert abs(float(normal.mean())) < 0.03
    assert abs(float(normal.std()) - 1) < 0.03
    spread = draws.log_uniform(2, 8, 50)
    assert float(spread.min()) >= 2
    assert float(spread.max()) <= 8
    assert abs(float(spread.log().mean()) - math.log(4)) < 0.02
    assert abs(float(draws.chance(0.3, 100).float().mean()) - 0.3) < 0.02
    assert set(draws.whole(3, 50).flatten().tolist()) == {0, 1, 2}
    with pytest.raises(IndexError, match="used up"):
        draws.unit(101)


@given(st.lists(st.floats(-7, 7), min_size=3, max_size=3))
def test_rotations_are_rotations(angles):
    matrix = rotation(torch.tensor(angles, dtype=torch.float64))
    assert torch.allclose(matrix @ matrix.T, torch.eye(3, dtype=torch.float64), atol=1e-9)
    assert torch.linalg.det(matrix) == pytest.approx(1)


def test_rotation_spins_before_it_tilts():
    spin = rotation(torch.tensor([0.0, 0.0, math.pi / 2]))
    assert torch.allclose(spin @ torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)
    both = rotation(torch.tensor([0.4, -0.3, 1.1]))
    tilt = rotation(torch.tensor([0.4, -0.3, 0.0]))
    assert torch.allclose(both, tilt @ rotation(torch.tensor([0.0, 0.0, 1.1])), atol=1e-6)


def test_paths_are_zero_at_their_anchor_and_smooth():
    draws = Draws(torch.rand(8, 400, generator=torch.Generator().manual_seed(1)))
    anchor = torch.linspace(0, 7, 8)
    for path in (
        draw_path(draws, 3, 2, anchor),
        draw_swing(draws, 3, 2, anchor, torch.ones(8, 3, 2), torch.full((8, 3, 2), 9.0)),
    ):
        assert path.at(anchor[:, None]).abs().max() < 1e-5
        times = torch.arange(0, 20, 0.25).expand(8, -1)
        places = path.at(times)
        assert places.shape == (8, 3, 80, 2)
        turn = (places[:, :, 2:] - 2 * places[:, :, 1:-1] + places[:, :, :-2]).abs().max()
        assert turn < 0.25


def test_textures_are_read_at_texel_centres_and_repeat():
    textures = torch.randint(0, 256, (2, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    bank = TextureBank(textures, CPU)
    row, column = torch.meshgrid(torch.arange(-16, 32), torch.arange(-16, 32), indexing="ij")
    which = torch.ones(48, 48, dtype=torch.int64)
    fine = torch.full((48, 48), 0.5)
    found = bank.sample(which, column + 0.5, row + 0.5, fine)
    assert torch.allclose(found * 255, textures[1].float().repeat(1, 3, 3), atol=1e-3)
    between = bank.sample(which[:1, :1], torch.tensor([[4.0]]), torch.tensor([[7.5]]), fine[:1, :1])
    expected = textures[1, :, 7, 3:5].float().mean(1)
    assert torch.allclose(between.flatten() * 255, expected, atol=1e-3)


def test_far_textures_are_read_from_coarser_levels():
    checks = ((torch.arange(64)[:, None] + torch.arange(64)) % 2 * 255).to(torch.uint8).expand(1, 3, 64, 64)
    bank = TextureBank(checks, CPU)
    x, y = torch.rand(2, 500, generator=torch.Generator().manual_seed(3)) * 64
    which = torch.zeros(500, dtype=torch.int64)
    near = bank.sample(which, x, y, torch.full((500,), 0.5))
    far = bank.sample(which, x, y, torch.full((500,), 6.0))
    assert near.std() > 0.15
    assert far.std() < 0.01
    assert float(far.mean()) == pytest.approx(0.5, abs=0.01)


@settings(max_examples=10, deadline=None)
@given(height=st.integers(9, 40), width=st.integers(9, 40))
def test_compression_keeps_flat_pictures_and_any_size(height, width):
    tables = EffectTables.on(CPU)
    images = torch.tensor([0.2, 0.5, 0.7])[:, None, None, None].expand(3, 2, height, width)
    out = compress(images, torch.tensor([90.0, 10.0]), tables)
    assert out.shape == images.shape
    assert (out - images).abs().max() < 0.12
    assert out.flatten(2).std(2).max() < 1e-3


def test_compression_loses_more_at_lower_quality():
    tables = EffectTables.on(CPU)
    textures = build_textures(3, size=64, seed=9).float().transpose(0, 1) / 255

    def loss(quality: float) -> float:
        return float((compress(textures, torch.full((3,), quality), tables) - textures).square().mean())

    assert loss(100) < loss(60) < loss(20) < loss(5)
