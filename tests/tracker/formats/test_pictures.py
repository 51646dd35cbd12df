"""Pictures of frames beside tracks, and folders that are whole or not there."""

from __future__ import annotations

from pathlib import Path

import cv2
import media
import numpy as np
import pytest
from made_clips import files_in

from point_tracking.tracker.errors import OutputError, VideoError
from point_tracking.tracker.formats.pictures import complete_folder, frame_pictures, write_pictures


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(media.video(tmp_path_factory.mktemp("video") / "a.mp4", num_frames=40))


def test_the_frames_asked_for_are_shown(video: str):
    wanted = np.array([0, 1, 5, *range(6, 40)])
    assert media.indices_in(frame_pictures(video, wanted)) == wanted.tolist()
    with pytest.raises(VideoError):
        list(frame_pictures(video, np.array([40])))


def test_pictures_are_upright_files(tmp_path: Path, video: str):
    write_pictures(video, np.array([3, 7]), tmp_path, ["a.png", "b.png"])
    read = cv2.imread(str(tmp_path / "b.png"))
    assert read is not None
    assert media.looks_like(read[..., ::-1], media.picture(7))


def test_a_folder_is_whole_or_not_there(tmp_path: Path):
    def half() -> None:
        with complete_folder(tmp_path / "a", overwrite=True) as folder:
            (folder / "x").touch()
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert files_in(tmp_path) == []
    for text in ("old", "new"):
        with complete_folder(tmp_path / "a", overwrite=text == "new") as folder:
            (folder / text).touch()
            (folder / "below").mkdir()
            (folder / "below" / "same").write_text(text)
    # what somebody else put there is not deleted
    assert files_in(tmp_path) == ["a", "a/below", "a/below/same", "a/new", "a/old"]
    assert (tmp_path / "a" / "below" / "same").read_text() == "new"
    with pytest.raises(OutputError, match="exists"), complete_folder(tmp_path / "a", overwrite=False):
        pass
