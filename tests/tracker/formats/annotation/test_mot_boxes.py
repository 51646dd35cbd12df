"""Boxes as lines of the MOT challenge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from point_tracking.tracker.errors import FormatError, OutputExistsError
from point_tracking.tracker.formats.annotation.mot_boxes import read_mot_boxes, write_mot_boxes
from point_tracking.tracker.formats.annotation.tracked_shapes import AnnotatedVideo, ShapeTrack, TrackedShape

VIDEO = AnnotatedVideo("clip.mp4", 6, (160, 120))


def box(frame: int, left: float, top: float, right: float, bottom: float, **more) -> TrackedShape:
    return TrackedShape(frame, "box", np.array([[left, top], [right, bottom]]), **more)


TRACKS = (
    ShapeTrack(3, "größe 1", (box(0, 0, 0, 10, 20), box(2, 149.5, 100, 159, 119, occluded=True))),
    ShapeTrack(5, "car", (box(1, 1, 2, 3.25, 4), box(2, 1, 2, 3.25, 4, outside=True))),
)


def write(path: Path, **more) -> None:
    write_mot_boxes(path, VIDEO, TRACKS, **{"fps": 25.0, "first_frame": 1, "overwrite": False, **more})


def test_lines_count_from_one_and_are_sorted_by_frame(tmp_path: Path):
    write(tmp_path / "a.txt")
    lines = (tmp_path / "a.txt").read_text().splitlines()
    assert lines == ["1,3,1,1,10,20,1,2,1", "2,5,2,3,2.25,2,1,1,1", "3,3,150.5,101,9.5,19,1,2,0"]
    info = (tmp_path / "a.ini").read_text(encoding="utf-8")
    assert "frameRate=25\nseqLength=6\nimWidth=160\nimHeight=120" in info
    with pytest.raises(OutputExistsError):
        write(tmp_path / "a.txt")


def test_boxes_come_back_with_their_labels(tmp_path: Path):
    write(tmp_path / "a.txt", first_frame=10)
    found = read_mot_boxes(tmp_path / "a.txt", first_frame=10)
    assert (found.size_px, found.num_frames) == ((160, 120), 6)
    assert [(track.number, track.label) for track in found.tracks] == [(3, "größe 1"), (5, "car")]
    first, second = found.tracks[0].shapes
    assert (second.frame_index, second.occluded, second.xy.tolist()) == (2, True, [[149.5, 100], [159, 119]])
    assert first.xy.tolist() == [[0, 0], [10, 20]]


@given(
    corners=arrays.arrays(np.float64, (3, 2, 2), elements=st.floats(-1000, 1000)),
    frames=st.lists(st.integers(0, 99), min_size=3, max_size=3, unique=True),
    first=st.integers(0, 1001),
)
@hypothesis_settings(max_examples=25)
def test_any_boxes_come_back_to_a_thousandth_of_a_pixel(
    tmp_path_factory: pytest.TempPathFactory, corners: np.ndarray, frames: list[int], first: int
):
    shapes = [box(t, *np.sort(xy, axis=0).ravel()) for t, xy in zip(sorted(frames), corners, strict=True)]
    path = tmp_path_factory.mktemp("mot") / "a.txt"
    write_mot_boxes(path, VIDEO, [ShapeTrack(7, "左", tuple(shapes))], fps=None, first_frame=first, overwrite=False)
    (track,) = read_mot_boxes(path, first_frame=first).tracks
    assert (track.number, track.label, [s.frame_index for s in track.shapes]) == (7, "左", sorted(frames))
    for found, wanted in zip(track.shapes, shapes, strict=True):
        np.testing.assert_allclose(found.xy, wanted.xy, atol=1.1e-3)


def test_motmetrics_form_of_results_is_read(tmp_path: Path):
    (tmp_path / "a.txt").write_text("1, 1, 1, 1, 10, 20, 0.75, -1, -1, -1\n\n2,1,1,1,10,20\n")
    (track,) = read_mot_boxes(tmp_path / "a.txt", first_frame=1).tracks
    assert (track.label, track.shapes[0].notes) == ("object", {"confidence": 0.75})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,1,1,1,10\n", "line 1: 5 numbers"),
        ("1,1,1,a,10,10\n", "line 1: '1,1,1,a"),
        ("1,1,1,nan,10,10\n", "line 1: .* too large"),
        ("1,1,1,1e30,10,10\n", "line 1: .* too large"),
        ("1,1,1,1,-10,10\n", "line 1: a box of -10 x 10 pixels"),
        ("1.5,1,1,1,10,10\n", "frame 1.5"),
        ("0,1,1,1,10,10\n", "before the first|Expected whole"),
        ("1,1,1,1,10,10\n1,1,1,1,10,10\n", "line 2: id 1 stands there twice in frame 1"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, words: str, tmp_path: Path):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(FormatError, match=words):
        read_mot_boxes(tmp_path / "a.txt", first_frame=1)


def test_a_damaged_sequence_file_is_told(tmp_path: Path):
    (tmp_path / "a.txt").write_text("1,1,1,1,10,10\n")
    for text in ("no section\n", "[Sequence]\nimWidth=wide\n"):
        (tmp_path / "a.ini").write_text(text)
        with pytest.raises(FormatError, match=r"ini"):
            read_mot_boxes(tmp_path / "a.txt", first_frame=1)
