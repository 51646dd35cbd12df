"""Files whose containers say too little, or something else than players show, and that are sound all the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import container_media
import media
import numpy as np
import pytest

from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.tracker.video.probe import counted, frames_out_of_step, probe

# name -> maker of a sound file of 60 frames at 10 fps, and the index of the first one
SOUND: dict[str, tuple[Callable[[Path], Path], int]] = {
    "fragmented.mp4": (container_media.fragmented_video, 0),
    "empty_moov.mp4": (
        lambda p: media.video(p, 60, gop=20, container_options={"movflags": "frag_keyframe+empty_moov"}),
        0,
    ),
    "live.webm": (container_media.live_video, 0),
    "late.webm": (lambda p: media.vp9_video(p, 60, start_s=12.5), 0),
    "late.mkv": (lambda p: media.video(p, 60, start_s=12.5), 0),
    "late.mp4": (lambda p: media.video(p, 60, start_s=12.5), 0),
    "late.ts": (lambda p: media.video(p, 60, start_s=12.5), 0),
    "late_b.mkv": (lambda p: media.video(p, 60, start_s=3, b_frames=3), 0),
    "trimmed.mp4": (container_media.trimmed_video, 125),
    "trimmed_end.mp4": (lambda p: container_media.trimmed_video(p, before=0, after=125), 0),
    "trimmed_both.mov": (lambda p: container_media.trimmed_video(p, before=31, after=17), 31),
    "plain.flv": (lambda p: media.video(p, 60), 0),
    "plain.avi": (lambda p: media.mpeg4_video(p, 60), 0),
}


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_are_counted_without_decoding(tmp_path: Path, name: str) -> None:
    make, _ = SOUND[name]
    facts = counted(probe(make(tmp_path / name)))
    assert facts.timestamps_s is None
    assert facts.num_frames == 60
    assert (facts.fps, facts.duration_s) == (pytest.approx(10, rel=0.01), pytest.approx(6, rel=0.02))


@pytest.mark.parametrize("scan", [False, True], ids=["read", "scanned"])
@pytest.mark.parametrize("name", SOUND)
def test_sound_files_give_no_warning_and_every_frame(tmp_path: Path, name: str, scan: bool) -> None:
    make, first = SOUND[name]
    source = VideoFrames(make(tmp_path / name))
    if scan:
        source.scan()
    frames = [frame for chunk in source.chunks() for frame in chunk]
    assert media.indices_in(frames) == list(range(first, first + 60))
    assert source.warnings == []
    exact = source.probe  # reading to the end is as good as a scan
    assert (exact.exact_frames, source.num_frames) == (60, 60)
    assert (exact.fps, exact.duration_s) == (pytest.approx(10, rel=0.01), pytest.approx(6, rel=0.02))
    assert media.indices_in(source.read([59, 41, 5])) == [first + 59, first + 41, first + 5]
    assert media.indices_in(frame for chunk in source.reversed_chunks(stop=30) for frame in chunk) == list(
        range(first + 29, first - 1, -1)
    )


@pytest.mark.parametrize("name", ["fragmented.mp4", "trimmed.mp4", "late.mkv"])
def test_jumping_stays_on(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make, first = SOUND[name]
    source = VideoFrames(make(tmp_path / name))
    source.scan()
    monkeypatch.setattr(source, "_decode_all", lambda: pytest.fail("decoded from the start"))
    assert media.indices_in(source.read([45])) == [first + 45]


def test_a_file_that_is_read_whole_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = VideoFrames(container_media.fragmented_video(tmp_path / "clip.mp4"))
    for _ in source.chunks():
        pass
    monkeypatch.setattr("point_tracking.tracker.video.frames.probe", lambda *_, **__: pytest.fail("scanned again"))
    assert source.num_frames == 60
    assert source.scan().timestamps_s is not None


def test_what_is_cut_off_is_still_told(tmp_path: Path) -> None:
    whole = media.faststart_video(tmp_path / "whole.mp4", 40)
    source = VideoFrames(media.truncated(tmp_path / "cut.mp4", whole, 0.6))
    assert 5 < source.num_frames < 40
    assert any("frames declared" in warning for warning in source.warnings)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
@pytest.mark.parametrize("shown", [0, 1])
@pytest.mark.parametrize("sizes", [((80, 60), media.SIZE), (media.SIZE, (80, 60))], ids=["small first", "large first"])
def test_of_several_streams_the_default_is_read(
    tmp_path: Path, suffix: str, shown: int, sizes: tuple[tuple[int, int], ...]
) -> None:
    source = VideoFrames(container_media.two_stream_video(tmp_path / f"two.{suffix}", shown=shown, sizes=sizes))
    assert source.size_px == sizes[shown]
    assert media.indices_in(source.read([0, 11])) == [100, 111]
    assert media.indices_in(frame for chunk in source.chunks() for frame in chunk) == list(range(100, 112))
    assert source.warnings == []


def test_frames_out_of_step_with_an_even_rate(tmp_path: Path) -> None:
    varying = probe(media.variable_rate_video(tmp_path / "varying.mp4", 60), exact=True)
    assert frames_out_of_step(varying) > 20
    assert frames_out_of_step(probe(tmp_path / "varying.mp4")) == 0  # not known yet
    for name in ("a.mp4", "a.webm", "a.ts"):
        make = media.vp9_video if name.endswith("webm") else media.video
        regular = probe(make(tmp_path / name, 60, fps=24), exact=True)
        assert frames_out_of_step(regular) == 0, name
    assert varying.timestamps_s is not None
    np.testing.assert_allclose(varying.timestamps_s, media.variable_rate_times(60))
