"""The sound of a preprocessed copy: taken over as it is where browsers play it, else coded as AAC."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import av
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet

# mp4 players know these; anything else is coded anew
_COPIED_CODECS = ("aac", "mp3")
# a coder's first packets lie this far before the sound starts, and are needed to decode it
_PRIMING_S = 0.06


class AudioTrack:
    """The first audio stream of a file, on its way into another, in step with the picture.

    Args:
        path: the file whose sound is taken
        target: receives the sound; its header is not yet written
        start_s: the source's time that becomes 0
        warnings: receives a line where the sound cannot be kept
    """

    def __init__(self, path: str, target: OutputContainer, start_s: float, warnings: list[str]) -> None:
        self._target = target
        self._start_s = start_s
        self._warnings = warnings
        self._files = ExitStack()
        self._waiting: Packet | None = None
        self._packets: Iterator[Packet] = iter(())
        source = self._files.enter_context(av.open(f"file:{path}"))
        if not source.streams.audio:
            warnings.append("the source has no sound to keep")
            return
        stream = source.streams.audio[0]
        if stream.codec_context is None:
            warnings.append("the sound is coded in a way that cannot be decoded here, and was dropped")
        elif stream.codec_context.name in _COPIED_CODECS:
            self._packets = self._copied(source, stream, target.add_stream_from_template(stream))
        else:
            encoder = target.add_stream("aac", rate=stream.codec_context.sample_rate)
            self._packets = self._coded(source, stream, encoder)

    def close(self) -> None:
        """Closes the source."""
        self._files.close()

    def write_until(self, time_s: float) -> None:
        """Writes what sounds before a time.

        Args:
            time_s: seconds in the target
        """
        while True:
            if self._waiting is None:
                try:
                    self._waiting = next(self._packets, None)
                except FFmpegError as error:
                    self._warnings.append(f"the sound could not be read to its end: {error.strerror}")
                    self._packets = iter(())
            packet = self._waiting
            if packet is None or float((packet.dts or 0) * packet.time_base) > time_s:
                return
            self._waiting = None
            self._target.mux(packet)

    def _copied(self, source: Any, stream: AudioStream, copy: Any) -> Iterator[Packet]:
        for packet in source.demux(stream):
            if packet.dts is None or packet.pts is None or packet.size == 0:
                continue
            shift = round(self._start_s / packet.time_base)
            packet.pts -= shift
            packet.dts -= shift
            if float((packet.pts + (packet.duration or 0)) * packet.time_base) < -_PRIMING_S:
                continue
            packet.stream = copy
            yield packet

    def _coded(self, source: Any, stream: AudioStream, encoder: Any) -> Iterator[Packet]:
        context = encoder.codec_context
        resampler = AudioResampler(format="fltp", layout=stream.layout.name, rate=context.sample_rate)
        for frame in source.decode(stream):
            if frame.pts is not None and frame.time_base:
                shifted = frame.pts - round(self._start_s / frame.time_base)
                if shifted < 0:
                    continue
                frame.pts = shifted
            for piece in resampler.resample(frame):
                yield from encoder.encode(piece)
        for piece in resampler.resample(None):
            yield from encoder.encode(piece)
        yield from encoder.encode(None)
