"""What holds for every format: files that are whole or not there, no track and one, names in unicode."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from made_clips import assert_seen_alike, clips, corner_clip, empty_clip, files_in

from point_tracking.tracker.errors import FormatError, OptionError, OutputError, OutputExistsError
from point_tracking.tracker.formats.clip import TrackedClip
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.registry import FORMATS, file_format

NEEDS = {"parquet": "pyarrow", "slp": "sleap_io", "colmap": "pycolmap", "rerun": "rerun"}
# of the others a scene of its own is tested
WRITTEN = sorted(name for name, one in FORMATS.items() if one.module and name != "colmap")
READ = sorted(name for name in WRITTEN if FORMATS[name].imports)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A clip of 6 frames."""
    return str(media.video(tmp_path_factory.mktemp("video") / "größe.mp4", num_frames=6))


def write(name: str, path: Path, clip: TrackedClip, **options) -> None:
    if find_spec(NEEDS.get(name, "numpy")) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    FORMATS[name].load().write_clips(path, [clip], WriteOptions(**options))


def read(name: str, path: Path, **options) -> TrackedClip:
    (clip,) = FORMATS[name].load().read_clips(path, ReadOptions(**options))
    return clip


@pytest.mark.parametrize("name", READ)
def test_corners_and_hidden_stretches_come_back_at_any_first_frame(name: str, tmp_path: Path, video: str):
    path, clip = tmp_path / f"a{FORMATS[name].suffix}", corner_clip(video)
    first = 0 if name == "tapvid" else 1001
    write(name, path, clip, first_frame=first)
    found = read(name, path, first_frame=first)
    assert_seen_alike(found, clip, atol=1e-4)
    assert found.size_px in (None, (160, 120))


@pytest.mark.parametrize("name", ["dlc", "lightning-pose", "slp", "coco", "tapvid"])
@given(clip=clips(), first=st.sampled_from([0, 1001]))
@hypothesis_settings(max_examples=10)
def test_what_is_seen_of_any_clip_comes_back(
    name: str, video: str, tmp_path_factory: pytest.TempPathFactory, clip: TrackedClip, first: int
):
    # tables of clips of our own: beside each format; a pickle's rows are the frames of its video
    clip = replace(clip, path=video)
    if name == "tapvid":
        first, clip = 0, replace(clip, frames=np.arange(len(clip.frames)), indices=np.arange(1, len(clip.indices) + 1))
    path = tmp_path_factory.mktemp(name) / f"a{FORMATS[name].suffix}"
    write(name, path, clip, first_frame=first, names="index")
    found = read(name, path, first_frame=first)
    assert_seen_alike(found, clip, atol=1e-3)
    np.testing.assert_array_equal(found.indices, clip.indices)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("number", [0, 1])
def test_no_track_and_one_are_fine(name: str, number: int, tmp_path: Path, video: str):
    path = tmp_path / f"a{FORMATS[name].suffix}"
    clip = corner_clip(video).chosen(np.array([0])) if number else empty_clip()
    if not number:
        clip = TrackedClip(clip.tracks, clip.frames, clip.indices, clip.size_px, 6, 10.0, path=video)
    write(name, path, clip)
    if name in READ and number:
        assert_seen_alike(read(name, path), clip, atol=1e-4)
    elif name in READ:
        assert read(name, path).tracks.num_points == 0


@pytest.mark.parametrize("name", WRITTEN)
def test_files_are_whole_or_not_there(name: str, tmp_path: Path, video: str, monkeypatch: pytest.MonkeyPatch):
    path, clip = tmp_path / f"a{FORMATS[name].suffix}", corner_clip(video)
    path.write_text("old")
    with pytest.raises(OutputExistsError, match="overwrite=True"):
        write(name, path, clip)
    assert path.read_text() == "old"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(OutputError, match="No space left"):
            write(name, path, clip, overwrite=True)
    assert path.read_text() == "old"
    assert files_in(tmp_path) == [path.name]
    write(name, path, clip, overwrite=True)
    assert path.read_bytes() != b"old"


@pytest.mark.parametrize("name", READ)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\x00 no such file", b"PK\x03\x04 cut off", b"{}", b"a,b\n1,2\n"])
def test_a_file_of_another_format_is_refused_in_words(name: str, content: bytes, tmp_path: Path):
    if find_spec(NEEDS.get(name, "numpy")) is None:
        pytest.skip(f"{NEEDS[name]} is not installed")
    path = tmp_path / f"a{FORMATS[name].suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="a\\."):
        list(FORMATS[name].load().read_clips(path, ReadOptions()))


def test_formats_are_told_by_name():
    assert list(FORMATS) == [
        *("npz", "csv", "parquet", "tapvid", "dlc", "lightning-pose", "slp", "coco", "cvat", "mot", "colmap", "rerun"),
        *("nuke", "after-effects", "blender", "3de"),
    ]
    with pytest.raises(OptionError, match="Supported values are npz, csv"):
        file_format("CSV")
    with pytest.raises(OptionError, match="only written"):
        file_format("nuke", to_import=True)
