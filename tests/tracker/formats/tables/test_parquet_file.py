"""Tidy parquet: as pandas reads it, and as it comes back."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from made_clips import assert_same, clips, corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.tables.parquet_file import read_clips, read_keys, write_clips

parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


@given(clips())
@hypothesis_settings(max_examples=25)
def test_any_clip_comes_back(tmp_path_factory: pytest.TempPathFactory, clip: TrackedClip):
    path = tmp_path_factory.mktemp("parquet") / "a.parquet"
    write_clips(path, [clip], WriteOptions())
    (found,) = read_clips(path, ReadOptions())
    assert_same(found, clip)
    assert found.size_px == clip.size_px


def test_pandas_reads_it_and_the_file_says_its_units(tmp_path: Path):
    several = [corner_clip("/a.mp4", sample_id="1"), mice("/b.mp4")]
    write_clips(tmp_path / "a.parquet", several, WriteOptions())
    table = pd.read_parquet(tmp_path / "a.parquet")
    assert table.groupby("filepath", sort=False).size().tolist() == [17, 16]
    assert str(table["x"].dtype) == "float32"
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    facts = json.loads(file.metadata.metadata[b"point_tracking"])
    assert facts["videos"][0] == {"sample_id": "1", "filepath": "/a.mp4", "fps": 10.0, "size": [160, 120]}
    assert file.num_row_groups == 2
    assert read_keys(tmp_path / "a.parquet") == [("1", "/a.mp4"), ("a" * 24, "/b.mp4")]
    assert [clip.path for clip in read_clips(tmp_path / "a.parquet", ReadOptions())] == ["/a.mp4", "/b.mp4"]


def test_other_tables_are_told(tmp_path: Path):
    path = tmp_path / "a.parquet"
    pd.DataFrame({"frame": [0], "x": [1.0], "y": [1.0]}).to_parquet(path)
    with pytest.raises(FormatError, match="lacks the columns track"):
        list(read_clips(path, ReadOptions()))
    pd.DataFrame({"frame": [0], "track": ["a"], "x": [1.0], "y": [1.0]}).to_parquet(path)
    with pytest.raises(FormatError, match="'track' holds other things than numbers"):
        list(read_clips(path, ReadOptions()))
    pd.DataFrame({"frame": [0, 0], "track": [1, 1], "x": [1.0, 2], "y": [1.0, 1]}).to_parquet(path)
    with pytest.raises(FormatError, match="row 2: track 1 stands there twice"):
        list(read_clips(path, ReadOptions()))
