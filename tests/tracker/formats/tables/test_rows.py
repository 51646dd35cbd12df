"""A clip as the columns of a tidy table: what is refused, and in which row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from made_clips import assert_same, clips, corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.tables.rows import COLUMNS, check_header, check_new, clip_of, columns_of

GOOD: dict[str, list[Any]] = {"frame": [0, 1], "track": [1, 1], "x": [1.0, 2.0], "y": [3.0, 4.0]}


@given(clips())
def test_any_clip_comes_back(clip: TrackedClip):
    columns = columns_of(clip, 5)
    assert_same(clip_of(columns, 5, "a"), clip)
    order = np.lexsort((columns["frame"], columns["track"]))
    assert (order == np.arange(len(order))).all()


def test_objects_nodes_and_keyframes_come_back():
    clip = mice()
    seen = clip.known.any(axis=0)
    assert_same(clip_of(columns_of(clip, 0), 0, "a"), clip.chosen(seen))


def test_rows_say_when_and_what():
    columns = columns_of(corner_clip(), 0)
    assert set(columns) == set(COLUMNS) - {"sample_id", "filepath"}
    assert columns["time_s"][:3].tolist() == [0.0, 0.1, 0.2]
    assert columns["label"][0] == "links oben"
    assert len(columns["x"]) == 6 + 6 + 4 + 1


def test_little_is_enough():
    clip = clip_of(GOOD, 0, "a")
    assert clip.tracks.visible.all()
    assert (clip.tracks.confidence == 1).all()
    assert clip.tracks.labels is None


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("frame", [0, 0.5], "row 2: frame is 0.5"),
        ("frame", [0, float("nan")], "row 2: frame is nan"),
        ("frame", [-1, 0], "row 1: frame is -1"),
        ("frame", [0, 1e12], "row 2: frame is 1e"),
        ("frame", [0, 0], "row 2: track 1 stands there twice in frame 0"),
        ("track", [0, 1], "row 1: track is 0"),
        ("x", [1.0, float("inf")], "row 2: x is inf"),
        ("y", [1e12, 1.0], "row 1: y is 1e"),
        ("x", [1.0, float("nan")], "row 2: the point is visible at"),
        ("visible", [1, 2], "row 2: visible is 2"),
        ("confidence", [0.5, 1.5], "row 2: confidence is 1.5"),
    ],
)
def test_what_is_wrong_is_told_with_its_row(name: str, values: list[float], words: str):
    with pytest.raises(FormatError, match=words):
        clip_of({**GOOD, name: values}, 0, "a")


def test_missing_and_double_columns_are_named():
    with pytest.raises(FormatError, match="lacks the columns track, y"):
        check_header(["frame", "x"], "a")
    with pytest.raises(FormatError, match="'x' twice"):
        check_header(["frame", "track", "x", "y", "x"], "a")


def test_the_rows_of_a_video_stand_together():
    seen: set[tuple[str, str]] = set()
    check_new(seen, ("a", ""), "t")
    with pytest.raises(FormatError, match="stand apart"):
        check_new(seen, ("a", ""), "t")
