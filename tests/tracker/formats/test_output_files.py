"""Files that appear under their names only when they are complete."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from point_tracking.tracker.errors import OutputError, OutputExistsError
from point_tracking.tracker.formats.output_files import complete_file, library_path


def test_a_file_appears_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "new" / "a.xml"
    with complete_file(path, overwrite=False) as file:
        file.write("ä")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "ä"
    assert [found.name for found in path.parent.iterdir()] == ["a.xml"]


def test_an_error_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "a.xml"
    path.write_text("old")

    def write_half() -> None:
        with complete_file(path, overwrite=True) as file:
            file.write("half of the new")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["a.xml"]


def test_a_full_disk_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"), complete_file(tmp_path / "a.xml", overwrite=False) as file:
        file.write("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_library_cannot_write_is_told_and_nothing_is_left(tmp_path: Path):
    path = tmp_path / "a.slp"
    with library_path(path, overwrite=False, expected_bytes=1) as scratch:
        scratch.write_text("whole")
        assert list(tmp_path.iterdir()) == []
    assert path.read_text() == "whole"
    with pytest.raises(OutputError, match="TMPDIR"), library_path(path, overwrite=True, expected_bytes=2**60):
        pass
    with pytest.raises(OutputError, match="disk I/O"), library_path(path, overwrite=True, expected_bytes=1):
        raise RuntimeError("disk I/O")
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("whole", 1)


def test_what_is_there_is_replaced_only_when_asked(tmp_path: Path):
    (tmp_path / "a.xml").write_text("old")
    with pytest.raises(OutputExistsError, match="overwrite=True"), complete_file(tmp_path / "a.xml", overwrite=False):
        pass
    with pytest.raises(OutputExistsError, match="folder"), complete_file(tmp_path, overwrite=True):
        pass
