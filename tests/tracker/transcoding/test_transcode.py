"""Copies of real encoded clips: which frames they show, when, and what is left after a failure."""

from __future__ import annotations

import errno
import os
import threading
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import (
    Cancelled,
    OptionError,
    OutputError,
    OutputExistsError,
    VideoError,
    VideoNotFoundError,
)
from point_tracking.tracker.transcoding import transcode as transcode_module
from point_tracking.tracker.transcoding.output_file import rename_new
from point_tracking.tracker.transcoding.policy import FramePolicy
from point_tracking.tracker.transcoding.provenance import SourceFacts, is_whole, read_provenance
from point_tracking.tracker.transcoding.transcode import Transcoded, TranscodeOptions, transcode

SIZE = media.SIZE


def _shown(path: str | Path) -> list[int]:
    return media.indices_in(frame for chunk in pt.VideoFrames(path).chunks() for frame in chunk)


def _kept(made: Transcoded) -> list[int]:
    return made.provenance.frame_map.source_indices.tolist()


# every frame of a copy shows exactly the source frame it says


@pytest.mark.parametrize(
    "policy",
    [FramePolicy(), FramePolicy(fps=7), FramePolicy(every_nth=3), FramePolicy(max_frames=9)],
    ids=lambda policy: policy.name,
)
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("clip.mp4", lambda path: media.video(path, 50, fps=30)),
        ("long.mp4", lambda path: media.video(path, 330, fps=30)),
        ("b_frames.mp4", media.b_frame_video),
        ("open_gop.mp4", media.open_gop_video),
        ("variable.mp4", lambda path: media.variable_rate_video(path, 60)),
        ("clip.webm", lambda path: media.vp9_video(path, 40)),
        ("clip.avi", lambda path: media.mpeg4_video(path, 40)),
        ("late.mp4", lambda path: media.video(path, 40, start_s=1.5)),
        ("resized.ts", media.resized_midway_video),
    ],
)
def test_each_frame_shows_the_source_frame_it_says(tmp_path, policy, name, make):
    source = make(tmp_path / name)
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(policy))
    exact = pt.probe(source, exact=True)
    assert _shown(made.path) == _kept(made)
    assert made.provenance.frame_map.num_source_frames == exact.num_frames
    copy = pt.probe(made.path, exact=True)
    assert (copy.codec, copy.pixel_format, copy.warnings) == ("h264", "yuv420p", ())
    assert copy.duration_s == pytest.approx(exact.duration_s, abs=max(1 / copy.fps, 1 / exact.fps) + 1e-3)
    assert copy.fps <= exact.fps * 1.001


def test_the_automatic_policy_is_the_published_rule(tmp_path):
    long = transcode(media.video(tmp_path / "long.mp4", 360, fps=30), tmp_path / "a.mp4")
    kept = np.array(_kept(long))
    assert (kept % 3 == 0).all()
    np.testing.assert_allclose(kept / 30, np.arange(len(kept)) / 7, atol=0.05 + 1e-6)
    assert pt.probe(long.path).fps == 7
    short = transcode(media.video(tmp_path / "short.mp4", 300, fps=30), tmp_path / "b.mp4")
    assert _kept(short) == list(range(0, 300, 3))
    assert pt.probe(short.path).fps == 10


def test_a_rate_is_never_raised(tmp_path):
    source = media.video(tmp_path / "slow.mp4", 12, fps=5)
    for k, policy in enumerate((FramePolicy(), FramePolicy(fps=1000), FramePolicy(max_frames=500))):
        made = transcode(source, tmp_path / f"{k}.mp4", TranscodeOptions(policy))
        assert _kept(made) == list(range(12))
        assert pt.probe(made.path).fps == 5


def test_more_than_the_video_has_leaves_one_frame(tmp_path):
    source = media.video(tmp_path / "clip.mp4", 12)
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(FramePolicy(every_nth=1000)))
    assert _kept(made) == _shown(made.path) == [0]
    assert pt.probe(made.path).duration_s == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("policy", "kept", "fps"),
    [
        (FramePolicy(fps=0.02), [0], 1 / 15.9),
        (FramePolicy(fps=0.1), [0, 100], 0.1),
        (FramePolicy(fps=1e-6), [0], 1 / 15.9),
        (FramePolicy(fps=0.45), [0, 22, 44, 67, 89, 111, 133, 156], 0.45),
        (FramePolicy(every_nth=70), [0, 70, 140], 1 / 7),
        (FramePolicy(max_frames=2), [0, 79], 2 / 15.9),
    ],
)
def test_the_duration_is_kept_at_low_rates(tmp_path, policy, kept, fps):
    source = media.video(tmp_path / "clip.mp4", 159)
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(policy))
    assert _kept(made) == _shown(made.path) == kept
    copy = pt.probe(made.path, exact=True)
    assert pt.probe(made.path).duration_s == pytest.approx(15.9, abs=0.1)
    assert made.provenance.fps == pytest.approx(fps, rel=1e-3)
    assert copy.timestamps_s is not None
    np.testing.assert_allclose(copy.timestamps_s, np.arange(len(kept)) / fps, atol=0.01)


def test_frames_of_variable_rate_keep_their_times(tmp_path):
    source = media.variable_rate_video(tmp_path / "variable.mp4", 60)
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(FramePolicy(every_nth=3)))
    times = pt.probe(made.path, exact=True).timestamps_s
    assert times is not None
    np.testing.assert_allclose(times, media.variable_rate_times(60)[::3], atol=1e-3)
    assert pt.probe(made.path).duration_s == pytest.approx(pt.probe(source, exact=True).duration_s, abs=0.01)


def test_damaged_files_give_what_decodes(tmp_path):
    whole = media.faststart_video(tmp_path / "whole.mp4", 40)
    cut = media.truncated(tmp_path / "cut.mp4", whole, 0.6)
    made = transcode(cut, tmp_path / "copy.mp4", TranscodeOptions(FramePolicy(every_nth=2)))
    assert _shown(made.path) == _kept(made)
    assert made.provenance.frame_map.num_source_frames == pt.VideoFrames(cut).num_frames < 40
    assert made.warnings


# the picture


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotation_and_mirroring_are_baked_in(tmp_path, degrees, mirrored):
    source = media.rotated_video(tmp_path / "turned.mp4", degrees, 6, mirrored=mirrored)
    made = transcode(source, tmp_path / "copy.mp4")
    copy = pt.probe(made.path)
    assert (copy.rotation, copy.mirrored) == (0, False)
    expected, found = (pt.VideoFrames(path).read(range(6)) for path in (source, made.path))
    assert all(media.looks_like(f, e) for f, e in zip(found, expected, strict=True))


@pytest.mark.parametrize("make", [media.ten_bit_video, media.grey_video, media.video])
def test_colours_and_pixel_formats_are_kept(tmp_path, make):
    source = make(tmp_path / "clip.mp4", 8)
    made = transcode(source, tmp_path / "copy.mp4")
    expected, found = (pt.VideoFrames(path).read(range(8)) for path in (source, made.path))
    assert all(media.looks_like(f, e, tolerance=4) for f, e in zip(found, expected, strict=True))


def test_sides_become_even_and_keep_within_the_limit(tmp_path):
    source = media.odd_sized_video(tmp_path / "odd.mp4")
    assert pt.probe(transcode(source, tmp_path / "a.mp4").path).size_px == (160, 120)
    small = transcode(source, tmp_path / "b.mp4", TranscodeOptions(longest_side=81))
    assert pt.probe(small.path).size_px == (80, 60)
    assert _shown(small.path) == _kept(small)


def test_the_shape_of_a_pixel_is_kept(tmp_path):
    source = media.video(tmp_path / "wide.mp4", 4, sample_aspect_ratio=Fraction(4, 3))
    made = transcode(source, tmp_path / "copy.mp4")
    with av.open(made.path) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


def test_the_index_of_the_file_is_in_front(tmp_path):
    data = Path(transcode(media.video(tmp_path / "clip.mp4"), tmp_path / "copy.mp4").path).read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_sound_is_dropped_or_kept(tmp_path):
    source = media.video(tmp_path / "loud.mp4", 40, audio=True)
    silent = transcode(source, tmp_path / "silent.mp4")
    loud = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(keep_audio=True))
    with av.open(silent.path) as container:
        assert not container.streams.audio
    with av.open(loud.path) as container:
        (stream,) = container.streams.audio
        assert stream.codec_context.name == "aac"
        seconds = sum(frame.samples for frame in container.decode(stream)) / 16000
    assert seconds == pytest.approx(4, abs=0.15)
    assert _shown(loud.path) == _kept(loud)


def test_sound_that_browsers_do_not_know_is_coded_anew(tmp_path):
    source = tmp_path / "pcm.mkv"
    with av.open(str(source), "w") as container:
        picture = container.add_stream("libx264", rate=10)
        picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=16000)
        sound.layout = "mono"
        for k in range(20):
            container.mux(picture.encode(av.VideoFrame.from_ndarray(media.picture(k), format="rgb24")))
            tone = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
            tone.sample_rate, tone.pts, tone.time_base = 16000, 1600 * k, Fraction(1, 16000)
            container.mux(sound.encode(tone))
        container.mux(picture.encode())
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(keep_audio=True))
    with av.open(made.path) as container:
        (stream,) = container.streams.audio
        assert stream.codec_context.name == "aac"
        assert float(stream.duration * stream.time_base) == pytest.approx(2, abs=0.15)


def test_a_silent_source_is_said_to_be(tmp_path):
    made = transcode(media.video(tmp_path / "clip.mp4"), tmp_path / "copy.mp4", TranscodeOptions(keep_audio=True))
    assert made.warnings == ("the source has no sound to keep",)


# what a copy remembers, and when it is reused


def test_a_copy_remembers_its_source(tmp_path):
    source = media.video(tmp_path / "clip.mp4", 50, fps=30)
    made = transcode(source, tmp_path / "copy.mp4", TranscodeOptions(FramePolicy(fps=7)))
    found = read_provenance(made.path)
    assert found is not None
    assert found.source == SourceFacts.of(pt.probe(source))
    assert found.source.path == str(source)
    np.testing.assert_array_equal(found.frame_map.source_indices, made.provenance.frame_map.source_indices)
    assert read_provenance(source) is None
    assert read_provenance(media.text_file(tmp_path / "text.mp4")) is None


def test_a_fitting_copy_is_reused_and_others_are_not(tmp_path):
    source, copy = media.video(tmp_path / "clip.mp4", 20), tmp_path / "copy.mp4"
    first = transcode(source, copy)
    before = copy.stat()
    again = transcode(source, copy)
    assert (first.reused, again.reused) == (False, True)
    assert copy.stat().st_ino == before.st_ino
    assert _kept(again) == _kept(first)
    with pytest.raises(OutputExistsError, match=r"other options.*overwrite=True"):
        transcode(source, copy, TranscodeOptions(crf=30))
    os.utime(source, ns=(1, 1))
    with pytest.raises(OutputExistsError, match="another source"):
        transcode(source, copy)
    assert not transcode(source, copy, overwrite=True).reused
    foreign = media.video(tmp_path / "mine.mp4", 3)
    data = foreign.read_bytes()
    with pytest.raises(OutputExistsError, match="not made by preprocessing"):
        transcode(source, foreign)
    assert foreign.read_bytes() == data


@pytest.mark.parametrize("share", [0.6, 0.999])
def test_a_copy_that_was_cut_off_is_made_again(tmp_path, share):
    source, copy = media.video(tmp_path / "clip.mp4", 60), tmp_path / "copy.mp4"
    whole = transcode(source, copy)
    data = copy.read_bytes()
    assert is_whole(copy)
    copy.write_bytes(data[: int(len(data) * share)])
    assert not is_whole(copy)
    assert read_provenance(copy) is not None
    again = transcode(source, copy)
    assert (again.reused, again.warnings) == (False, ("the earlier copy was cut off, and was made again",))
    assert _shown(copy) == _kept(whole)
    assert transcode(source, copy).reused
    copy.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(OutputExistsError, match="other options"):
        transcode(source, copy, TranscodeOptions(crf=30))


def test_what_was_wrong_with_a_source_is_said_again_where_its_copy_is_reused(tmp_path):
    whole = media.faststart_video(tmp_path / "whole.mp4", 40)
    cut = media.truncated(tmp_path / "cut.mp4", whole, 0.6)
    options = TranscodeOptions(keep_audio=True)
    first, again = (transcode(cut, tmp_path / "copy.mp4", options) for _ in range(2))
    assert again.reused
    assert len(again.warnings) > 1
    assert again.warnings == first.warnings


# what goes wrong leaves nothing behind


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (media.zero_bytes, VideoError),
        (media.audio_only, VideoError),
        (media.audio_with_cover, VideoError),
        (media.text_file, VideoError),
        (media.random_bytes, VideoError),
        (lambda path: path, VideoNotFoundError),
    ],
)
def test_what_is_no_video_is_refused(tmp_path, make, error):
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(error):
        transcode(make(tmp_path / "bad.mp4"), out / "copy.mp4")
    assert _files(out) == []


@pytest.mark.parametrize(
    ("number", "text"), [(errno.ENOSPC, "no space left"), (errno.EACCES, "cannot be written"), (errno.EIO, "could not")]
)
def test_a_disk_that_refuses_leaves_nothing_behind(tmp_path, monkeypatch, number, text):
    source, copy = media.video(tmp_path / "clip.mp4", 40), tmp_path / "out" / "copy.mp4"
    copy.parent.mkdir()
    copy.write_bytes(b"old")

    def refuse(self, packets):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(transcode_module._Writer, "_mux", refuse)
    with pytest.raises(OutputError, match=text):
        transcode(source, copy, overwrite=True)
    assert _files(copy.parent) == ["copy.mp4"]
    assert copy.read_bytes() == b"old"


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    source, out = media.video(tmp_path / "clip.mp4", 40), tmp_path / "out"
    out.mkdir()
    real_open = transcode_module.open_mp4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transcode_module, "open_mp4", lambda part: real_open(full))
        with pytest.raises(OutputError):
            transcode(source, out / "copy.mp4")
    assert _files(out) == []


def test_a_folder_that_does_not_exist_is_said_to(tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        transcode(media.video(tmp_path / "clip.mp4"), tmp_path / "none" / "copy.mp4")


def test_the_source_is_never_written_to(tmp_path):
    source = media.video(tmp_path / "clip.mp4", 8)
    data = source.read_bytes()
    (tmp_path / "link.mp4").symlink_to(source)
    for target in (source, tmp_path / "link.mp4"):
        with pytest.raises(OutputError, match="source itself"):
            transcode(source, target, overwrite=True)
    assert source.read_bytes() == data


def test_a_source_that_vanishes_or_changes_meanwhile_is_a_failure(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    for change in (lambda path: path.unlink(), lambda path: path.open("ab").write(b"more")):
        source = media.video(tmp_path / "clip.mp4", 40)
        todo = [lambda path=source, change=change: change(path)]
        with pytest.raises(VideoError, match=r"went away|changed while"):
            transcode(source, out / "copy.mp4", progress=lambda _share, todo=todo: todo and todo.pop()())
        assert _files(out) == []


def test_cancelling_leaves_nothing_behind(tmp_path):
    shares: list[float] = []
    source, out = media.video(tmp_path / "clip.mp4", 40), tmp_path / "out"
    out.mkdir()
    with pytest.raises(Cancelled):
        transcode(source, out / "copy.mp4", progress=shares.append, cancelled=lambda: len(shares) > 9)
    assert shares == sorted(shares)
    assert 0 < shares[-1] < 0.5
    assert _files(out) == []


def test_two_runs_at_once_give_one_whole_file(tmp_path):
    source, out = media.video(tmp_path / "clip.mp4", 60), tmp_path / "out"
    out.mkdir()
    barrier = threading.Barrier(4)
    results: list[Transcoded | OutputExistsError] = []

    def work(crf: int) -> None:
        todo = [barrier.wait]
        try:
            results.append(
                transcode(
                    source,
                    out / "copy.mp4",
                    TranscodeOptions(crf=crf),
                    progress=lambda _share: todo and todo.pop()(30),
                )
            )
        except OutputExistsError as error:
            results.append(error)

    threads = [threading.Thread(target=work, args=(crf,)) for crf in (20, 20, 20, 35)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    made = [result for result in results if isinstance(result, Transcoded)]
    assert [result.reused for result in made].count(False) == 1
    assert all("at the same time" in str(result) for result in results if isinstance(result, OutputExistsError))
    assert _files(out) == ["copy.mp4"]
    assert _shown(out / "copy.mp4") == _kept(made[0])


def test_without_hard_links_nothing_is_replaced_either(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    source = media.video(tmp_path / "clip.mp4", 8)
    assert not transcode(source, tmp_path / "copy.mp4").reused
    part = tmp_path / "part"
    part.write_bytes(b"new")
    with pytest.raises(FileExistsError):
        rename_new(part, tmp_path / "copy.mp4")


# options and rules


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"longest_side": 0}, "at least 16"),
        ({"longest_side": 100.5}, "whole pixels"),
        ({"preset": "warp"}, "Supported values are ultrafast"),
        ({"crf": 52}, "from 0 to 51"),
        ({"keep_audio": "yes"}, "True or False"),
    ],
)
def test_bad_options_are_refused(arguments, text):
    with pytest.raises(OptionError, match=text):
        TranscodeOptions(**arguments)
