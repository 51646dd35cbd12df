"""When every frame of a video is shown: from its packets, or by decoding it.

Reading packets costs a small part of decoding. What they tell is only a promise
until the frames were decoded: `Timeline.confirmed` says which of the two it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..errors import VideoError
from ..video.decoding import open_stream
from ..video.probe import VideoProbe, probe

# finer than any frame rate in use, coarse enough for 32-bit fractions
_MAX_RATE_DENOMINATOR = 100_000


@dataclass(frozen=True, eq=False)
class Timeline:
    """When the frames of a video are shown.

    Args:
        ticks: (T,) int64, strictly increasing from 0, in units of `tick_s`
        tick_s: seconds per tick
        duration_s: of the video, with the time its last frame is shown
        first_time_s: when the file's own clock shows the first frame
        stamps: (T,) int64 time stamps as the file has them, None where they are missing or broken
        confirmed: every frame was decoded; else the packets say so
        warnings: what was found wrong while decoding, in words
    """

    ticks: np.ndarray
    tick_s: Fraction
    duration_s: float
    first_time_s: float
    stamps: np.ndarray | None
    confirmed: bool
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ticks)

    @property
    def intact(self) -> bool:
        """Whether nothing was found wrong while decoding."""
        return not self.warnings

    @property
    def times_s(self) -> np.ndarray:
        """(T,) float64 seconds from the first frame."""
        return self.ticks * float(self.tick_s)


def packet_timeline(facts: VideoProbe) -> Timeline | None:
    """Reads the time stamps of a video's packets, without decoding.

    Args:
        facts: what the file's probe found

    Returns:
        the timeline, not confirmed; None where the packets do not tell

    Raises:
        VideoError: if the file cannot be opened any more
    """
    from av.error import FFmpegError

    if facts.warnings:
        return None
    stamps: list[int] = []
    with open_stream(facts.path) as (container, stream):
        tick_s = stream.time_base
        try:
            for packet in container.demux(stream):
                if packet.size == 0 or packet.is_discard:
                    continue
                if packet.pts is None or packet.is_corrupt:
                    return None
                stamps.append(packet.pts)
        except (FFmpegError, OSError):
            return None  # decoding says what is wrong
    order = np.unique(np.array(stamps, dtype=np.int64))
    if not stamps or tick_s is None or len(order) < len(stamps):
        return None
    duration = _duration_s((order - order[0]) * float(tick_s), facts)
    return Timeline(order - order[0], tick_s, duration, float(order[0] * tick_s), order, confirmed=False)


def decoded_timeline(facts: VideoProbe) -> Timeline:
    """Decodes a video once, for what only this tells.

    Args:
        facts: what the file's probe found

    Returns:
        the confirmed timeline

    Raises:
        VideoError: if no frame decodes
    """
    exact = probe(facts.path, exact=True)
    times = exact.timestamps_s
    if times is None:
        raise VideoError(f"{facts.path} could not be decoded to its end")
    with open_stream(facts.path) as (_, stream):
        tick_s = stream.time_base
    if exact.pts is not None and tick_s is not None:
        ticks, first = exact.pts - exact.pts[0], float(exact.first_pts * tick_s)
    else:
        tick_s = 1 / Fraction(exact.fps or 1.0).limit_denominator(_MAX_RATE_DENOMINATOR)
        ticks, first = np.arange(len(times)), 0.0
    duration = max(exact.duration_s, float(ticks[-1] * tick_s))
    return Timeline(ticks, tick_s, duration, first, exact.pts, confirmed=True, warnings=exact.warnings)


def _duration_s(times: np.ndarray, facts: VideoProbe) -> float:
    """The declared duration, unless it is more than a frame from what the time stamps say."""
    frame_s = times[-1] / (len(times) - 1) if len(times) > 1 else 1 / facts.fps if facts.fps > 0 else 0.0
    shown_s = float(times[-1] + frame_s)
    return facts.duration_s if abs(facts.duration_s - shown_s) <= frame_s else shown_s
