"""Folders that runs may write to, and names of files in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from point_tracking.tracker.errors import OptionError, OutputError
from point_tracking.workflows.output_files.folders import (
    absolute_folder,
    check_folder,
    check_writable,
    file_name,
    make_folder,
)


def test_folders_of_sources_are_found_through_links(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    sources = [str(tmp_path / "in" / "a.mp4")]
    check_folder(tmp_path / "out", sources)
    check_folder(tmp_path, sources)  # above the sources is not among them
    check_folder(tmp_path / "out", [])
    for folder, text in (("in", "is the folder"), ("link", "is the folder"), ("link/below", "lies inside")):
        with pytest.raises(OptionError, match=text):
            check_folder(tmp_path / folder, sources)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file"):
        check_folder(tmp_path / "file", sources)


def test_a_form_is_told_early_of_folders_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_writable(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists(), "looking makes nothing"
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="is a file, so there can be no folder"):
        check_writable(tmp_path / "file" / "below")
    with pytest.raises(OutputError, match="cannot be written to"):
        make_folder(tmp_path / "file" / "below")
    monkeypatch.setattr("os.access", lambda _path, _mode: False)  # root may write everywhere
    with pytest.raises(OutputError, match="permission denied"):
        check_writable(tmp_path / "c")


@pytest.mark.parametrize("folder", [None, "", 3, b""])
def test_what_is_no_path_is_refused(folder: object) -> None:
    with pytest.raises(OptionError, match="path of a folder"):
        absolute_folder(folder)


def test_names_are_those_of_videos_and_fit_every_file_system() -> None:
    assert file_name("/a/cat.mkv", "0123", ".mp4") == "cat-0123.mp4"
    assert len(file_name("/a/" + "é" * 250, "0" * 24, ".webp").encode()) < 255
