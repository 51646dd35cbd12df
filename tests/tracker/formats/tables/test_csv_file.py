"""Tidy CSV: as pandas reads it, of many videos, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from made_clips import assert_same, clips, corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.tables.csv_file import read_clips, read_keys, write_clips


@given(clips())
@hypothesis_settings(max_examples=25)
def test_any_clip_comes_back(tmp_path_factory: pytest.TempPathFactory, clip: TrackedClip):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    write_clips(path, [clip], WriteOptions())
    (found,) = read_clips(path, ReadOptions())
    assert_same(found, clip)


def test_pandas_reads_it_in_one_call(tmp_path: Path):
    write_clips(tmp_path / "a.csv", [corner_clip()], WriteOptions(first_frame=1))
    table = pd.read_csv(tmp_path / "a.csv")
    x = table.pivot_table(index="frame", columns="track", values="x")
    assert x.index.tolist() == [1, 2, 3, 4, 5, 6]
    assert x.columns.tolist() == [1, 2, 3, 7]
    assert x[2].tolist() == [159.0, 158.75, 158.5, 158.25, 158.0, 157.75]
    assert table["label"].unique().tolist()[2:] == ["左下", "rechts, unten"]


def test_many_videos_are_read_one_after_another(tmp_path: Path):
    several = [corner_clip("/a.mp4", sample_id="1"), corner_clip("/b, c.mp4", sample_id="2"), mice("/d.mp4")]
    write_clips(tmp_path / "a.csv", several, WriteOptions())
    assert read_keys(tmp_path / "a.csv") == [("1", "/a.mp4"), ("2", "/b, c.mp4"), ("a" * 24, "/d.mp4")]
    found = list(read_clips(tmp_path / "a.csv", ReadOptions()))
    assert [clip.path for clip in found] == ["/a.mp4", "/b, c.mp4", "/d.mp4"]
    assert_same(found[1], several[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frame,track,x\n0,1,2\n", "lacks the columns y"),
        ("frame,track,x,y\n0,1,2,a\n", "row 1: y is 'a'"),
        ("frame,track,x,y\n0,1,2\n", "row 1: 3 values for 4 columns"),
        ('frame,track,x,y\n0,1,2,"3\n', "cut off"),
        ("frame,track,x,y\n0,1,,\n", "row 1: the point is visible"),
        ("sample_id,frame,track,x,y\na,0,1,1,1\nb,0,1,1,1\na,1,1,1,1\n", "stand apart"),
    ],
)
def test_what_is_wrong_is_told(text: str, words: str, tmp_path: Path):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(FormatError, match=words):
        list(read_clips(tmp_path / "a.csv", ReadOptions()))


def test_tables_of_others_may_say_less(tmp_path: Path):
    (tmp_path / "a.csv").write_text("\ufefftrack,more,y,x,frame,visible\n3,?,2,1,0,True\n3,?,,,1,false\n")
    (clip,) = read_clips(tmp_path / "a.csv", ReadOptions())
    assert clip.indices.tolist() == [3]
    assert clip.tracks.visible.tolist() == [[True], [False]]
    assert read_keys(tmp_path / "a.csv") == [("", "")]
