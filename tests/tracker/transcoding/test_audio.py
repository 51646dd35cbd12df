"""The sound of copies: packets in step with the picture."""

from __future__ import annotations

from pathlib import Path

import av
import media
import numpy as np
import pytest

from point_tracking.tracker.transcoding.audio import AudioTrack


def copied(source: Path, out: Path, start_s: float = 0.0) -> list[str]:
    """Takes the sound of a file over into another, without any picture."""
    warnings: list[str] = []
    with av.open(str(out), "w") as target:
        track = AudioTrack(str(source), target, start_s, warnings)
        target.start_encoding()
        for time_s in np.arange(0, 4, 0.1):
            track.write_until(float(time_s))
        track.write_until(float("inf"))
        track.close()
    return warnings


def seconds(path: Path) -> float:
    with av.open(str(path)) as file:
        frames = list(file.decode(audio=0))
    return sum(frame.samples for frame in frames) / frames[0].sample_rate


def test_sound_that_players_know_is_copied_packet_by_packet(tmp_path: Path):
    source = media.video(tmp_path / "clip.mp4", 20, audio=True)
    assert copied(source, tmp_path / "sound.mp4") == []

    def packets(path: Path) -> list[bytes]:
        with av.open(str(path)) as file:
            return [bytes(packet) for packet in file.demux(file.streams.audio[0]) if packet.size]

    assert packets(tmp_path / "sound.mp4") == packets(source)


def test_sound_before_the_picture_is_left_out(tmp_path: Path):
    source = media.video(tmp_path / "clip.mp4", 30, audio=True)
    copied(source, tmp_path / "sound.mp4", start_s=1.0)
    assert seconds(tmp_path / "sound.mp4") == pytest.approx(seconds(source) - 1.0, abs=0.15)


def test_sound_waits_for_the_picture(tmp_path: Path):
    source = media.video(tmp_path / "clip.mp4", 30, audio=True)
    with av.open(str(tmp_path / "sound.mp4"), "w") as target:
        track = AudioTrack(str(source), target, 0.0, [])
        target.start_encoding()
        muxed: list[float] = []
        mux = target.mux

        class Watched:
            def mux(self, packet):
                muxed.append(float(packet.dts * packet.time_base))
                mux(packet)

        track._target = Watched()  # pyright: ignore[reportAttributeAccessIssue]
        for time_s in (0.5, 1.5):
            track.write_until(time_s)
            assert max(muxed) <= time_s
            assert max(muxed) > time_s - 0.2
        track.close()


def test_a_source_without_sound_is_told(tmp_path: Path):
    warnings: list[str] = []
    with av.open(str(tmp_path / "out.mp4"), "w") as target:
        AudioTrack(str(media.video(tmp_path / "clip.mp4", 2)), target, 0.0, warnings).close()
    assert warnings == ["the source has no sound to keep"]
