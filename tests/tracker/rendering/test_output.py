"""Files with trails: their pictures, times, sound and size, and what is left where none can be made."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import media
import numpy as np
import pytest
from PIL import Image, ImageSequence

from point_tracking import Tracks, VideoFrames, probe
from point_tracking.tracker.errors import (
    Cancelled,
    FieldError,
    OptionError,
    OutputError,
    OutputExistsError,
    VideoNotFoundError,
)
from point_tracking.tracker.rendering.animation import AnimationWriter
from point_tracking.tracker.rendering.options import TrailOptions
from point_tracking.tracker.rendering.output import render
from point_tracking.tracker.transcoding.timed_output import TimedWriter

WIDTH, HEIGHT = media.SIZE


def still(*points: tuple[float, float], num_frames: int = 12) -> Tracks:
    xy = np.broadcast_to(np.array(points, dtype=float).reshape(1, -1, 2), (num_frames, len(points), 2))
    shape = xy.shape[:2]
    return Tracks(xy=xy, visible=np.ones(shape, bool), confidence=np.ones(shape))


def frames_of(path: str | Path) -> np.ndarray:
    return np.concatenate(list(VideoFrames(path).chunks()))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def test_a_video_without_points_shows_the_same_pictures(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 12)
    rendered = render(source, out / "trails.mp4", [("tracks", still())])
    assert (rendered.size_px, rendered.num_frames, rendered.warnings) == (media.SIZE, 12, ())
    frames = frames_of(rendered.path)
    assert media.indices_in(frames) == list(range(12))
    assert all(media.looks_like(frame, media.picture(k), 4) for k, frame in enumerate(frames))
    shift = np.median(frames.astype(int) - frames_of(source), axis=(0, 1, 2))
    assert np.abs(shift).max() <= 2


def test_points_are_where_the_tracks_say(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 12)
    picture = frames_of(render(source, out / "trails.mp4", [("tracks", still((80, 90)))]).path)[5]
    color = picture[89:92, 79:82].mean(axis=(0, 1))
    assert color[0] > 150 > color[2]  # the first track is red
    assert media.looks_like(picture[:60], media.picture(5)[:60], 4)


@pytest.mark.parametrize("times_s", [None, [0, 0.1, 0.35, 0.4, 1.0, 1.05, 1.1, 2.0]])
def test_frames_are_shown_when_the_source_shows_them(tmp_path: Path, out: Path, times_s: Sequence[float] | None):
    source = media.video(tmp_path / "clip.mp4", 8, fps=Fraction(30000, 1001), times_s=times_s, start_s=0.5)
    exact, made = (
        probe(path, exact=True) for path in (source, render(source, out / "t.mp4", [("tracks", still())]).path)
    )
    assert made.timestamps_s is not None
    assert exact.timestamps_s is not None
    np.testing.assert_allclose(made.timestamps_s, exact.timestamps_s, atol=1e-3)
    assert made.duration_s == pytest.approx(exact.duration_s, abs=0.04)


@pytest.mark.parametrize("keep_audio", [True, False])
def test_sound_is_kept_or_not(tmp_path: Path, out: Path, keep_audio: bool):
    source = media.video(tmp_path / "clip.mp4", 12, audio=True)
    rendered = render(source, out / "t.mp4", [("tracks", still())], TrailOptions(keep_audio=keep_audio))
    with av.open(rendered.path) as file:
        assert len(file.streams.audio) == keep_audio
        if keep_audio:
            assert sum(frame.samples for frame in file.decode(audio=0)) > 0


def test_sound_that_is_not_there_is_said_to_be_missing(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 4)
    rendered = render(source, out / "t.mp4", [("tracks", still())], TrailOptions(keep_audio=True))
    assert rendered.warnings == ("the source has no sound to keep",)


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".gif"])
@pytest.mark.parametrize(("longest_side", "expected"), [(None, (161, 121)), (80, (80, 60)), (400, (400, 301))])
def test_any_size_can_be_had(
    tmp_path: Path, out: Path, suffix: str, longest_side: int | None, expected: tuple[int, int]
):
    source = media.video(tmp_path / "clip.mkv", 4, size=(161, 121), pixel_format="yuv444p")
    rendered = render(source, out / f"t{suffix}", [("tracks", still())], TrailOptions(longest_side=longest_side))
    if suffix == ".mp4":  # its sides are even
        expected = (expected[0] // 2 * 2, expected[1] // 2 * 2)
        assert probe(rendered.path).size_px == expected
    assert rendered.size_px == expected


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("times_s", [None, [0, 0.1, 0.35, 0.4, 1.0, 1.05, 1.1, 2.0]])
def test_animated_pictures_repeat_in_real_time_with_fewer_frames(
    tmp_path: Path, out: Path, suffix: str, times_s: Sequence[float] | None
):
    source = media.video(tmp_path / "clip.mp4", 8 if times_s else 60, fps=10 if times_s else 30, times_s=times_s)
    rendered = render(source, out / f"t{suffix}", [("tracks", still((80, 90), num_frames=60))])
    with Image.open(rendered.path) as file:
        assert (file.n_frames, file.info["loop"], file.size) == (rendered.num_frames, 0, media.SIZE)
        frames = [(np.asarray(frame.convert("RGB")), frame.info["duration"]) for frame in ImageSequence.Iterator(file)]
    shown = media.indices_in(picture for picture, _ in frames)
    durations = [duration / 1000 for _, duration in frames]
    if times_s is None:
        assert shown == [round(k * 30 / 12.5) for k in range(25)]
        assert durations[:-1] == [0.08] * 24
    else:
        assert shown == sorted(set(shown))
        assert {0, 1, 4, 7} <= set(shown)
        starts = np.cumsum([0, *durations[:-1]])
        np.testing.assert_allclose(starts, [times_s[k] for k in shown], atol=0.05)
    color = frames[1][0][89:92, 79:82].mean(axis=(0, 1))
    assert color[0] > 130 > color[2]


def test_large_videos_become_small_animated_pictures_unless_told_otherwise(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 3, size=(600, 300))
    fields = [("tracks", still((50, 90)))]
    assert render(source, out / "a.gif", fields).size_px == (480, 240)
    assert render(source, out / "b.gif", fields * 2).size_px == (480, 120)
    assert render(source, out / "c.gif", fields, TrailOptions(longest_side=600)).size_px == (600, 300)


def test_turned_videos_are_upright_with_their_points(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 4, rotation=90)
    rendered = render(source, out / "t.mp4", [("tracks", still((30, 120), num_frames=4))])
    assert rendered.size_px == media.SIZE[::-1]
    before, after = frames_of(source)[2].astype(int), frames_of(rendered.path)[2].astype(int)
    changed = np.argwhere(np.abs(after - before).max(axis=2) > 60)
    assert len(changed)
    assert np.abs(changed.mean(axis=0) - [120, 30]).max() < 3


def test_two_fields_lie_side_by_side(tmp_path: Path, out: Path):
    source = media.video(tmp_path / "clip.mp4", 4)
    fields = [("tracks", still((50, 90))), ("ground_truth", still((90, 100)))]
    assert render(source, out / "t.mp4", fields).size_px == (2 * WIDTH, HEIGHT)
    assert render(source, out / "t.png", fields, TrailOptions(longest_side=200)).size_px == (200, 75)


def test_a_picture_shows_the_frame_asked_for(tmp_path: Path, out: Path):
    import cv2

    source = media.video(tmp_path / "clip.mp4", 12)
    for index, expected in ((None, 6), (0, 0), (11, 11)):
        path = render(source, out / "t.png", [("tracks", still())], frame_index=index, overwrite=True).path
        picture = cv2.imread(path)
        assert picture is not None
        assert media.index_in(picture[..., ::-1]) == expected
    with pytest.raises(OptionError, match="12 frames, found the frame index 12"):
        render(source, out / "u.png", [("tracks", still())], frame_index=12)
    assert names_in(out) == ["t.png"]


@pytest.mark.parametrize(
    ("name", "options", "error", "message"),
    [
        ("t.avi", {}, OptionError, r"ending '\.avi'.*\.mp4, \.png"),
        ("t", {}, OptionError, "no ending"),
        ("nowhere/t.mp4", {}, OutputError, "no folder"),
        ("t.mp4", {"frame_index": 3}, OptionError, r"A \.mp4 file shows all frames"),
        ("t.gif", {"frame_index": 3}, OptionError, r"A \.gif file shows all frames"),
        ("t.webp", {"options": TrailOptions(keep_audio=True)}, OptionError, r"\.webp file holds no sound"),
        ("t.png", {"frame_index": -1}, OptionError, "Invalid frame_index"),
        ("t.png", {"frame_index": 1.0}, OptionError, "Invalid frame_index"),
        ("taken.mp4", {}, OutputExistsError, "overwrite=True"),
        ("folder.mp4", {"overwrite": True}, OutputError, "is a folder"),
        ("t.mp4", {"options": TrailOptions(color_by="label")}, FieldError, "carry no labels"),
    ],
)
def test_files_that_cannot_be_made_are_said_to_before_work_begins(
    tmp_path: Path, out: Path, name: str, options: dict, error: type, message: str
):
    source = media.video(tmp_path / "clip.mp4", 4)
    (out / "taken.mp4").write_text("mine")
    (out / "folder.mp4").mkdir()
    with pytest.raises(error, match=message):
        render(source, out / name, [("tracks", still((5, 5)))], **options)
    assert names_in(out) == ["folder.mp4", "taken.mp4"]
    assert (out / "taken.mp4").read_text() == "mine"


def test_the_video_itself_is_never_replaced(tmp_path: Path):
    source = media.video(tmp_path / "clip.mp4", 4)
    before = source.read_bytes()
    with pytest.raises(OutputError, match="the video itself"):
        render(source, source, [("tracks", still())], overwrite=True)
    assert source.read_bytes() == before
    with pytest.raises(VideoNotFoundError):
        render(tmp_path / "gone.mp4", tmp_path / "t.mp4", [("tracks", still())])


@pytest.mark.parametrize("suffix", [".mp4", ".png", ".gif", ".webp"])
def test_a_file_is_replaced_only_when_told_to_and_only_by_a_complete_one(tmp_path: Path, out: Path, suffix: str):
    source, target = media.video(tmp_path / "clip.mp4", 8), out / f"t{suffix}"
    target.write_text("mine")
    with pytest.raises(Cancelled):
        render(source, target, [("tracks", still())], overwrite=True, cancelled=lambda: True)
    assert target.read_text() == "mine"
    assert names_in(out) == [target.name]
    shares: list[float] = []
    render(source, target, [("tracks", still())], overwrite=True, progress=shares.append)
    assert target.stat().st_size > 500
    assert shares[-1] == 1
    assert names_in(out) == [target.name]


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, suffix: str):
    source = media.video(tmp_path / "clip.mp4", 4)

    def refuse(self, packets):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(TimedWriter, "_mux", refuse)
    monkeypatch.setattr(AnimationWriter, "_mux", refuse)
    with pytest.raises(OutputError, match="no space left"):
        render(source, out / f"t{suffix}", [("tracks", still())])
    assert names_in(out) == []


def test_a_truncated_video_is_rendered_as_far_as_it_decodes(tmp_path: Path, out: Path):
    source = media.truncated(tmp_path / "cut.mkv", media.video(tmp_path / "clip.mkv", 30))
    rendered = render(source, out / "t.mp4", [("tracks", still())])
    exact = probe(source, exact=True)
    assert rendered.num_frames == exact.num_frames < 30
    assert media.indices_in(frames_of(rendered.path)) == list(range(exact.num_frames))
