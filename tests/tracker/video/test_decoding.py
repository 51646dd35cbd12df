"""Opening and decoding files: what is refused, and what damage leaves."""

from __future__ import annotations

from pathlib import Path

import av
import media
import numpy as np
import pytest

from point_tracking.tracker.errors import VideoError, VideoNotFoundError
from point_tracking.tracker.video.decoding import (
    check_file,
    decode,
    displayed_size,
    is_mirrored,
    open_stream,
    rotation_of,
)


def test_files_that_cannot_be_read_are_told_apart(tmp_path: Path):
    with pytest.raises(VideoNotFoundError, match="moved or deleted"):
        check_file(tmp_path / "missing.mp4")
    with pytest.raises(VideoNotFoundError):
        check_file(media.text_file(tmp_path / "note.txt") / "below.mp4")
    with pytest.raises(VideoError, match="not a file"):
        check_file(tmp_path)
    with pytest.raises(VideoError, match="0 bytes"):
        check_file(media.zero_bytes(tmp_path / "empty.mp4"))
    with pytest.raises(VideoError, match="cannot be read"):
        check_file("a\0b")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (media.random_bytes, "cannot be opened as video"),
        (media.text_file, "cannot be opened as video|picture or text"),
        (media.picture_file, "picture or text"),
        (media.audio_only, "no video stream .found: audio"),
    ],
)
def test_what_is_no_video_is_refused(tmp_path: Path, make, text: str):
    name = {"picture_file": "a.png", "audio_only": "a.mp4"}.get(make.__name__, "a.mp4")
    path = make(tmp_path / name)
    with pytest.raises(VideoError, match=text), open_stream(path):
        pass


@pytest.mark.parametrize("make", [media.hls_playlist, media.concat_playlist])
def test_lists_of_other_files_are_not_followed(tmp_path: Path, make):
    target = media.video(tmp_path / "target.mp4", 2)
    path = make(tmp_path / "list.mp4", target)
    with pytest.raises(VideoError, match=r"not followed|cannot be opened"), open_stream(path):
        pass


def test_the_cover_picture_of_a_song_is_no_video(tmp_path: Path):
    with pytest.raises(VideoError, match="cover picture"), open_stream(media.audio_with_cover(tmp_path / "song.mp4")):
        pass


def decoded(path: Path) -> tuple[list[int], list[str]]:
    warnings: list[str] = []
    with open_stream(path, frame_threads=False) as (container, stream):
        frames = [frame.to_ndarray(format="rgb24") for frame in decode(container, stream, warnings)]
    return media.indices_in(frames), warnings


def test_intact_files_decode_in_display_order_without_a_warning(tmp_path: Path):
    assert decoded(media.b_frame_video(tmp_path / "clip.mp4")) == (list(range(40)), [])


def test_damage_is_told_and_what_is_whole_is_kept(tmp_path: Path):
    whole = media.faststart_video(tmp_path / "whole.mp4")
    found, warnings = decoded(media.truncated(tmp_path / "cut.mp4", whole, 0.6))
    assert 5 < len(found) < 40
    assert found[:5] == [0, 1, 2, 3, 4]
    assert warnings
    assert all(any(character.isalpha() for character in line) for line in warnings)


def test_what_was_wrong_is_told_also_where_decoding_is_given_up(tmp_path: Path):
    warnings: list[str] = []
    path = media.damaged(tmp_path / "bad.mp4", media.video(tmp_path / "clip.mp4", 40), at=0.2, size=2000)
    with open_stream(path, frame_threads=False) as (container, stream):
        frames = decode(container, stream, warnings)
        for _ in range(20):
            if next(frames, None) is None:
                break
        frames.close()
    assert warnings


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_how_frames_are_turned_for_display(tmp_path: Path, degrees: int, mirrored: bool):
    path = media.video(tmp_path / "clip.mp4", 1, size=(96, 64), rotation=degrees, mirrored=mirrored)
    with av.open(str(path)) as file:
        frame = next(file.decode(video=0))
    assert displayed_size(frame) == ((64, 96) if degrees % 180 else (96, 64))
    assert is_mirrored(frame) == mirrored
    if not mirrored:
        assert rotation_of(frame) == degrees
    assert np.isin(rotation_of(frame), [0, 90, 180, 270])
