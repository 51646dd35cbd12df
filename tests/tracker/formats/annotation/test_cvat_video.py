"""CVAT for video 1.1, written; what is read back is in test_cvat_reader."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from point_tracking.tracker.errors import FormatError, OutputExistsError
from point_tracking.tracker.formats.annotation.cvat_video import write_cvat_video
from point_tracking.tracker.formats.annotation.tracked_shapes import AnnotatedVideo, ShapeTrack, TrackedShape

VIDEO = AnnotatedVideo("a & b.mp4", 12, (160, 120))
POINT = ShapeTrack(
    1,
    "<nose>",
    (
        TrackedShape(0, "points", [[80.25, 3]], occluded=True, attributes={"speed": 1.5}, notes={"confidence": 0.5}),
        TrackedShape(1, "points", [[80.25, 3]], outside=True, keyframe=False, attributes={"seen": True}),
    ),
)


def test_the_layout_is_that_of_cvat(tmp_path: Path):
    write_cvat_video(tmp_path / "a.xml", VIDEO, [POINT])
    root = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert (root.tag, root.findtext("version"), root.findtext("meta/task/mode")) == (
        "annotations",
        "1.1",
        "interpolation",
    )
    assert root.findtext("meta/task/name") == "a & b.mp4"
    assert [root.findtext(f"meta/task/{k}") for k in ("size", "original_size/width", "original_size/height")] == [
        "12",
        "160",
        "120",
    ]
    declared = {
        a.findtext("name"): a.findtext("input_type") for a in root.iter("attribute") if a.find("name") is not None
    }
    assert declared == {"speed": "number", "seen": "checkbox", "point_tracking": "text"}
    (track,) = root.findall("track")
    assert (track.get("id"), track.get("label")) == ("1", "<nose>")
    first, second = track.findall("points")
    assert first.attrib == {
        "frame": "0",
        "points": "80.25,3.0",
        "outside": "0",
        "occluded": "1",
        "keyframe": "1",
        "z_order": "0",
    }
    assert [(a.get("name"), a.text) for a in first] == [("speed", "1.5"), ("point_tracking", '{"confidence": 0.5}')]
    assert (second.get("outside"), second.get("keyframe"), second[0].text) == ("1", "0", "true")


def test_a_box_is_written_as_its_four_sides(tmp_path: Path):
    write_cvat_video(
        tmp_path / "a.xml", VIDEO, [ShapeTrack(0, "goat", (TrackedShape(3, "box", [[1.5, 2], [30, 40.125]]),))]
    )
    box = next(ElementTree.parse(tmp_path / "a.xml").getroot().iter("box"))
    assert [box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")] == ["1.5", "2.0", "30.0", "40.125"]


def test_what_xml_cannot_hold_is_refused_and_leaves_no_file(tmp_path: Path):
    for track in (ShapeTrack(1, "a\x00b", POINT.shapes), ShapeTrack(1, "a\ud800", POINT.shapes)):
        with pytest.raises(FormatError, match="XML cannot hold"):
            write_cvat_video(tmp_path / "a.xml", VIDEO, [track])
    with pytest.raises(FormatError, match="share a number"):
        write_cvat_video(tmp_path / "a.xml", VIDEO, [POINT, POINT])
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_when_asked(tmp_path: Path):
    write_cvat_video(tmp_path / "a.xml", VIDEO, [])
    with pytest.raises(OutputExistsError):
        write_cvat_video(tmp_path / "a.xml", VIDEO, [POINT])
    write_cvat_video(tmp_path / "a.xml", VIDEO, [POINT], overwrite=True)
    assert "<track" in (tmp_path / "a.xml").read_text()
