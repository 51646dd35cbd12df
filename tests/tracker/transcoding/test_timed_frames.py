"""Frames that follow the timeline they were promised on, or are said not to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import media
import pytest

from point_tracking import probe
from point_tracking.tracker.errors import Cancelled, VideoError
from point_tracking.tracker.transcoding.timed_frames import TimelineError, timed_frames
from point_tracking.tracker.transcoding.timeline import Timeline, decoded_timeline, packet_timeline
from point_tracking.tracker.video.decoding import open_stream


def _read(path: Path, timeline: Timeline, **options) -> list[int | None]:
    with open_stream(path) as (container, stream):
        return [frame.pts for frame in timed_frames(container, stream, timeline, [], **options)]


def test_every_frame_comes_in_order_with_its_share(tmp_path: Path):
    path, shares = media.video(tmp_path / "clip.mp4", 8, b_frames=2), []
    timeline = packet_timeline(probe(path))
    assert timeline is not None
    stamps = _read(path, timeline, progress=shares.append)
    assert timeline.stamps is not None
    assert stamps == timeline.stamps.tolist()
    assert shares == [(k + 1) / 8 for k in range(8)]


def test_a_promise_that_is_not_kept_is_told_from_a_file_that_changes(tmp_path: Path):
    path = media.video(tmp_path / "clip.mp4", 8)
    confirmed = decoded_timeline(probe(path))
    assert confirmed.stamps is not None
    wrong = replace(confirmed, ticks=confirmed.ticks[:-1], stamps=confirmed.stamps[:-1])
    with pytest.raises(TimelineError):
        _read(path, replace(wrong, confirmed=False))
    with pytest.raises(VideoError, match=r"clip\.mp4 decodes differently"):
        _read(path, wrong)


def test_work_ends_when_it_is_cancelled(tmp_path: Path):
    path = media.video(tmp_path / "clip.mp4", 8)
    with pytest.raises(Cancelled):
        _read(path, decoded_timeline(probe(path)), cancelled=lambda: True)
