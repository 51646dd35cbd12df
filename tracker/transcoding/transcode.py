"""One video into a small copy that every browser plays, with an exact way back.

H.264 (yuv420p, even sides) in an mp4 with its index in front; rotation and
mirroring are part of the pictures. The copy appears under its name only when it
is complete. Which source frame each of its frames shows is stored inside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import (
    OptionError,
    OutputError,
    OutputExistsError,
    VideoError,
)
from ..flags import check_flags
from ..video.decoding import open_stream
from ..video.probe import VideoProbe, probe
from .audio import AudioTrack
from .output_file import output_errors, part_file, rename_new
from .picture import PictureShaper, describe_colors, fit_size
from .policy import FramePolicy, Selection, select_frames
from .provenance import TAG, Provenance, SourceFacts, is_whole, read_provenance
from .timed_frames import TimelineError, timed_frames
from .timed_output import TimedWriter, check_encoder, open_mp4
from .timeline import Timeline, decoded_timeline, packet_timeline

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
MAX_CRF = 51
MIN_SIDE = 16


@dataclass(frozen=True)
class TranscodeOptions:
    """What a copy is like.

    Args:
        policy: which frames are kept
        longest_side: pixels; larger frames are scaled down to it, smaller ones stay
        keep_audio: keep the sound
        preset: x264's speed, one of `PRESETS`
        crf: x264's quality, from 0 (lossless) to 51; 18 is hardly told from the source

    Raises:
        OptionError: for a value outside what is supported
    """

    policy: FramePolicy = field(default_factory=FramePolicy)
    longest_side: int | None = None
    keep_audio: bool = False
    preset: str = "veryfast"
    crf: int = 18

    def __post_init__(self) -> None:
        side = self.longest_side
        if side is not None and (not isinstance(side, int) or isinstance(side, bool) or side < MIN_SIDE):
            raise OptionError(f"Invalid longest_side ({side!r}). Expected whole pixels, at least {MIN_SIDE}, or None")
        if self.preset not in PRESETS:
            raise OptionError(f"Invalid preset ({self.preset!r}). Supported values are {', '.join(PRESETS)}")
        if not isinstance(self.crf, int) or isinstance(self.crf, bool) or not 0 <= self.crf <= MAX_CRF:
            raise OptionError(f"Invalid crf ({self.crf!r}). Expected a whole number from 0 to {MAX_CRF}")
        check_flags(self, "keep_audio")

    def to_record(self) -> dict[str, Any]:
        """The options as JSON-serialisable values."""
        return {**asdict(replace(self, policy=None)), "policy": self.policy.to_record()}  # type: ignore[arg-type]


COPY_DEFAULTS = TranscodeOptions()


@dataclass(frozen=True, eq=False)
class Transcoded:
    """A finished copy.

    Args:
        path: the file that was made or reused
        provenance: its source and frames
        reused: it was there already, made from the same source in the same way
        warnings: what the user should know, in words
    """

    path: str
    provenance: Provenance
    reused: bool = False
    warnings: tuple[str, ...] = ()


def transcode(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    options: TranscodeOptions = COPY_DEFAULTS,
    *,
    overwrite: bool = False,
    threads: int = 0,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Transcoded:
    """Makes a copy of a video, or finds that it is there already.

    Args:
        source: a local video; only read
        target: path of the copy, ending in .mp4, in an existing folder
        options: what the copy is like
        overwrite: replace a file at `target` that was made otherwise
        threads: for decoding and encoding each; 0 = as the codecs decide
        progress: called with the share done, from 0 to 1
        cancelled: asked between frames; True ends the work

    Returns:
        the copy

    Raises:
        VideoNotFoundError: if there is no such source
        VideoError: if the source is no video, or changes while it is read
        OutputExistsError: if another file is at `target` and overwrite is False
        OutputError: if the copy cannot be written; nothing is left behind
        DependencyError: if this build of PyAV has no H.264 encoder
        Cancelled: if the work was cancelled; nothing is left behind
    """
    path = Path(target)
    facts = probe(source)
    source_facts = SourceFacts.of(facts)
    if _is_same_file(facts.path, path):
        raise OutputError(f"{path} is the source itself, and sources are never touched. Choose another folder")
    found = _reusable(path, source_facts, options, overwrite)
    if found is not None and is_whole(path):
        return Transcoded(str(path), found, reused=True, warnings=found.warnings)
    check_encoder()
    overwrite = overwrite or found is not None
    job = _Job(facts, source_facts, options, threads, progress, cancelled)
    with part_file(path) as part:
        timeline = packet_timeline(facts)
        try:
            made = job.encode(part, timeline or decoded_timeline(facts))
        except TimelineError:
            made = job.encode(part, decoded_timeline(facts))
        if SourceFacts.of(facts) != source_facts:
            raise VideoError(f"{facts.path} changed while it was being read. Run again when it is complete")
        provenance, reused = _publish(part, path, made, overwrite)
    if found is not None:
        job.warnings.append("the earlier copy was cut off, and was made again")
    return Transcoded(str(path), provenance, reused, tuple(job.warnings))


@dataclass
class _Job:
    """One source on its way into one file."""

    facts: VideoProbe
    source: SourceFacts
    options: TranscodeOptions
    threads: int
    progress: Callable[[float], None] | None
    cancelled: Callable[[], bool] | None

    def __post_init__(self) -> None:
        self.warnings: list[str] = []

    def encode(self, part: Path, timeline: Timeline) -> Provenance:
        """Writes the whole file; raises TimelineError where an unconfirmed timeline proves wrong."""
        selection = select_frames(timeline, self.options.policy)
        self.warnings = list(timeline.warnings)
        with (
            output_errors(part),
            open_stream(self.facts.path, frame_threads=timeline.intact) as (container, stream),
            open_mp4(part) as output,
        ):
            stream.codec_context.thread_count = self.threads
            writer = _Writer(output, self.facts, self.options, selection, self.threads, stream.sample_aspect_ratio)
            audio = None
            if self.options.keep_audio:
                audio = AudioTrack(self.facts.path, output, timeline.first_time_s, self.warnings)
            provenance = Provenance(
                self.source,
                self.options.to_record(),
                selection.frame_map,
                float(selection.fps),
                tuple(self.warnings),
            )
            output.metadata[TAG] = provenance.to_tag()
            try:
                for position, frame in self._chosen(container, stream, timeline, selection):
                    if audio is not None:
                        audio.write_until(float(selection.ticks[position] * selection.tick_s))
                    writer.write(frame, position)
                writer.finish()
                if audio is not None:
                    audio.write_until(float("inf"))
            finally:
                if audio is not None:
                    audio.close()
        return provenance

    def _chosen(
        self, container: InputContainer, stream: VideoStream, timeline: Timeline, selection: Selection
    ) -> Iterator[tuple[int, VideoFrame]]:
        """Yields the kept frames with their positions; decodes to the end, to know that all is as expected."""
        wanted, position = selection.frame_map.source_indices, 0
        frames = timed_frames(
            container, stream, timeline, self.warnings, progress=self.progress, cancelled=self.cancelled
        )
        for index, frame in enumerate(frames):
            if position < len(wanted) and index == wanted[position]:
                yield position, frame
                position += 1


class _Writer(TimedWriter):
    """The pictures of a source, on their way into an open output."""

    def __init__(
        self,
        output: OutputContainer,
        facts: VideoProbe,
        options: TranscodeOptions,
        selection: Selection,
        threads: int,
        pixel_aspect: Fraction | None,
    ) -> None:
        self._shaper = PictureShaper(facts, fit_size(facts.size_px, options.longest_side))
        if pixel_aspect and facts.rotation % 180:
            pixel_aspect = 1 / pixel_aspect
        super().__init__(
            output,
            self._shaper.size_px,
            selection,
            preset=options.preset,
            crf=options.crf,
            threads=threads,
            pixel_aspect=pixel_aspect,
        )
        self._started = False

    def write(self, picture: VideoFrame, position: int) -> None:
        """Encodes the kept frame of a position, as it was decoded."""
        shaped = self._shaper.shape(picture)
        if not self._started:
            describe_colors(picture, self._stream)
            self._started = True
        super().write(shaped, position)


def _is_same_file(source: str, target: Path) -> bool:
    return target.exists() and os.path.samefile(source, target)


def _reusable(path: Path, source: SourceFacts, options: TranscodeOptions, overwrite: bool) -> Provenance | None:
    """The record of an existing file that need not be made again."""
    if not os.path.lexists(path):
        return None
    found = read_provenance(path)
    if found is not None and found.matches(source, options.to_record()):
        return found
    if overwrite:
        return None
    made = "was not made by preprocessing" if found is None else "was made from another source or with other options"
    raise OutputExistsError(f"{path} exists and {made}. Choose another folder, or overwrite=True to replace it")


def _publish(part: Path, path: Path, made: Provenance, overwrite: bool) -> tuple[Provenance, bool]:
    """Gives the finished copy its name, unless another run was faster.

    Returns:
        the record of the file at `path`, and whether it is the other run's
    """
    with output_errors(part):
        if overwrite:
            os.replace(part, path)
            return made, False
        try:
            rename_new(part, path)
        except FileExistsError as error:
            found = read_provenance(path)
            if found is not None and found.matches(made.source, made.options):
                return found, True
            raise OutputExistsError(
                f"{path} was made by another run at the same time, with other options. Choose another folder"
            ) from error
    return made, False
