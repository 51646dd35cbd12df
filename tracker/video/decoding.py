"""How a video file is opened and decoded: local, one stream, whatever of it is intact."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import VideoError, VideoNotFoundError

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

# FFmpeg opens these as "video", but they are pictures or text
_NOT_VIDEO_FORMATS = ("image2", "_pipe", "tty")

# these name other files, or run scripts, and are never opened
_REFERRING_FORMATS = (
    *("avisynth", "concat", "dash", "hls", "image2", "image2pipe", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp"),
    *("vapoursynth", "vobsub", "webm_dash_manifest"),
)


def check_file(path: str | os.PathLike[str]) -> Path:
    """Refuses a path that is no readable, non-empty file.

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if it is a folder, empty or not readable
    """
    file = Path(path)
    try:
        status = file.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise VideoNotFoundError(f"There is no video at {file}. Was it moved or deleted?") from error
    except (OSError, ValueError) as error:
        raise VideoError(f"{str(file)!r} cannot be read: {error}") from error
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{file} is not a file. Expected the path of one video file")
    if status.st_size == 0:
        raise VideoError(f"{file} is empty (0 bytes). Was it copied completely?")
    if not os.access(file, os.R_OK):
        raise VideoError(f"{file} cannot be read: permission denied")
    return file


@contextmanager
def open_stream(
    path: str | os.PathLike[str], *, frame_threads: bool = True
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens a file and its video stream, with decoding threads on.

    Args:
        path: a local file
        frame_threads: decode several frames at once; fast, but where a packet is
            damaged some good frames near it are lost

    Yields:
        the container and its first video stream that is not a cover picture

    Raises:
        VideoNotFoundError: if there is no such file
        VideoError: if the file is no video, or has no video stream
    """
    import av
    from av.error import FFmpegError

    file = check_file(path)
    # a playlist must not make the decoder open something else, here or on the network
    options = {"protocol_whitelist": "file", "format_whitelist": _allowed_formats()}
    try:
        container = av.open(f"file:{file.absolute()}", options=options)
    except (FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"{file} cannot be opened as video: {_reason(error)}. Expected a complete video file, "
            "such as MP4, WebM, MKV, MOV or AVI"
        ) from error
    try:
        stream = _video_stream(container, file)
        stream.thread_type = "AUTO" if frame_threads else "SLICE"
        yield container, stream
    finally:
        container.close()


def _video_stream(container: InputContainer, file: Path) -> VideoStream:
    from av.stream import Disposition

    name = container.format.name
    if any(part in name for part in _NOT_VIDEO_FORMATS):
        raise VideoError(f"{file} is a picture or text, not a video (its content is {name!r})")
    covers = {s.index for s in container.streams.video if s.disposition & Disposition.attached_pic}
    streams = [s for s in container.streams.video if s.index not in covers]
    # several: the one that players show, which is mostly one that is marked as the default
    streams.sort(key=lambda s: _rank(container, s))
    if not streams:
        kinds = {"cover picture" if s.index in covers else s.type for s in container.streams}
        raise VideoError(f"{file} has no video stream (found: {', '.join(sorted(kinds)) or 'nothing'})")
    if streams[0].codec_context is None:
        raise VideoError(f"{file} is coded in a way that cannot be decoded here. Convert it to H.264, for example")
    return streams[0]


def _rank(container: InputContainer, stream: VideoStream) -> tuple[bool, ...]:
    """Sorts the streams of a file: what can be decoded, is a picture of its own, is the default, is FFmpeg's choice."""
    from av.stream import Disposition

    aside = (
        Disposition.timed_thumbnails | Disposition.still_image | Disposition.dependent | Disposition.hearing_impaired
    )
    return (
        stream.codec_context is None,
        bool(stream.disposition & (aside | Disposition.visual_impaired)),
        not stream.disposition & Disposition.default,
        stream != container.streams.best("video"),
    )


@lru_cache(maxsize=1)
def _allowed_formats() -> str:
    import av

    return ",".join(sorted(name for name in av.formats_available if name not in _REFERRING_FORMATS))


def _reason(error: Exception) -> str:
    if getattr(error, "errno", None) == errno.EINVAL:
        return "its format is unknown, or it only refers to other files, which are not followed"
    return getattr(error, "strerror", None) or str(error)


def decode(container: InputContainer, stream: VideoStream, warnings: list[str]) -> Generator[VideoFrame, None, None]:
    """Decodes every frame that can be had, in display order.

    Damaged packets are skipped and a truncated end is accepted; what was found
    wrong is added to `warnings`.

    Args:
        container: positioned where decoding shall start
        stream: its video stream
        warnings: list that receives a line per kind of damage, when decoding ends or is given up
    """
    from av.error import EOFError as EndOfStreamError
    from av.error import FFmpegError

    cut = lost = damaged = 0
    try:
        for packet in packets(container, stream, warnings):
            cut += packet is not None and packet.is_corrupt
            try:
                frames = stream.decode(packet)
            except EndOfStreamError:
                break
            except FFmpegError:
                lost += 1
                continue
            for frame in frames:
                damaged += frame.is_corrupt
                yield frame
    finally:
        if cut:
            warnings.append(f"{cut} packet(s) are damaged or cut off")
        if lost:
            warnings.append(f"{lost} packet(s) could not be decoded")
        if damaged:
            warnings.append(f"{damaged} frame(s) are damaged")


def packets(container: InputContainer, stream: VideoStream, warnings: list[str]) -> Iterator[Packet | None]:
    """The packets of a stream, as far as the file can be read; the last is None or empty.

    Args:
        container: positioned where reading shall start
        stream: its video stream
        warnings: list that receives why reading stopped early
    """
    from av.error import FFmpegError

    try:
        yield from container.demux(stream)
    except (FFmpegError, OSError) as error:
        warnings.append(f"reading stopped early: {_reason(error)}")
        yield None  # makes the decoder hand out the frames it still holds


def rotation_of(frame: VideoFrame) -> int:
    """Degrees (0, 90, 180, 270) a decoded frame is turned counter-clockwise for display."""
    return round(frame.rotation / 90) % 4 * 90


def is_mirrored(frame: VideoFrame) -> bool:
    """Whether a decoded frame is flipped upside down for display, before it is turned."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return False
    a, b, _, c, d = np.frombuffer(bytes(data), dtype=np.int32)[:5].astype(np.float64)
    return bool(a * d < b * c)


def displayed_size(frame: VideoFrame) -> tuple[int, int]:
    """(width, height) of a decoded frame after rotation, pixels."""
    return (frame.height, frame.width) if rotation_of(frame) % 180 else (frame.width, frame.height)


def upright_rgb(frame: VideoFrame, size_px: tuple[int, int], *, rotation: int, mirrored: bool) -> np.ndarray:
    """Converts and scales in one go; files that change their size in the middle keep the first one.

    Args:
        frame: as decoded
        size_px: (width, height) of the result
        rotation: degrees (0, 90, 180, 270) it is turned counter-clockwise for display
        mirrored: whether it is flipped upside down before it is turned

    Returns:
        uint8 (height, width, 3) RGB, as displayed; may be a view of memory that is not contiguous
    """
    width, height = size_px[::-1] if rotation % 180 else size_px
    if (frame.width, frame.height) == (width, height):
        interpolation = None
    elif width < frame.width or height < frame.height:
        interpolation = "AREA"
    else:
        interpolation = "BILINEAR"
    rgb = frame.reformat(width, height, "rgb24", interpolation=interpolation)
    plane = rgb.planes[0]
    rows = np.frombuffer(memoryview(plane), dtype=np.uint8)  # type: ignore[arg-type]
    rows = rows[: height * plane.line_size].reshape(height, plane.line_size)
    picture = rows[:, : 3 * width].reshape(height, width, 3)
    return np.rot90(picture[::-1] if mirrored else picture, k=rotation // 90)
