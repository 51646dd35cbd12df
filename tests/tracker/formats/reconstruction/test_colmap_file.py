"""COLMAP databases, as pycolmap reads them, and the models that they give."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from made_clips import corner_clip, files_in
from static_scene import SIZE, camera_views

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.known_clips import read_known_clip
from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.reconstruction.colmap_file import write_clips
from point_tracking.tracker.types import Tracks

colmap = pytest.importorskip("pycolmap", reason="pycolmap is not installed")
TOLD = re.compile(r"registered (\d+) of (\d+) images with (\d+) points, mean reprojection error ([\d.]+) px")


def clip_of(xy: np.ndarray, visible: np.ndarray, size_px: tuple[int, int]) -> TrackedClip:
    placed = np.where(visible[..., None], xy, np.nan)
    tracks = Tracks(placed, visible, visible.astype(np.float32))
    return TrackedClip(tracks, np.arange(len(xy)), np.arange(1, xy.shape[1] + 1), size_px, path="room.mp4")


@pytest.fixture
def room() -> TrackedClip:
    """60 points of a static room in 8 frames; 5 of them are hidden in the second frame."""
    xy = camera_views(8, 60)
    visible = np.ones(xy.shape[:2], dtype=bool)
    visible[1, :5] = False
    return clip_of(xy, visible, SIZE)


def test_keypoints_are_half_a_pixel_further_and_hidden_ones_are_not_there(room: TrackedClip, tmp_path: Path):
    write_clips(tmp_path / "a.db", [room], WriteOptions(first_frame=5))
    with colmap.Database.open(str(tmp_path / "a.db")) as database:
        images = {image.name: image.image_id for image in database.read_all_images()}
        assert sorted(images) == [f"{number:06d}.png" for number in range(5, 13)]
        first, second = (database.read_keypoints(images[name])[:, :2] for name in ("000005.png", "000006.png"))
        np.testing.assert_allclose(first, room.tracks.xy[0] + 0.5, atol=1e-4)
        np.testing.assert_allclose(second, room.tracks.xy[1, 5:] + 0.5, atol=1e-4)
        matches = database.read_matches(images["000005.png"], images["000006.png"])
        assert matches.tolist() == [[k + 5, k] for k in range(55)]
        assert database.num_verified_image_pairs() == 8 * 7 / 2
        camera = database.read_all_cameras()[0]
        assert (camera.width, camera.height) == SIZE


def test_a_static_scene_is_reconstructed_without_what_moves(room: TrackedClip, tmp_path: Path):
    xy = np.array(room.tracks.xy)
    xy[:, -4:, 1] += (np.arange(8) ** 2)[:, None]
    told = write_clips(tmp_path / "a.db", [clip_of(xy, room.tracks.visible, SIZE)], WriteOptions(reconstruct=True))
    assert told[0] == "4 tracks that move against the rest were left out"
    found = TOLD.search(told[1])
    assert found is not None
    assert found.groups()[:3] == ("8", "8", "56")
    assert float(found[4]) < 0.1
    assert colmap.Reconstruction(str(tmp_path / "a_model" / "0")).num_reg_images() == 8


def test_tracks_without_anything_in_common_are_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="nothing to match"):
        write_clips(tmp_path / "a.db", [corner_clip()], WriteOptions())
    assert files_in(tmp_path) == []


def test_a_real_room_is_reconstructed_from_its_known_tracks(eval_dir: Path, tmp_path: Path):
    known = read_known_clip(eval_dir / "kitchen_rgbd_0.npz")
    assert known.truth is not None
    visible = known.truth.visible & known.truth.known
    every_third = clip_of(known.truth.xy, visible, known.size_px).rows(np.arange(0, len(visible), 3))
    told = write_clips(tmp_path / "a.db", [every_third], WriteOptions(reconstruct=True))
    found = TOLD.search(told[-1])
    assert found is not None
    assert found[1] == found[2] == "20"
    assert int(found[3]) > 50
    assert 0 < float(found[4]) < 1
