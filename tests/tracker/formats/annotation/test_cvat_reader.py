"""CVAT for video 1.1, read: what we wrote, what CVAT writes, and what is neither."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.annotation.cvat_reader import read_cvat_video
from point_tracking.tracker.formats.annotation.cvat_video import write_cvat_video
from point_tracking.tracker.formats.annotation.tracked_shapes import AnnotatedVideo, ShapeTrack, TrackedShape

HEAD = (
    "<annotations><version>1.1</version><meta><task><name>v</name><size>9</size><labels><label><name>goat</name>"
    "<attributes/></label></labels><original_size><width>640</width><height>360</height></original_size></task></meta>"
)
TEXT = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=12)
PIXELS = st.floats(-1e6, 1e6, allow_subnormal=False) | st.floats(-5000, 5000, width=32)
VALUES = st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | TEXT


@st.composite
def shapes(draw: Any, frame: int) -> TrackedShape:
    kind = draw(st.sampled_from(["box", "points", "polyline", "polygon"]))
    number = 2 if kind == "box" else draw(st.integers(1, 4))
    xy = draw(st.lists(st.tuples(PIXELS, PIXELS), min_size=number, max_size=number))
    flags = {name: draw(st.booleans()) for name in ("outside", "occluded", "keyframe")}
    notes = draw(st.dictionaries(TEXT, VALUES | st.none(), max_size=2))
    return TrackedShape(frame, kind, xy, **flags, notes=notes)


@st.composite
def tracks(draw: Any) -> list[ShapeTrack]:
    made = []
    for number in draw(st.lists(st.integers(0, 10**6), unique=True, max_size=3)):
        frames = sorted(draw(st.sets(st.integers(0, 10**6), min_size=1, max_size=4)))
        made.append(ShapeTrack(number, draw(TEXT), tuple(draw(shapes(frame)) for frame in frames)))
    return made


def told(shape: TrackedShape) -> tuple:
    return (
        *(shape.frame_index, shape.kind, shape.xy.tolist(), shape.outside, shape.occluded, shape.keyframe),
        *(dict(shape.attributes), dict(shape.notes)),
    )


@given(made=tracks(), name=TEXT)
def test_what_is_written_is_read_back_exactly(made: list[ShapeTrack], name: str):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xml"
        write_cvat_video(path, AnnotatedVideo(name, 7, (64, 48)), made)
        opened = read_cvat_video(path)
        found = list(opened.tracks)
    assert opened.video == AnnotatedVideo(name.strip(), 7, (64, 48))
    assert [(t.number, t.label, t.source) for t in found] == [(t.number, t.label, t.source) for t in made]
    assert [[told(s) for s in t.shapes] for t in found] == [[told(s) for s in t.shapes] for t in made]
    assert not opened.left_out


@given(values=st.lists(st.booleans(), max_size=3) | st.lists(st.integers(-(10**9), 10**9), max_size=3) | st.lists(TEXT))
def test_attributes_keep_their_values_and_types(values: list):
    made = ShapeTrack(
        1,
        "goat",
        tuple(TrackedShape(t, "points", [[1, 2]], attributes={"a": value}) for t, value in enumerate(values)),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xml"
        write_cvat_video(path, AnnotatedVideo("v", 7, (64, 48)), [made])
        found = [shape.attributes["a"] for track in read_cvat_video(path).tracks for shape in track.shapes]
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def saved(folder: Path, text: str, head: str = HEAD) -> Path:
    path = folder / "a.xml"
    path.write_text(head + text + "</annotations>", encoding="utf-8")
    return path


def test_cvats_own_files_are_read(tmp_path: Path):
    path = saved(
        tmp_path,
        """<track id="4" label="goat" source="manual">
        <box frame="5" outside="0" occluded="1" keyframe="1" xtl="80.30" ytl="1.00" xbr="199.90" ybr="20.00">
            <attribute name="speed">2.5</attribute><attribute name="wild">true</attribute></box>
        <box frame="2" outside="0" occluded="0" keyframe="0" xtl="80.00" ytl="1.00" xbr="199.00" ybr="20.00"/>
        <box frame="8" outside="1" occluded="0" xtl="80.00" ytl="1.00" xbr="199.00" ybr="20.00"/></track>""",
    )
    opened = read_cvat_video(path)
    assert opened.video == AnnotatedVideo("v", 9, (640, 360))
    (track,) = opened.tracks
    assert [shape.frame_index for shape in track.shapes] == [2, 5, 8]
    assert [shape.keyframe for shape in track.shapes] == [False, True, True]
    assert [shape.outside for shape in track.shapes] == [False, False, True]
    box = track.shapes[1]
    np.testing.assert_array_equal(box.xy, [[80.3, 1], [199.9, 20]])
    assert box.occluded
    assert box.attributes == {"speed": 2.5, "wild": True}


def test_what_is_not_read_is_counted(tmp_path: Path):
    opened = read_cvat_video(
        saved(
            tmp_path,
            '<image id="0"/><track id="1" label="goat"><skeleton frame="1"/><ellipse frame="1"/></track>'
            '<track id="2" label="goat"><points frame="0" points="1,2"/></track>',
        )
    )
    assert [track.number for track in opened.tracks] == [2]
    assert opened.left_out == {"shapes of single images": 1, "<skeleton> in tracks": 1, "<ellipse> in tracks": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('<track label="goat"/>', "id of a track is None"),
        ('<track id="-1" label="goat"/>', "id of a track is '-1'"),
        ('<track id="1"/>', "has no label"),
        ('<track id="1" label="a"/><track id="1" label="a"/>', "stands there twice"),
        ('<track id="1" label="a"><points points="1,2"/></track>', "a frame number is None"),
        ('<track id="1" label="a"><points frame="999999999" points="1,2"/></track>', "no video has such a frame"),
        (
            '<track id="1" label="a"><points frame="1" points="1,2"/><points frame="1" points="1,2"/></track>',
            "two shapes",
        ),
        ('<track id="1" label="a"><points frame="1" points="1,nan"/></track>', "frame 1 has a <points>"),
        ('<track id="1" label="a"><points frame="1" points="1,1e999"/></track>', "frame 1 has a <points>"),
        ('<track id="1" label="a"><points frame="1" points="1;2"/></track>', "pairs"),
        ('<track id="1" label="a"><points frame="1"/></track>', "frame 1 has a <points>"),
        ('<track id="1" label="a"><box frame="1" xtl="1" ytl="1" xbr="2"/></track>', "frame 1 has a <box>"),
        ('<track id="1" label="a"><points frame="1" points="1,2" outside="maybe"/></track>', "neither 0 nor 1"),
        (
            '<track id="1" label="a"><points frame="1" points="1,2"><attribute name="point_tracking">{</attribute>'
            "</points></track>",
            "is no JSON",
        ),
    ],
)
def test_damaged_files_are_refused_with_the_place(tmp_path: Path, text: str, words: str):
    with pytest.raises(FormatError, match=words):
        list(read_cvat_video(saved(tmp_path, text)).tracks)


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("<annotations>", "does not say what video"),
        ("<annotations><meta><task><size>9</size></task></meta>", "original_size"),
        (HEAD.replace(">640<", ">0<"), "0 x 360"),
        (HEAD.replace(">640<", ">wide<"), "width is 'wide'"),
    ],
)
def test_files_that_do_not_describe_a_video_are_refused(tmp_path: Path, head: str, words: str):
    with pytest.raises(FormatError, match=words):
        read_cvat_video(saved(tmp_path, "", head))


def test_a_file_without_tracks_has_none(tmp_path: Path):
    assert list(read_cvat_video(saved(tmp_path, "")).tracks) == []
