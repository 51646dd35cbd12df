"""DeepLabCut's tables, as pandas and sleap-io read them."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pandas as pd
import pytest
from made_clips import assert_seen_alike, corner_clip, files_in, mice

from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.pose.dlc_file import read_clips, write_clips


def test_pandas_reads_predictions_from_both_files(tmp_path: Path):
    pytest.importorskip("tables", reason="tables is not installed")
    write_clips(tmp_path / "a.csv", [mice()], WriteOptions(scorer="me"))
    table = pd.read_csv(tmp_path / "a.csv", header=[0, 1, 2, 3], index_col=0)
    assert table.columns.names == ["scorer", "individuals", "bodyparts", "coords"]
    assert table["me", "mouse_1", "nose", "x"].tolist() == [0, 0.25, 0.5, 0.75, 1, 1.25]
    again = pd.read_hdf(tmp_path / "a.h5", key="df_with_missing")
    np.testing.assert_array_equal(again.to_numpy(), table.to_numpy())
    assert list(again.columns) == list(table.columns)


def test_a_training_set_has_its_pictures(tmp_path: Path):
    video = media.video(tmp_path / "clip.mp4", num_frames=6)
    clip = corner_clip(str(video)).rows(np.array([0, 3]))
    path = tmp_path / "out" / "labeled-data" / "clip_1" / "CollectedData_me.csv"
    write_clips(path, [clip], WriteOptions(images=True, scorer="me"))
    assert [name for name in files_in(path.parent) if name.endswith("png")] == ["img0000.png", "img0003.png"]
    table = pd.read_csv(path, header=[0, 1, 2], index_col=[0, 1, 2])
    assert list(table.index) == [("labeled-data", "clip_1", f"img000{k}.png") for k in (0, 3)]
    (found,) = read_clips(path, ReadOptions())
    assert_seen_alike(found, clip.chosen(np.arange(4)))


def test_sleap_io_reads_the_training_set(tmp_path: Path):
    sio = pytest.importorskip("sleap_io", reason="sleap-io is not installed")
    video = media.video(tmp_path / "clip.mp4", num_frames=6)
    path = tmp_path / "labeled-data" / "clip_1" / "CollectedData_me.csv"
    write_clips(path, [mice(str(video))], WriteOptions(images=True, scorer="me"))
    labels = sio.load_dlc(str(path))
    assert len(labels.labeled_frames) == 6
    assert labels.skeletons[0].node_names == ["nose", "tail"]
    np.testing.assert_allclose(labels.labeled_frames[1].instances[0].numpy()[0], [0.25, 0.25])
