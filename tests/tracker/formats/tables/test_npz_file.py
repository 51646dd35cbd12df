"""Our own npz: nothing is lost, numpy alone reads it, and nothing in it is run."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from made_clips import assert_same, clips, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.tables.npz_file import read_clips, read_keys, write_clips


@given(clips())
@hypothesis_settings(max_examples=25)
def test_any_clip_comes_back(tmp_path_factory: pytest.TempPathFactory, clip: TrackedClip):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    write_clips(path, [clip], WriteOptions(first_frame=3))
    (found,) = read_clips(path, ReadOptions(first_frame=3))
    assert_same(found, clip)
    assert (found.size_px, found.num_frames) == (clip.size_px, clip.num_frames)


def test_numpy_alone_reads_it(tmp_path: Path):
    clip = replace(mice(), query_t=np.array([0, 1, -1, 0]))
    write_clips(tmp_path / "a.npz", [clip], WriteOptions())
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert file["xy"].shape == (6, 4, 2)
        assert file["labels"].tolist() == ["mouse"] * 4
        assert file["query_xy"][1].tolist() == [158.75, 0.25]
        assert np.isnan(file["query_xy"][2:]).all()
        assert (file["fps"], file["size"].tolist()) == (10.0, [160, 120])
    (found,) = read_clips(tmp_path / "a.npz", ReadOptions())
    assert_same(found, clip)
    assert found.query_t is not None
    assert found.query_t.tolist() == [0, 1, -1, 0]
    assert found.edges == (("nose", "tail"),)
    assert read_keys(tmp_path / "a.npz") == [("a" * 24, "/videos/mice.mp4")]


def test_arrays_of_others_may_say_less(tmp_path: Path):
    arrays = {"xy": np.ones((3, 2, 2)), "visible": np.ones((3, 2)).astype(int), "confidence": np.ones((3, 2))}
    np.savez(tmp_path / "a.npz", **arrays)
    (clip,) = read_clips(tmp_path / "a.npz", ReadOptions(first_frame=7))
    assert (clip.frames.tolist(), clip.indices.tolist(), clip.size_px) == ([0, 1, 2], [1, 2], None)


class _Code:
    def __reduce__(self):
        return (os.mkdir, ("never-made",))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"visible": np.ones((3, 1), bool)}, "lacks the arrays xy, confidence"),
        ({"xy": np.ones((3, 1, 2)), "visible": np.ones((2, 1), bool), "confidence": np.ones((3, 1))}, "fit together"),
        ({"xy": np.ones((3, 2)), "visible": np.ones((3, 1), bool), "confidence": np.ones((3, 1))}, "fit together"),
        (
            {"xy": np.ones((3, 1, 2)) * 1e99, "visible": np.ones((3, 1), bool), "confidence": np.ones((3, 1))},
            "together",
        ),
        ({"xy": np.array([[[_Code()]]]), "visible": np.ones(1), "confidence": np.ones(1)}, "cannot be read"),
    ],
    ids=["missing", "rows", "axes", "huge", "pickle"],
)
def test_what_is_wrong_is_told(arrays: dict[str, np.ndarray], words: str, tmp_path: Path):
    np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(FormatError, match=words):
        list(read_clips(tmp_path / "a.npz", ReadOptions()))
    assert not Path("never-made").exists()
