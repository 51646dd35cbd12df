"""What a video file is, as far as its container and first frame tell, or exactly."""

from __future__ import annotations

import mimetypes
import os
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VideoError
from .decoding import decode, displayed_size, is_mirrored, open_stream, packets, rotation_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

# a container that declares this much more than decodes is reported
_MISSING_S = 1.0

# time stamps count as regular while each is within this share of a frame of the even grid
_REGULAR_TOLERANCE = 0.25

# containers whose index lists every frame
_INDEXED_FORMATS = ("mp4", "avi")

# what stands before the first fragment of an MP4, and how many of these are looked at
_BOXES = (b"ftyp", b"styp", b"sidx", b"moov", b"free", b"skip", b"uuid", b"emsg", b"prft", b"pdin", b"mdat", b"wide")
_BOXES_TO_LOOK_AT = 50

# a declared average rate further than this from the decoded one is not believed
_RATE_TOLERANCE = 0.01


@dataclass(frozen=True, eq=False)
class VideoProbe:
    """Facts about a video file.

    Args:
        path: the file
        width, height: pixels of the displayed frame, after rotation
        rotation: degrees the decoded picture is turned counter-clockwise for display
        fps: average frames per second, 0 where unknown
        duration_s: seconds
        declared_frames: frames that the container lists to be shown, 0 where it does not
            say; more or fewer may decode
        codec: FFmpeg's name of the codec, e.g. "h264"
        pixel_format: FFmpeg's name, e.g. "yuv420p"
        variable_rate: whether the time between frames varies
        size_bytes: its size
        mime_type: guessed from the file name
        first_pts: time stamp of the first frame, in units of the stream's time base
        timestamps_s: (T,) float64 seconds from the first frame, of every frame
            that decodes; None unless the probe was exact
        warnings: what was found wrong while decoding, in words
        pts: (T,) int64 time stamps in units of the stream's time base; None
            unless the probe was exact and all are known and increase
        key_frames: (K,) int64 frame indices of the key frames; None unless exact
        mirrored: whether the decoded picture is flipped upside down before it is turned
    """

    path: str
    width: int
    height: int
    rotation: int
    fps: float
    duration_s: float
    declared_frames: int
    codec: str
    pixel_format: str
    variable_rate: bool
    size_bytes: int
    mime_type: str
    first_pts: int = 0
    timestamps_s: np.ndarray | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    pts: np.ndarray | None = field(default=None, repr=False)
    key_frames: np.ndarray | None = field(default=None, repr=False)
    mirrored: bool = False

    @property
    def size_px(self) -> tuple[int, int]:
        """(width, height) of the displayed frame."""
        return self.width, self.height

    @property
    def exact_frames(self) -> int | None:
        """The number of frames that decode, or None unless the probe was exact."""
        return None if self.timestamps_s is None else len(self.timestamps_s)

    @property
    def num_frames(self) -> int:
        """The best known number of frames: exact where counted, else declared, else estimated."""
        if self.timestamps_s is not None:
            return len(self.timestamps_s)
        return self.declared_frames or round(self.duration_s * self.fps)


def probe(path: str | os.PathLike[str], *, exact: bool = False) -> VideoProbe:
    """Reads what a video file is.

    Args:
        path: a local file
        exact: decode the whole file, for the exact number of frames and their time stamps

    Returns:
        the facts; see `VideoProbe`

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if the file is no video, or no frame decodes
    """
    facts = _read_facts(path)
    return _measure(facts) if exact else facts


def _read_facts(path: str | os.PathLike[str]) -> VideoProbe:
    warnings: list[str] = []
    with open_stream(path) as (container, stream):
        first = next(decode(container, stream, warnings), None)
        if first is None:
            detail = f" ({'; '.join(warnings)})" if warnings else ""
            raise VideoError(f"{path} holds a video stream, but no frame of it decodes{detail}")
        width, height = displayed_size(first)
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        entries = _shown_entries(container, stream)
        if entries is not None and stream.time_base and not _is_variable(np.array(entries, dtype=np.float64)):
            fps = _even_rate(np.array(entries) * float(stream.time_base), fps)
        duration = _declared_duration_s(container, stream, fps)
        if fps <= 0 and stream.frames and duration > 0:
            fps = stream.frames / duration
        file = Path(path)
        mime_type = mimetypes.guess_type(file.name)[0] or ""
        return VideoProbe(
            path=str(file),
            width=width,
            height=height,
            rotation=rotation_of(first),
            fps=fps,
            duration_s=duration,
            declared_frames=_listed_frames(container, stream),
            codec=stream.codec_context.name,
            pixel_format=stream.codec_context.pix_fmt or first.format.name,
            variable_rate=first.pts is not None and _declares_variable(container, stream),
            size_bytes=container.size,  # of the open file, which may be gone from its folder
            mime_type=mime_type if mime_type.startswith("video/") else "video/mp4",
            first_pts=first.pts or 0,
            mirrored=is_mirrored(first),
            warnings=tuple(warnings),
        )


def _declared_duration_s(container: InputContainer, stream: VideoStream, fps: float) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        # FFmpeg counts a container's duration in microseconds; here it ends with the last frame, wherever the first is
        start_s = float(stream.start_time * stream.time_base) if stream.start_time and stream.time_base else 0.0
        end_s = container.duration / 1e6
        return end_s - start_s if 0 < start_s < end_s else end_s
    return stream.frames / fps if fps > 0 else 0.0


def _listed_frames(container: InputContainer, stream: VideoStream) -> int:
    """The frames that a container lists, without those that an edit list leaves out."""
    shown = _shown_entries(container, stream)
    return stream.frames if shown is None else len(shown)


def _shown_entries(container: InputContainer, stream: VideoStream) -> list[int] | None:
    """Time stamps, in decoding order, of the frames in a container's index; None where it lists not all."""
    entries = getattr(stream, "index_entries", ())  # from av 17 on
    if not len(entries) or not any(name in container.format.name for name in _INDEXED_FORMATS):
        return None
    return [entry.timestamp for entry in entries if not entry.is_discard]


def counted(facts: VideoProbe) -> VideoProbe:
    """Facts whose number of frames, rate and duration come from the file's packets, where it does not list its frames.

    Packets are read and not decoded: cheap beside decoding, but the whole file is read.

    Args:
        facts: about a file

    Returns:
        the same where the container tells enough, else with `declared_frames` as there are packets

    Raises:
        VideoError: if the file cannot be opened any more
    """
    if facts.exact_frames is not None or not (_is_fragmented(facts.path) or facts.num_frames == 0):
        return facts
    stamps: list[int | None] = []
    with open_stream(facts.path) as (container, stream):
        time_base = float(stream.time_base or 0)
        stamps = [p.pts for p in packets(container, stream, []) if p is not None and p.size and not p.is_discard]
    known = sorted(stamp for stamp in stamps if stamp is not None)
    if not stamps or len(known) < len(stamps) or time_base <= 0 or known[0] == known[-1]:
        duration = len(stamps) / facts.fps if facts.fps > 0 else facts.duration_s
        return replace(facts, declared_frames=len(stamps), duration_s=duration)
    frame_s = (known[-1] - known[0]) * time_base / (len(known) - 1)
    duration = frame_s * len(known)
    fps = facts.fps if abs(facts.fps * frame_s - 1) <= _RATE_TOLERANCE else 1 / frame_s
    return replace(facts, declared_frames=len(stamps), duration_s=duration, fps=fps)


def count_packets(path: str | os.PathLike[str], at_most: int) -> int:
    """Counts a video's packets: it has no more frames than these. Nothing is decoded.

    Args:
        path: a local file
        at_most: where to stop counting

    Returns:
        their number, or `at_most` where there are as many or more

    Raises:
        VideoError: if the file cannot be opened
    """
    with open_stream(path) as (container, stream):
        held = (p for p in packets(container, stream, []) if p is not None and p.size)
        return sum(1 for _ in islice(held, at_most))


def _is_fragmented(path: str) -> bool:
    """Whether an MP4 keeps its index in pieces, so that what it lists at its start is not all."""
    with Path(path).open("rb") as file:
        for _ in range(_BOXES_TO_LOOK_AT):
            head = file.read(8)
            size, kind = int.from_bytes(head[:4], "big"), head[4:]
            if kind == b"moof":
                return True
            if len(head) < 8 or kind not in _BOXES or size < 8:
                return False
            file.seek(size - 8, os.SEEK_CUR)
    return False


def _declares_variable(container: InputContainer, stream: VideoStream) -> bool:
    entries = _shown_entries(container, stream)
    if entries is not None:
        return _is_variable(np.array(entries, dtype=np.float64))
    average, base = stream.average_rate, stream.base_rate
    return bool(average and base and abs(float(average / base) - 1) > _RATE_TOLERANCE)


def _measure(facts: VideoProbe) -> VideoProbe:
    """Decodes the whole file, for the facts that only this tells."""
    stamps, keys, time_base, warnings = _scan(facts, frame_threads=True)
    if warnings:
        stamps, keys, time_base, warnings = _scan(facts, frame_threads=False)
    return measured(facts, stamps, keys, time_base, warnings)


def measured(
    facts: VideoProbe, stamps: list[int | None], keys: list[int], time_base: float, warnings: list[str]
) -> VideoProbe:
    """The exact facts of a file that was decoded to its end.

    Args:
        facts: what the container says
        stamps: the time stamp of every frame, at least one
        keys: indices of the key frames
        time_base: seconds per unit of the stamps, 0 where unknown
        warnings: what was found wrong

    Returns:
        facts with time stamps; fps and duration as they say
    """
    pts = _increasing(stamps)
    if pts is not None and time_base > 0:
        times = (pts - pts[0]) * time_base
    else:
        # broken or missing time stamps: players fall back to the nominal rate too
        times = np.arange(len(stamps), dtype=np.float64) / (facts.fps or 1.0)
    fps, duration, warnings = facts.fps, facts.duration_s, list(warnings)
    frame_s = times[-1] / (len(times) - 1) if len(times) > 1 else 1 / fps if fps > 0 else 0.0
    decoded_s = float(times[-1] + frame_s)
    if not warnings and duration > decoded_s + _MISSING_S:
        warnings.append(f"{duration:.1f} s declared, {decoded_s:.1f} s decode")
    if abs(duration - decoded_s) > frame_s:  # else the container knows how long the last frame is shown
        duration = decoded_s
    variable = _is_variable(times)
    if not variable:
        fps = _even_rate(times, fps)
    elif duration > 0 and abs(fps * duration / len(times) - 1) > _RATE_TOLERANCE:
        fps = len(times) / duration
    return replace(
        facts,
        fps=fps,
        duration_s=duration,
        variable_rate=variable,
        timestamps_s=times,
        pts=pts,
        key_frames=np.array(keys, dtype=np.int64),
        warnings=tuple(warnings),
    )


def steady_rate(facts: VideoProbe) -> float | None:
    """The highest rate at which an even copy of a video needs no frame that is not there.

    Args:
        facts: exact

    Returns:
        frames per second, rounded down to two digits; None where not known, or below one in a hundred seconds
    """
    times = facts.timestamps_s
    if times is None or len(times) < 2:
        return None
    return float(np.floor(100 / np.diff(times).max()) / 100) or None


def frames_out_of_step(facts: VideoProbe) -> int:
    """How many frames a player that counts frames by an even rate takes for another one, as FiftyOne's App does.

    Args:
        facts: exact

    Returns:
        the number of frames in whose middle such a player is at another frame; 0 where not known
    """
    times = facts.timestamps_s
    if times is None or facts.pts is None or len(times) < 2 or facts.fps <= 0:
        return 0
    ends = np.append(times[1:], max(facts.duration_s, times[-1] + np.diff(times).min()))
    counted_frames = np.floor((times + ends) / 2 * facts.fps)
    return int(np.count_nonzero(counted_frames != np.arange(len(times))))


def _scan(facts: VideoProbe, *, frame_threads: bool) -> tuple[list[int | None], list[int], float, list[str]]:
    """The time stamp of every frame, the key frames, the time base, and what was found wrong."""
    warnings: list[str] = []
    stamps: list[int | None] = []
    keys: list[int] = []
    with open_stream(facts.path, frame_threads=frame_threads) as (container, stream):
        for frame in decode(container, stream, warnings):
            if frame.key_frame:
                keys.append(len(stamps))
            stamps.append(frame.pts)
        time_base = float(stream.time_base or 0)
    if not stamps:
        raise VideoError(f"{facts.path} holds a video stream, but no frame of it decodes")
    warnings.extend(miscount(facts.declared_frames, len(stamps)))
    return stamps, keys, time_base, warnings


def miscount(declared: int, decoded: int) -> list[str]:
    """The warning that fewer than the declared number of frames decode, if that is so; more are no damage."""
    return [f"{declared} frames declared, {decoded} decode"] if declared > decoded else []


def _even_rate(times: np.ndarray, declared_fps: float) -> float:
    """The rate at which a regular video shows its frames; an average is another one where the last is shown briefly."""
    span = float(times.max() - times.min()) if len(times) > 2 else 0.0
    if span <= 0:
        return declared_fps
    fps = (len(times) - 1) / span
    return fps if abs(declared_fps / fps - 1) > _RATE_TOLERANCE else declared_fps


def _increasing(stamps: list[int | None]) -> np.ndarray | None:
    known = [stamp for stamp in stamps if stamp is not None]
    if len(known) < len(stamps) or any(b <= a for a, b in pairwise(known)):
        return None
    return np.array(known, dtype=np.int64)


def _is_variable(times: np.ndarray) -> bool:
    if len(times) < 3:
        return False
    step = (times[-1] - times[0]) / (len(times) - 1)
    even = times[0] + step * np.arange(len(times))
    return bool(np.abs(times - even).max() > _REGULAR_TOLERANCE * step)
