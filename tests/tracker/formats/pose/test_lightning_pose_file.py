"""lightning-pose's tables: one path per row, one individual."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pandas as pd
import pytest
from made_clips import assert_seen_alike, corner_clip, files_in, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.pose.lightning_pose_file import read_clips, write_clips


def test_a_training_set_names_its_pictures_by_path(tmp_path: Path):
    video = media.video(tmp_path / "clip.mp4", num_frames=6)
    clip = corner_clip(str(video)).rows(np.array([0, 3]))
    write_clips(tmp_path / "out" / "clip_1.csv", [clip], WriteOptions(images=True))
    table = pd.read_csv(tmp_path / "out" / "clip_1.csv", header=[0, 1, 2], index_col=0)
    assert list(table.index) == [f"labeled-data/clip_1/img0000000{k}.png" for k in (0, 3)]
    assert all((tmp_path / "out" / name).is_file() for name in table.index)
    (found,) = read_clips(tmp_path / "out" / "clip_1.csv", ReadOptions())
    assert_seen_alike(found, clip)


def test_several_individuals_are_refused(tmp_path: Path):
    with pytest.raises(FormatError, match="mouse_1, mouse_2"):
        write_clips(tmp_path / "a.csv", [mice()], WriteOptions())
    assert files_in(tmp_path) == []
