"""What a video file is, as far as its container and first frame tell, or exactly."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VideoError, VideoNotFoundError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# FFmpeg opens these as "video", but they are pictures or text
_NOT_VIDEO_FORMATS = ("image2", "_pipe", "tty")

# time stamps count as regular while each is within this share of a frame of the even grid
_REGULAR_TOLERANCE = 0.25


@dataclass(frozen=True, eq=False)
class VideoProbe:
    """Facts about a video file.

    Args:
        path: the file
        width, height: pixels of the displayed frame, after rotation
        rotation: degrees the decoded picture is turned counter-clockwise for display
        fps: average frames per second
        duration_s: seconds
        declared_frames: frames the container claims, 0 where it does not say;
            more or fewer may decode
        codec: FFmpeg's name of the codec, e.g. "h264"
        pixel_format: FFmpeg's name, e.g. "yuv420p"
        variable_rate: whether the time between frames varies
        size_bytes: of the file
        mime_type: guessed from the file name
        first_pts: time stamp of the first frame, in units of the stream's time base
        timestamps_s: (T,) float64 seconds from the first frame, of every frame
            that decodes; None unless the probe was exact
        warnings: what was found wrong while decoding, in words
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


def check_file(path: str | os.PathLike[str]) -> Path:
    """Refuses a path that is no readable, non-empty file.

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if it is a folder, empty or not readable
    """
    file = Path(path)
    if not file.exists():
        raise VideoNotFoundError(f"There is no video at {file}. Was it moved or deleted?")
    if not file.is_file():
        raise VideoError(f"{file} is not a file")
    if file.stat().st_size == 0:
        raise VideoError(f"{file} is empty (0 bytes)")
    if not os.access(file, os.R_OK):
        raise VideoError(f"{file} cannot be read: permission denied")
    return file


@contextmanager
def open_stream(path: str | os.PathLike[str]) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a file and its video stream, with decoding threads on.

    Yields:
        the container and its first video stream that is not a cover picture

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if the file is no video, or has no video stream
    """
    import av

    file = check_file(path)
    try:
        # local files only: a playlist must not make the decoder fetch something else
        container = av.open(str(file), options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{file} cannot be opened as video: {error}") from error
    try:
        name = container.format.name
        if any(part in name for part in _NOT_VIDEO_FORMATS):
            raise VideoError(f"{file} is not a video (its content is {name!r})")
        streams = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        if not streams:
            kinds = sorted({s.type for s in container.streams}) or ["nothing"]
            raise VideoError(f"{file} has no video stream (found: {', '.join(kinds)})")
        stream = streams[0]
        stream.thread_type = "AUTO"
        yield container, stream
    finally:
        container.close()


def decode(container: InputContainer, stream: VideoStream, warnings: list[str]) -> Iterator[VideoFrame]:
    """Decodes every frame that can be had, in display order.

    Damaged packets are skipped and a truncated end is accepted; what was found
    wrong is added to `warnings`.

    Args:
        container: positioned where decoding shall start
        stream: its video stream
        warnings: list that receives a line per kind of damage
    """
    import av

    damaged = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except StopIteration:
            break
        except (av.error.FFmpegError, OSError) as error:
            warnings.append(f"reading stopped early: {error}")
            break
        try:
            yield from packet.decode()
        except av.error.EOFError:
            break
        except av.error.FFmpegError:
            damaged += 1
    if damaged:
        warnings.append(f"{damaged} damaged packet(s) did not decode")


def rotation_of(frame: VideoFrame) -> int:
    """Degrees (0, 90, 180, 270) a decoded frame is turned counter-clockwise for display."""
    return round(frame.rotation / 90) % 4 * 90


def displayed_size(frame: VideoFrame) -> tuple[int, int]:
    """(width, height) of a decoded frame after rotation, pixels."""
    return (frame.height, frame.width) if rotation_of(frame) % 180 else (frame.width, frame.height)


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
    warnings: list[str] = []
    with open_stream(path) as (container, stream):
        frames = decode(container, stream, warnings)
        first = next(frames, None)
        if first is None:
            detail = f" ({warnings[0]})" if warnings else ""
            raise VideoError(f"{path} holds a video stream, but no frame of it decodes{detail}")
        width, height = displayed_size(first)
        fps = float(stream.average_rate or stream.guessed_rate or 0)
        timestamps: np.ndarray | None = None
        if exact:
            pts = [first.pts]
            pts.extend(frame.pts for frame in frames)
            timestamps = _seconds(pts, float(stream.time_base or 0), fps)
        declared = stream.frames
        duration = _duration_s(container, stream, timestamps, fps)
        if fps <= 0 and declared and duration > 0:
            fps = declared / duration
        variable = _is_variable(timestamps) if timestamps is not None else _declares_variable(stream)
        if timestamps is not None and declared and declared != len(timestamps):
            warnings.append(f"{declared} frames declared, {len(timestamps)} decode")
        file = Path(path)
        return VideoProbe(
            path=str(file),
            width=width,
            height=height,
            rotation=rotation_of(first),
            fps=fps,
            duration_s=duration,
            declared_frames=declared,
            codec=stream.codec_context.name,
            pixel_format=stream.codec_context.pix_fmt or first.format.name,
            variable_rate=variable,
            size_bytes=file.stat().st_size,
            mime_type=mimetypes.guess_type(file.name)[0] or "video/mp4",
            first_pts=first.pts or 0,
            timestamps_s=timestamps,
            warnings=tuple(warnings),
        )


def _seconds(pts: list[int | None], time_base: float, fps: float) -> np.ndarray:
    known = [p for p in pts if p is not None]
    regular = len(known) == len(pts) and all(b > a for a, b in zip(pts, pts[1:], strict=False))  # type: ignore[operator]
    if regular and time_base > 0:
        return (np.array(known, dtype=np.float64) - known[0]) * time_base
    # broken or missing time stamps: players fall back to the nominal rate too
    return np.arange(len(pts), dtype=np.float64) / (fps or 1.0)


def _duration_s(container: InputContainer, stream: VideoStream, timestamps: np.ndarray | None, fps: float) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    if container.duration is not None:
        return container.duration / 1e6  # FFmpeg counts a container's duration in microseconds
    if timestamps is not None and fps > 0:
        return float(timestamps[-1]) + 1 / fps
    return stream.frames / fps if fps > 0 else 0.0


def _is_variable(timestamps: np.ndarray) -> bool:
    if len(timestamps) < 3:
        return False
    step = (timestamps[-1] - timestamps[0]) / (len(timestamps) - 1)
    even = timestamps[0] + step * np.arange(len(timestamps))
    return bool(np.abs(timestamps - even).max() > _REGULAR_TOLERANCE * step)


def _declares_variable(stream: VideoStream) -> bool:
    entries = stream.index_entries
    if stream.frames and len(entries) == stream.frames:
        times = np.array([entry.timestamp for entry in entries], dtype=np.float64)  # decoding order
        return _is_variable(times)
    average, base = stream.average_rate, stream.base_rate
    return bool(average and base and abs(float(average / base) - 1) > 0.01)
