"""Pictures in memory as a video file."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest

from point_tracking import VideoFrames, probe
from point_tracking.tracker.errors import OptionError, OutputError, OutputExistsError, ShapeError, VideoError
from point_tracking.tracker.transcoding.encode import encode_video


def test_every_picture_is_a_frame_in_its_place(tmp_path: Path):
    made = encode_video((media.picture(k) for k in range(30)), tmp_path / "made.mp4", fps=29.97)
    assert (made.size_px, made.num_frames) == (media.SIZE, 30)
    frames = np.concatenate(list(VideoFrames(made.path).chunks()))
    assert media.indices_in(frames) == list(range(30))
    assert all(media.looks_like(frame, media.picture(k)) for k, frame in enumerate(frames))


def test_the_file_is_one_that_browsers_play(tmp_path: Path):
    facts = probe(encode_video([media.picture(0)] * 3, tmp_path / "made.mp4", fps=24).path)
    assert (facts.codec, facts.pixel_format, round(facts.fps, 2)) == ("h264", "yuv420p", 24)
    head = (tmp_path / "made.mp4").read_bytes()[:4096]
    assert head.index(b"moov") < head.index(b"mdat")


def test_odd_sides_lose_a_pixel(tmp_path: Path):
    made = encode_video([media.picture(k, (161, 121)) for k in range(4)], tmp_path / "odd.mp4", fps=10)
    assert made.size_px == (160, 120)
    assert media.indices_in(np.concatenate(list(VideoFrames(made.path).chunks()))) == [0, 1, 2, 3]


def test_a_file_is_replaced_only_when_told_to(tmp_path: Path):
    target = tmp_path / "made.mp4"
    target.write_text("mine")
    with pytest.raises(OutputExistsError, match="exists"):
        encode_video([media.picture(0)], target, fps=10)
    assert target.read_text() == "mine"
    encode_video([media.picture(0)], target, fps=10, overwrite=True)
    assert probe(target).width == media.SIZE[0]


@pytest.mark.parametrize(
    ("pictures", "error", "message"),
    [
        ([], VideoError, "no pictures"),
        ([media.picture(0), media.picture(0, (80, 60))], ShapeError, "Picture 1 has the shape"),
        ([media.picture(0).astype(float)], ShapeError, "float64"),
        ([media.picture(0)[..., 0]], ShapeError, r"Expected uint8 \(H, W, 3\)"),
    ],
)
def test_bad_pictures_leave_nothing_behind(tmp_path: Path, pictures: list, error: type, message: str):
    with pytest.raises(error, match=message):
        encode_video(pictures, tmp_path / "made.mp4", fps=10)
    assert not list(tmp_path.iterdir())


def test_bad_options_and_folders_are_refused(tmp_path: Path):
    for options in ({"fps": 0}, {"fps": "24"}, {"fps": 24, "crf": 60}, {"fps": 24, "crf": True}):
        with pytest.raises(OptionError, match="Supported are"):
            encode_video([media.picture(0)], tmp_path / "made.mp4", **options)
    with pytest.raises(OutputError):
        encode_video([media.picture(0)], tmp_path / "no such folder" / "made.mp4", fps=10)
