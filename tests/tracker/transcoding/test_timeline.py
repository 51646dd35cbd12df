"""When frames are shown, as packets and as decoding tell it."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest

from point_tracking.tracker.errors import VideoError
from point_tracking.tracker.transcoding.timeline import decoded_timeline, packet_timeline
from point_tracking.tracker.video.probe import probe


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("clip.mp4", media.video),
        ("b_frames.mp4", media.b_frame_video),
        ("variable.mp4", media.variable_rate_video),
        ("late.mp4", lambda path: media.video(path, 12, start_s=1.5)),
        ("clip.webm", media.vp9_video),
    ],
)
def test_packets_promise_what_decoding_finds(tmp_path: Path, name: str, make):
    facts = probe(make(tmp_path / name))
    promised, found = packet_timeline(facts), decoded_timeline(facts)
    assert promised is not None
    assert (promised.confirmed, found.confirmed) == (False, True)
    np.testing.assert_array_equal(promised.ticks, found.ticks)
    np.testing.assert_array_equal(promised.stamps, found.stamps)
    assert promised.tick_s == found.tick_s
    assert promised.first_time_s == pytest.approx(found.first_time_s)
    assert found.ticks[0] == 0
    assert found.intact
    frame_s = found.times_s[-1] / (len(found) - 1)
    assert promised.duration_s == pytest.approx(found.duration_s, abs=frame_s + 1e-6)


def test_times_are_those_the_clip_was_made_with(tmp_path: Path):
    times = media.variable_rate_times(20)
    path = media.video(tmp_path / "clip.mp4", 20, times_s=times, start_s=0.5)
    timeline = packet_timeline(probe(path))
    assert timeline is not None
    np.testing.assert_allclose(timeline.times_s, np.array(times) - times[0], atol=1e-3)
    assert timeline.duration_s > timeline.times_s[-1]


def test_packets_of_a_cut_file_promise_more_than_decodes_or_nothing(tmp_path: Path):
    whole = media.b_frame_video(tmp_path / "whole.ts")
    cut = media.truncated(tmp_path / "cut.ts", whole, 0.6)
    found = decoded_timeline(probe(cut))
    promised = packet_timeline(probe(cut))
    assert 0 < len(found) < 40
    assert promised is None or len(promised) >= len(found)


def test_times_that_the_file_does_not_tell_come_from_its_rate(tmp_path: Path):
    timeline = decoded_timeline(probe(media.b_frame_video(tmp_path / "clip.avi")))  # its time stamps go back
    assert timeline.stamps is None
    np.testing.assert_allclose(np.diff(timeline.times_s), 0.1)


def test_a_file_that_went_away_is_told(tmp_path: Path):
    facts = probe(media.video(tmp_path / "clip.mp4", 3))
    (tmp_path / "clip.mp4").unlink()
    for read in (packet_timeline, decoded_timeline):
        with pytest.raises(VideoError):
            read(facts)
