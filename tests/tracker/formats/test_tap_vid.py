"""TAP-Vid's pickles: what is read, what is refused, and the way back."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from point_tracking.tracker.errors import TruthError
from point_tracking.tracker.formats.tap_vid import (
    TapVidClip,
    encode_jpeg,
    pixels_to_raster,
    raster_to_pixels,
    read_tap_vid,
    write_tap_vid,
)


def clip(num_points: int = 2, num_frames: int = 3, *, jpeg: bool = False, **changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    video: Any = np.repeat(rng.integers(0, 255, (num_frames, 4, 5, 1), dtype=np.uint8), 3, axis=3)
    video = np.kron(video, np.ones((1, 8, 8, 1), np.uint8))
    if jpeg:
        video = [encode_jpeg(frame, quality=100) for frame in video]
    points = rng.random((num_points, num_frames, 2)).astype(np.float32)
    return {"video": video, "points": points, "occluded": rng.random((num_points, num_frames)) < 0.3, **changes}


def saved(folder: Path, held: Any, protocol: int = 4) -> Path:
    path = folder / "clips.pkl"
    path.write_bytes(pickle.dumps(held, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_all_protocols_are_read(tmp_path: Path, protocol: int):
    held = {"one": clip(), "two": clip(3, 2)}
    first, second = read_tap_vid(saved(tmp_path, held, protocol))
    assert (first.name, second.name) == ("one", "two")
    np.testing.assert_array_equal(first.points, held["one"]["points"])
    np.testing.assert_array_equal(second.occluded, held["two"]["occluded"])
    np.testing.assert_array_equal(np.stack(list(first.frames())), held["one"]["video"])


def test_lists_are_named_after_their_file(tmp_path: Path):
    assert [c.name for c in read_tap_vid(saved(tmp_path, [clip(), clip()]))] == ["clips_0000", "clips_0001"]


@pytest.mark.parametrize("holder", [list, tuple, lambda files: np.array(files, dtype=object)])
def test_jpeg_files_are_decoded(tmp_path: Path, holder):
    held = clip(jpeg=True)
    (found,) = read_tap_vid(saved(tmp_path, {"a": {**held, "video": holder(held["video"])}}))
    frames = np.stack(list(found.frames()))
    assert (frames.shape, frames.dtype) == ((3, 32, 40, 3), np.uint8)
    assert np.abs(frames.astype(int) - clip()["video"]).mean() < 2


def test_colours_keep_their_order(tmp_path: Path):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 250
    (found,) = read_tap_vid(saved(tmp_path, {"a": clip(num_frames=1, video=[encode_jpeg(red)])}))
    assert (next(found.frames())[8, 8] > (200, -1, -1)).all()
    assert next(found.frames())[8, 8, 2] < 60


class RunsCode:
    """What a malicious pickle holds."""

    def __reduce__(self):
        return os.mkdir, ("owned",)


@pytest.mark.parametrize("held", [RunsCode(), {"a": RunsCode()}, [clip(video=RunsCode())]])
def test_pickles_that_would_run_code_are_refused_before_they_do(tmp_path: Path, monkeypatch, held):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TruthError, match=r"asks for .*mkdir.*It was not read"):
        read_tap_vid(saved(tmp_path, held))
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"cbuiltins\ngetattr\n.",
        b"cnumpy\nload\n(S'x'\ntR.",
        b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        b"c_codecs\nencode\n(S'x'\nS'zlib_codec'\ntR.",
        b"c_codecs\ndecode\n.",
        b"P1\n.",
    ],
)
def test_other_programs_are_refused_too(tmp_path: Path, program: bytes):
    path = tmp_path / "program.pkl"
    path.write_bytes(program)
    with pytest.raises(TruthError, match="no TAP-Vid file needs"):
        read_tap_vid(path)


class Calls:
    """What calls a function of numpy with arguments of its own choice, in a pickle."""

    def __init__(self, function: Any, *arguments: Any, state: Any = None) -> None:
        self.reduced = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.reduced


UNKNOWN_CODE = b"cbuiltins\nstr\n(c_codecs\nencode\n(S'x'\ntRS'nonsense'\ntR."
POINTERS = b"\x41" * 16
# the flags that tell numpy that an array holds objects are cleared
TAMPERED = Calls(np.dtype, "O", False, True, state=(3, "|", None, None, None, -1, -1, 0))
PARTS = Calls(np.dtype, "V8", False, True, state=(3, "|", None, ("a",), {"a": (np.dtype("O"), 0)}, 8, 1, 0))


def filled(dtype: Any, content: Any, shape: Any = (2,)) -> Calls:
    reconstruct = np.zeros(1).__reduce__()[0]
    return Calls(reconstruct, np.ndarray, (0,), b"b", state=(1, shape, dtype, False, content))


@pytest.mark.parametrize(
    "video",
    [
        filled(TAMPERED, POINTERS),
        filled(PARTS, POINTERS),
        filled(np.dtype("O"), POINTERS),
        Calls(np.ndarray, (2,), np.dtype("O"), POINTERS),
        Calls(np.zeros(1).__reduce_ex__(5)[0], bytearray(POINTERS), TAMPERED, (2,), "C"),
        Calls(np.int8(1).__reduce__()[0], TAMPERED, POINTERS),
        filled(np.dtype("u1"), POINTERS, shape=(-1, -16)),
        filled(np.dtype("u1"), POINTERS, shape=(2**40, 2**40)),
        filled(np.dtype("u1"), 2**40),
        filled("u1", POINTERS),
    ],
)
def test_arrays_of_pointers_or_without_content_are_refused(tmp_path: Path, video: Calls):
    with pytest.raises(TruthError, match=r"This pickle|cannot be read"):
        read_tap_vid(saved(tmp_path, {"a": clip(video=video)}))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">i2"])
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_any_order_are_read(tmp_path: Path, dtype: str, protocol: int):
    points = np.asfortranarray(np.arange(12).reshape(2, 3, 2).astype(dtype))
    (found,) = read_tap_vid(saved(tmp_path, {"a": clip(points=points)}, protocol))
    np.testing.assert_array_equal(found.points, points)


def test_a_video_that_was_read_can_be_written_and_read_again(tmp_path: Path):
    write_tap_vid(tmp_path / "again.pkl", read_tap_vid(saved(tmp_path, {"a": clip()})))
    (found,) = read_tap_vid(tmp_path / "again.pkl")
    np.testing.assert_array_equal(found.video, clip()["video"])


@pytest.mark.parametrize(
    "data", [b"", b"not a pickle", pickle.dumps([1, 2, 3])[:-3], b"\x80\x04]q\x00K\xff", UNKNOWN_CODE]
)
def test_damaged_files_are_named(tmp_path: Path, data: bytes):
    path = tmp_path / "damaged.pkl"
    path.write_bytes(data)
    with pytest.raises(TruthError, match=r"damaged\.pkl cannot be read"):
        read_tap_vid(path)


def test_absent_files_are_named(tmp_path: Path):
    with pytest.raises(TruthError, match=r"absent\.pkl cannot be read.*No such file"):
        read_tap_vid(tmp_path / "absent.pkl")


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({}, "holds no clips"),
        (3, "holds a int"),
        ({"a": 3}, "'a' lacks video, points, occluded"),
        ([{"video": [], "points": []}], "'clips_0000' lacks occluded"),
        ({"a": clip(points=np.zeros((2, 4, 2)))}, r"shape \(2, 4, 2\). Expected \(N, 3, 2\)"),
        ({"a": clip(points="x")}, "are no numbers"),
        ({"a": clip(occluded=np.zeros((2, 2), bool))}, r"occluded of 'a' has the shape \(2, 2\)"),
        ({"a": clip(video=np.zeros((3, 4, 4, 3)))}, "type float64"),
        ({"a": clip(video=np.zeros((3, 4, 4, 4), np.uint8))}, r"shape \(3, 4, 4, 4\)"),
        ({"a": clip(video=7)}, "no list of JPEG files"),
        ({"a": clip(video=[], points=np.zeros((2, 0, 2)))}, "has no frames"),
    ],
)
def test_clips_that_do_not_fit_are_named(tmp_path: Path, held: Any, message: str):
    with pytest.raises(TruthError, match=message):
        read_tap_vid(saved(tmp_path, held))


@pytest.mark.parametrize("frame", [b"", b"no picture", 7, "text"])
def test_pictures_that_do_not_decode_are_named(tmp_path: Path, frame: Any):
    (found,) = read_tap_vid(saved(tmp_path, {"a": clip(num_frames=2, video=[encode_jpeg(clip()["video"][0]), frame])}))
    with pytest.raises(TruthError, match="frame 1 of 'a' cannot be decoded"):
        list(found.frames())


@pytest.mark.parametrize("as_list", [False, True])
@pytest.mark.parametrize("jpeg", [False, True])
def test_what_is_written_is_read_back(tmp_path: Path, as_list: bool, jpeg: bool):
    clips = [TapVidClip(name, **clip(jpeg=jpeg)) for name in ("one", "two")]
    path = tmp_path / "written.pkl"
    write_tap_vid(path, clips, as_list=as_list)
    found = read_tap_vid(path)
    assert [c.name for c in found] == (["written_0000", "written_0001"] if as_list else ["one", "two"])
    for before, after in zip(clips, found, strict=True):
        np.testing.assert_array_equal(after.points, before.points)
        np.testing.assert_array_equal(after.occluded, before.occluded)
        assert len(after.video) == len(before.video)
        assert all(np.array_equal(a, b) for a, b in zip(after.video, before.video, strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["written.pkl"]


def test_names_must_differ_and_there_must_be_clips(tmp_path: Path):
    with pytest.raises(TruthError, match="Two clips are named 'same'"):
        write_tap_vid(tmp_path / "a.pkl", [TapVidClip("same", **clip()), TapVidClip("same", **clip())])
    with pytest.raises(TruthError, match="no clips to write"):
        write_tap_vid(tmp_path / "a.pkl", [])
    assert not list(tmp_path.iterdir())


def test_the_raster_goes_from_edge_to_edge():
    # of 10 pixels the outer edges are 0 and 1; the first centre is 0.05
    np.testing.assert_allclose(raster_to_pixels(np.array([[0, 0.05], [1, 0.5]]), (10, 10)), [[-0.5, 0], [9.5, 4.5]])
    xy = np.random.default_rng(0).uniform(-5, 70, (4, 3, 2))
    np.testing.assert_allclose(raster_to_pixels(pixels_to_raster(xy, (64, 48)), (64, 48)), xy)
