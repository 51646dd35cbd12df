"""The H.264 stream of an mp4 whose pictures are shown at exact times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.error import FFmpegError

from ..errors import DependencyError
from .policy import Selection

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.frame import VideoFrame

# key frames are this close, so that stepping through the file in a browser stays quick
GOP_FRAMES = 48
ENCODER = "libx264"


def check_encoder(name: str | None = None) -> None:
    """Refuses to go on without an encoder.

    Args:
        name: FFmpeg's; None = that of mp4 videos

    Raises:
        DependencyError: if this build of PyAV does not have it
    """
    if (name or ENCODER) not in av.codecs_available:
        called = "H.264 encoder (libx264)" if name is None else f"encoder {name}"
        raise DependencyError(f"This build of PyAV has no {called}. Install it with: pip install av")


@contextmanager
def open_mp4(part: Path) -> Iterator[OutputContainer]:
    """Opens an mp4 for writing, its index in front; an error of the block is not hidden by one of closing it.

    Args:
        part: the unfinished file
    """
    output = av.open(f"file:{part}", "w", format="mp4", options={"movflags": "+faststart"})
    try:
        yield output
    except BaseException:
        with suppress(FFmpegError, OSError):
            output.close()
        raise
    output.close()


class TimedWriter:
    """The video stream of an open output.

    Args:
        output: an mp4, its header not yet written
        size_px: (width, height) of the pictures, even
        selection: when each is shown
        preset: x264's speed
        crf: x264's quality, from 0 (lossless) to 51
        threads: for encoding; 0 = as the codec decides
        pixel_aspect: width of a pixel by its height, None where square
    """

    def __init__(
        self,
        output: OutputContainer,
        size_px: tuple[int, int],
        selection: Selection,
        *,
        preset: str,
        crf: int,
        threads: int,
        pixel_aspect: Fraction | None,
    ) -> None:
        self._output = output
        self._selection = selection
        self._durations = dict(zip(selection.ticks.tolist(), selection.durations.tolist(), strict=True))
        settings = {"preset": preset, "crf": str(crf), "g": str(GOP_FRAMES)}
        if not selection.regular:
            settings["bf"] = "0"  # an mp4 with B-frames cannot say when its last frame ends, if times vary
        stream = output.add_stream(ENCODER, rate=selection.fps, options=settings)
        stream.width, stream.height = size_px
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = selection.tick_s
        stream.codec_context.thread_count = threads
        # PyAV asks for slices otherwise, with which x264 keeps fewer cores busy and makes larger files
        stream.thread_type = "AUTO"
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        self._stream: Any = stream
        self._held: Any = None
        self._first_dts = 0

    def tag_colors(self, matrix: int, value_range: int) -> None:
        """Tells players how the pictures' colours were made; to be called before the first picture.

        Args:
            matrix: H.264's number for how RGB was converted
            value_range: its number for which values are black and white
        """
        self._stream.codec_context.colorspace = matrix
        self._stream.codec_context.color_range = value_range

    def write(self, picture: VideoFrame, position: int) -> None:
        """Encodes the picture of a position.

        Args:
            picture: yuv420p, of the stream's size
            position: among the selection's frames, one after the other from 0
        """
        picture.pts = int(self._selection.ticks[position])
        picture.time_base = self._selection.tick_s
        self._mux(self._stream.encode(picture))

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._mux(self._stream.encode(None))
        last, end = self._held, self._selection.end_tick
        if last is not None:
            # the track's length is counted from this packet, which with B-frames is not the last one shown
            decoded_for = last.dts - self._first_dts
            last.duration = max(min(end - decoded_for, end - last.pts), 1)
            self._output.mux(last)

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            if self._held is None:
                self._first_dts = packet.dts
            else:
                self._output.mux(self._held)
            packet.duration = self._durations[packet.pts]
            self._held = packet
