"""TAP-Vid's pickle of one clip: as the benchmark's reader has it, and without running anything."""

from __future__ import annotations

import pickle
from pathlib import Path

import media
import numpy as np
import pytest
from made_clips import assert_seen_alike, corner_clip

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.tables.tapvid_file import read_clips, read_keys, write_clips


def test_points_are_shares_of_the_raster_beside_the_video(tmp_path: Path):
    video = media.video(tmp_path / "clip.mp4", num_frames=6)
    clip = corner_clip(str(video))
    write_clips(tmp_path / "a.pkl", [clip], WriteOptions())
    held = pickle.loads((tmp_path / "a.pkl").read_bytes())["clip"]  # noqa: S301  written by us just now
    np.testing.assert_allclose(held["points"][0, 0], [0.5 / 160, 0.5 / 120], atol=1e-7)
    np.testing.assert_allclose(held["points"][3, 0], [159.5 / 160, 119.5 / 120], atol=1e-7)
    assert held["occluded"][:, 2].tolist() == [False, True, True, True]
    assert len(held["video"]) == 6
    (found,) = read_clips(tmp_path / "a.pkl", ReadOptions())
    assert_seen_alike(found, clip, atol=1e-4)
    assert (found.size_px, found.num_frames) == ((160, 120), 6)
    assert read_keys(tmp_path / "a.pkl") == [("", "clip")]


def test_a_crafted_pickle_is_refused(tmp_path: Path):
    (tmp_path / "a.pkl").write_bytes(b"cos\nsystem\n(S'touch never-made'\ntR.")
    with pytest.raises(FormatError, match=r"asks for os\.system"):
        list(read_clips(tmp_path / "a.pkl", ReadOptions()))
