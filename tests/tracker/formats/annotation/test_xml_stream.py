"""XML read piece by piece, as values and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.annotation.xml_stream import parts_of_root

BOMB = """<?xml version="1.0"?>
<!DOCTYPE annotations [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotations><meta>&b;</meta></annotations>"""
FETCH = '<!DOCTYPE annotations SYSTEM "file:///etc/passwd"><annotations><meta/></annotations>'
OUTSIDE = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><annotations><meta>&x;</meta></annotations>'


def saved(folder: Path, text: str | bytes) -> Path:
    path = folder / "a.xml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_the_elements_of_the_root_come_one_by_one(tmp_path: Path):
    path = saved(tmp_path, "<annotations>x<a n='1'>t<b>u</b></a><c/></annotations>")
    first, second = parts_of_root(path, "annotations")
    assert (first.tag, first.get("n"), first.text, first.findtext("b")) == ("a", "1", "t", "u")
    assert (second.tag, len(second)) == ("c", 0)


def test_elements_are_handed_on_before_the_file_ends(tmp_path: Path):
    text = "<annotations><a/>" + "<b>x</b>" * 50_000 + "<broken"
    parts = parts_of_root(saved(tmp_path, text), "annotations")
    assert next(parts).tag == "a"
    with pytest.raises(FormatError, match="cut off"):
        list(parts)


@pytest.mark.parametrize("text", [BOMB, FETCH, OUTSIDE])
def test_a_document_type_is_refused(tmp_path: Path, text: str):
    with pytest.raises(FormatError, match="DOCTYPE"):
        list(parts_of_root(saved(tmp_path, text), "annotations"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no XML"),
        (b"PK\x03\x04rest of a zip", "unpacked first"),
        ("<annotations><a></annotations>", "no XML"),
        ("<annotations>&unknown;</annotations>", "no XML"),
        ("<svg/>", "root is 'svg'"),
        ("<annotations>" + "<a>" * 100_000, "deeper"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path: Path, text: str | bytes, words: str):
    with pytest.raises(FormatError, match=words):
        list(parts_of_root(saved(tmp_path, text), "annotations"))


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(FormatError, match=r"none\.xml cannot be read"):
        list(parts_of_root(tmp_path / "none.xml", "annotations"))
