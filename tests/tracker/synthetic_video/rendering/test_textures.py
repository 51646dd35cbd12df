"""Drawn textures, and those of a folder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from point_tracking.tracker.errors import OptionError, TextureError
from point_tracking.tracker.synthetic_video.config import SyntheticConfig
from point_tracking.tracker.synthetic_video.renderer import ClipRenderer, build_textures


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
