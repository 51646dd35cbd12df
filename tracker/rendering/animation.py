"""Animated pictures: files that play by themselves wherever pictures are shown, again and again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

# by the ending of the file: FFmpeg's encoder, its pixels, the clock of its times, and settings of the encoder
_FORMATS: dict[str, tuple[str, str, Fraction, dict[str, str]]] = {
    ".gif": ("gif", "pal8", Fraction(1, 100), {}),
    ".webp": ("libwebp_anim", "yuv420p", Fraction(1, 1000), {"quality": "75", "compression_level": "4"}),
}
ANIMATIONS = tuple(_FORMATS)
# browsers show what is shorter for a tenth of a second instead
_SHORTEST_S = 0.02
# an even pattern: what does not move stays the same in all frames, which makes files small
_DITHER = "dither=bayer:bayer_scale=4:diff_mode=rectangle"


class AnimationWriter:
    """An animated picture that repeats for ever; to be used as a context, and written in order.

    A GIF has 256 colours: those of some of its frames, chosen before the first is written.

    Args:
        part: the unfinished file
        suffix: ".gif" or ".webp"
        size_px: (width, height)
        times_s: (S,) seconds when each picture is shown, from 0
        end_s: when the last one ends
        samples: uint8 (H, W, 3) RGB pictures to choose colours from; asked for only where there is a choice

    Raises:
        DependencyError: if this build of PyAV has no such encoder
    """

    def __init__(
        self,
        part: Path,
        suffix: str,
        size_px: tuple[int, int],
        times_s: np.ndarray,
        end_s: float,
        samples: Iterable[np.ndarray],
    ) -> None:
        import av

        from ..transcoding.timed_output import check_encoder

        encoder, pixels, tick_s, settings = _FORMATS[suffix]
        check_encoder(encoder)
        self._ticks = _spaced_ticks(np.append(times_s, end_s), tick_s)  # (S + 1,)
        self._tick_s, self._pixels = tick_s, pixels
        last = int(self._ticks[-1] - self._ticks[-2])
        options = {"loop": "0", **({"final_delay": str(last)} if suffix == ".gif" else {})}
        self._palette = _PaletteUse(size_px, samples) if pixels == "pal8" else None
        self._output = av.open(f"file:{part}", "w", format=suffix[1:], options=options)
        stream: Any = self._output.add_stream(encoder, options=settings)
        stream.width, stream.height = size_px
        stream.pix_fmt = pixels
        stream.time_base = stream.codec_context.time_base = tick_s
        self._stream = stream

    def __enter__(self) -> AnimationWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        from av.error import FFmpegError

        if kind is None:
            self._output.close()
            return
        with suppress(FFmpegError, OSError):  # the error of the block is the one to see
            self._output.close()

    def write(self, picture: np.ndarray, position: int) -> None:
        """Encodes the picture of a position.

        Args:
            picture: uint8 (H, W, 3) RGB
            position: one after the other, from 0
        """
        import av

        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = self._palette.apply(frame, position) if self._palette else frame.reformat(format=self._pixels)
        frame.pts, frame.time_base = int(self._ticks[position]), self._tick_s
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._mux(self._stream.encode(None))

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            self._output.mux(packet)


def _spaced_ticks(times_s: np.ndarray, tick_s: Fraction) -> np.ndarray:
    """Times in ticks of a clock, each at least `_SHORTEST_S` behind the one before."""
    shortest = max(round(_SHORTEST_S / tick_s), 1)
    least = np.arange(len(times_s)) * shortest
    ticks = np.rint(times_s / float(tick_s)).astype(np.int64)
    return np.maximum.accumulate(ticks - least) + least


class _PaletteUse:
    """Pictures with the 256 colours that serve some of them best."""

    def __init__(self, size_px: tuple[int, int], samples: Iterable[np.ndarray]) -> None:
        import av

        chooser = _Filter("palettegen", "stats_mode=full", size_px)
        for sample in samples:
            chooser.pictures.push(av.VideoFrame.from_ndarray(sample, format="rgb24"))
        chooser.pictures.push(None)
        self._filter = _Filter("paletteuse", _DITHER, size_px, palette=chooser.sink.pull())

    def apply(self, frame: VideoFrame, position: int) -> VideoFrame:
        """The frame with these colours."""
        frame.pts = position
        self._filter.pictures.push(frame)
        return self._filter.sink.pull()


class _Filter:
    """A filter of FFmpeg for RGB pictures."""

    def __init__(self, name: str, options: str, size_px: tuple[int, int], *, palette: Any = None) -> None:
        from av.filter import Graph

        width, height = size_px
        self._graph: Any = Graph()  # its filters do not keep it alive
        clock = Fraction(1, 1)
        self.pictures = self._graph.add_buffer(width=width, height=height, format="rgb24", time_base=clock)
        converter, work = self._graph.add("format", "pix_fmts=bgra"), self._graph.add(name, options)
        self.sink = self._graph.add("buffersink")
        self.pictures.link_to(converter)
        converter.link_to(work, 0, 0)
        work.link_to(self.sink)
        if palette is None:
            self._graph.configure()
            return
        colors = self._graph.add_buffer(
            width=palette.width, height=palette.height, format=palette.format.name, time_base=clock
        )
        colors.link_to(work, 0, 1)
        self._graph.configure()
        palette.pts = 0
        colors.push(palette)
        colors.push(None)
