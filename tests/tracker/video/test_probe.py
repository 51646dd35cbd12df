"""What `probe` tells of real encoded files, and how files that are no video are refused."""

import os
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import PointTrackingError, VideoError, VideoNotFoundError
from point_tracking.tracker.video import decoding as stream_module

CLIPS = [
    Path(folder, name)
    for variable in ("POINT_TRACKING_VIDEO_DIR", "POINT_TRACKING_EVAL_DIR")
    if (folder := os.environ.get(variable)) and Path(folder).is_dir()
    for name in sorted(os.listdir(folder))
    if name.endswith(".mp4")
]

# good files


def test_an_ordinary_file(tmp_path):
    path = media.video(tmp_path / "clip.mp4", 30, fps=Fraction(30000, 1001), audio=True)
    facts = pt.probe(path)
    assert facts.size_px == (160, 120)
    assert (facts.rotation, facts.codec, facts.pixel_format) == (0, "h264", "yuv420p")
    assert facts.fps == pytest.approx(30000 / 1001)
    assert facts.duration_s == pytest.approx(1.001, abs=1e-3)
    assert facts.declared_frames == facts.num_frames == 30
    assert facts.exact_frames is None
    assert not facts.variable_rate
    assert facts.warnings == ()
    assert facts.mime_type == "video/mp4"
    assert facts.size_bytes == path.stat().st_size
    assert facts.path == str(path)


def test_exact_facts(tmp_path):
    facts = pt.probe(media.b_frame_video(tmp_path / "clip.mp4", 30, gop=12), exact=True)
    assert facts.exact_frames == 30
    assert facts.timestamps_s is not None
    np.testing.assert_allclose(facts.timestamps_s, np.arange(30) / 10)
    assert facts.key_frames is not None
    assert facts.key_frames.tolist() == [0, 12, 24]
    assert facts.warnings == ()


CONTAINERS = ["mp4", "mov", "mkv", "ts", "flv", "avi"]


@pytest.mark.parametrize("ending", CONTAINERS)
@pytest.mark.parametrize("b_frames", [0, 3])
def test_every_container_gives_the_same_facts(tmp_path, ending, b_frames):
    path = media.video(tmp_path / f"clip.{ending}", 40, fps=25, b_frames=b_frames)
    for facts in (pt.probe(path), pt.probe(path, exact=True)):
        assert facts.size_px == (160, 120)
        assert facts.fps == pytest.approx(25)
        assert facts.duration_s == pytest.approx(1.6, abs=0.13)  # flv declares up to three frames more
        assert not facts.variable_rate
        assert facts.warnings == ()
        assert facts.mime_type.startswith("video/")
    assert facts.exact_frames == 40
    assert facts.timestamps_s is not None
    np.testing.assert_allclose(facts.timestamps_s, np.arange(40) / 25, atol=1e-3)
    assert facts.duration_s == pytest.approx(1.6, abs=0.041)


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
@pytest.mark.parametrize("b_frames", [0, 3])
def test_variable_rate_is_told_by_time_stamps(tmp_path, ending, b_frames):
    path = media.variable_rate_video(tmp_path / f"clip.{ending}", 30, b_frames=b_frames)
    facts = pt.probe(path, exact=True)
    assert facts.variable_rate
    assert facts.timestamps_s is not None
    np.testing.assert_allclose(facts.timestamps_s, media.variable_rate_times(30), atol=1.5e-3)
    assert facts.fps == pytest.approx(30 / facts.duration_s, rel=0.02)


@pytest.mark.parametrize("b_frames", [0, 3])
def test_variable_rate_is_told_without_decoding(tmp_path, b_frames):
    assert pt.probe(media.variable_rate_video(tmp_path / "clip.mp4", 30, b_frames=b_frames)).variable_rate
    assert not pt.probe(media.video(tmp_path / "even.mp4", 30, b_frames=b_frames)).variable_rate


def test_a_dropped_frame_makes_the_rate_variable(tmp_path):
    times = [k / 10 for k in range(30) if k != 11]
    assert pt.probe(media.video(tmp_path / "clip.mp4", 29, times_s=times), exact=True).variable_rate


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_rotation_gives_the_displayed_size(tmp_path, degrees):
    facts = pt.probe(media.rotated_video(tmp_path / "clip.mp4", degrees))
    assert facts.rotation == degrees
    assert facts.size_px == ((120, 160) if degrees % 180 else (160, 120))


def test_size_is_that_of_the_pixels_whatever_their_aspect(tmp_path):
    path = media.video(tmp_path / "clip.mp4", 4, sample_aspect_ratio=Fraction(4, 3))
    assert pt.probe(path).size_px == (160, 120)


@pytest.mark.parametrize("ending", ["mp4", "ts"])
def test_time_counts_from_the_first_frame(tmp_path, ending):
    facts = pt.probe(media.video(tmp_path / f"clip.{ending}", 20, start_s=5.0, b_frames=2), exact=True)
    assert facts.first_pts > 0
    assert facts.timestamps_s is not None
    assert facts.timestamps_s[0] == 0
    assert facts.duration_s == pytest.approx(2.0, abs=1e-3)


@pytest.mark.parametrize("num_frames", [1, 2])
def test_very_short_files(tmp_path, num_frames):
    facts = pt.probe(media.video(tmp_path / "clip.mp4", num_frames), exact=True)
    assert facts.exact_frames == num_frames
    assert facts.fps == pytest.approx(10)
    assert facts.duration_s == pytest.approx(num_frames / 10)
    assert not facts.variable_rate
    assert facts.warnings == ()


def test_files_that_declare_no_count(tmp_path):
    path = media.vp9_video(tmp_path / "clip.webm", 12)
    facts = pt.probe(path)
    assert facts.declared_frames == 0
    assert facts.num_frames == 12  # estimated
    assert (facts.codec, facts.mime_type) == ("vp9", "video/webm")
    assert pt.probe(path, exact=True).exact_frames == 12


def test_a_stream_without_any_time_stamps(tmp_path):
    facts = pt.probe(media.video(tmp_path / "clip.h264", 20), exact=True)
    assert facts.exact_frames == 20
    assert facts.pts is None
    assert facts.timestamps_s is not None
    assert (np.diff(facts.timestamps_s) > 0).all()
    assert not facts.variable_rate


def test_time_stamps_that_go_back_are_replaced_by_the_nominal_rate(tmp_path):
    facts = pt.probe(media.b_frame_video(tmp_path / "clip.avi", 20), exact=True)
    assert facts.pts is None
    assert facts.timestamps_s is not None
    np.testing.assert_allclose(facts.timestamps_s, np.arange(20) / 10)


@pytest.mark.parametrize(
    ("maker", "name", "pixel_format"),
    [
        (media.ten_bit_video, "clip.mp4", "yuv420p10le"),
        (media.grey_video, "clip.mp4", "yuvj420p"),  # the decoder adds colour planes
        (media.odd_sized_video, "clip.mp4", "yuv444p"),
        (media.mpeg4_video, "clip.avi", "yuv420p"),
    ],
)
def test_pixel_formats(tmp_path, maker, name, pixel_format):
    assert pt.probe(maker(tmp_path / name)).pixel_format == pixel_format


@pytest.mark.skipif(not CLIPS, reason="POINT_TRACKING_VIDEO_DIR and POINT_TRACKING_EVAL_DIR are not set")
@pytest.mark.parametrize("path", CLIPS, ids=lambda path: path.stem)
def test_real_clips_declare_what_decodes(path):
    facts, exact = pt.probe(path), pt.probe(path, exact=True)
    with av.open(str(path)) as container:
        shapes = [frame.to_ndarray(format="rgb24").shape for frame in container.decode(container.streams.video[0])]
    assert exact.exact_frames == len(shapes)
    assert {(facts.height, facts.width, 3)} == set(shapes)
    assert facts.fps == exact.fps
    assert facts.variable_rate == exact.variable_rate
    assert facts.duration_s == pytest.approx(len(shapes) / facts.fps, abs=0.5 / facts.fps)


# broken files


def test_more_declared_than_decode(tmp_path):
    path = media.overdeclared_video(tmp_path / "clip.mp4", 20, 2)
    assert pt.probe(path).num_frames == 22
    facts = pt.probe(path, exact=True)
    assert facts.exact_frames == 20
    assert "22 frames declared, 20 decode" in facts.warnings


@pytest.mark.parametrize("b_frames", [0, 3])
def test_truncated_mp4(tmp_path, b_frames):
    whole = media.faststart_video(tmp_path / "whole.mp4", 40, b_frames=b_frames)
    facts = pt.probe(media.truncated(tmp_path / "clip.mp4", whole, 0.6), exact=True)
    assert facts.declared_frames == 40
    assert facts.exact_frames is not None
    assert 10 < facts.exact_frames < 40
    assert any("frames declared" in line for line in facts.warnings)
    assert facts.duration_s == pytest.approx(facts.exact_frames / 10, abs=0.2)


def test_truncated_mkv_is_told_by_its_duration(tmp_path):
    whole = media.b_frame_video(tmp_path / "whole.mkv", 40)
    facts = pt.probe(media.truncated(tmp_path / "clip.mkv", whole), exact=True)
    assert facts.exact_frames is not None
    assert 5 < facts.exact_frames < 30
    assert any("s declared" in line for line in facts.warnings)


def test_truncated_ts_keeps_what_decodes(tmp_path):
    whole = media.b_frame_video(tmp_path / "whole.ts", 40)
    frames = pt.probe(media.truncated(tmp_path / "clip.ts", whole), exact=True).exact_frames
    assert frames is not None
    assert 5 < frames < 30


def test_an_mp4_without_its_index_is_refused(tmp_path):
    whole = media.video(tmp_path / "whole.mp4", 40)
    with pytest.raises(VideoError, match="Invalid data found"):
        pt.probe(media.truncated(tmp_path / "clip.mp4", whole))


def test_damage_in_the_middle_is_told(tmp_path):
    whole = media.b_frame_video(tmp_path / "whole.mp4", 40)
    facts = pt.probe(media.damaged(tmp_path / "clip.mp4", whole), exact=True)
    assert facts.exact_frames is not None
    assert 20 < facts.exact_frames <= 40
    assert any("could not be decoded" in line or "damaged" in line for line in facts.warnings)


# no videos

NO_VIDEO = {
    "zero.mp4": (media.zero_bytes, "empty"),
    "text.mp4": (media.text_file, "cannot be opened as video"),
    "noise.mp4": (media.random_bytes, "cannot be opened as video"),
    "picture.mp4": (media.picture_file, "picture"),
    "photo.mp4": (lambda path: media.picture_file(path, "mjpeg"), "picture"),
    "picture.png": (media.picture_file, "picture"),
    "sound.mp4": (media.audio_only, r"no video stream \(found: audio\)"),
    "song.m4a": (media.audio_with_cover, r"no video stream \(found: audio, cover picture\)"),
}


@pytest.mark.parametrize("name", NO_VIDEO)
def test_no_video(tmp_path, name):
    maker, words = NO_VIDEO[name]
    path = maker(tmp_path / name)
    for open_it in (pt.probe, pt.VideoFrames):
        with pytest.raises(VideoError, match=words) as caught:
            open_it(path)
        assert isinstance(caught.value, PointTrackingError)
        assert str(path) in str(caught.value)
        assert not isinstance(caught.value, VideoNotFoundError)


def test_a_missing_file(tmp_path):
    for path in (tmp_path / "none.mp4", media.zero_bytes(tmp_path / "file") / "below.mp4"):
        with pytest.raises(VideoNotFoundError, match="There is no video at"):
            pt.probe(path)
    with pytest.raises(FileNotFoundError):
        pt.VideoFrames(tmp_path / "none.mp4")


def test_a_folder_and_an_impossible_name(tmp_path):
    with pytest.raises(VideoError, match="is not a file"):
        pt.probe(tmp_path)
    with pytest.raises(VideoError, match="cannot be read"):
        pt.probe("a\0b.mp4")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path):
    path = media.video(tmp_path / "clip.mp4", 2)
    path.chmod(0)
    with pytest.raises(VideoError, match="permission denied"):
        pt.probe(path)


def test_no_permission_is_told_to_root_too(tmp_path, monkeypatch):
    path = media.video(tmp_path / "clip.mp4", 2)
    monkeypatch.setattr(stream_module.os, "access", lambda *_: False)
    with pytest.raises(VideoError, match="permission denied"):
        pt.probe(path)


def test_a_codec_without_decoder_is_refused(tmp_path):
    path = media.video(tmp_path / "clip.mp4", 5)
    path.write_bytes(path.read_bytes().replace(b"avc1", b"qqqq").replace(b"isomqqqq", b"isomavc1"))
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        pt.probe(path)


@pytest.mark.parametrize("name", ["list.m3u8", "list.mp4", "list.ffconcat", "list.txt"])
@pytest.mark.parametrize("maker", [media.hls_playlist, media.concat_playlist])
@pytest.mark.parametrize("target", ["secret.mp4", "secret.ts"])
def test_a_playlist_opens_no_other_file(tmp_path, name, maker, target):
    media.video(tmp_path / target, 3)
    for where in (tmp_path / target, Path(target)):
        with pytest.raises(VideoError, match="cannot be opened as video"):
            pt.probe(maker(tmp_path / name, where))


def test_a_playlist_is_named_as_the_reason(tmp_path):
    target = media.video(tmp_path / "other.mp4", 3)
    with pytest.raises(VideoError, match="refers to other files"):
        pt.probe(media.hls_playlist(tmp_path / "list.m3u8", target))


def test_a_name_that_looks_like_a_protocol_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    media.video(tmp_path / "clip.mp4", 3)
    (tmp_path / "clip.mp4").rename("concat:a|b.mp4")
    assert pt.probe("concat:a|b.mp4").num_frames == 3
    (tmp_path / "concat:a|b.mp4").rename("50%d of it #1?.mp4")
    assert pt.probe("50%d of it #1?.mp4").num_frames == 3


@pytest.mark.skipif(os.name == "nt", reason="open files cannot be removed there")
@pytest.mark.parametrize("exact", [False, True])
def test_a_file_that_goes_away_while_it_is_probed(tmp_path, monkeypatch, exact):
    path = media.video(tmp_path / "clip.mp4", 30)
    size = path.stat().st_size

    def decode(*arguments):
        path.unlink()
        return stream_module.decode(*arguments)

    monkeypatch.setattr("point_tracking.tracker.video.probe.decode", decode)
    if exact:
        with pytest.raises(VideoNotFoundError, match="moved or deleted"):
            pt.probe(path, exact=True)
    else:
        assert pt.probe(path).size_bytes == size
