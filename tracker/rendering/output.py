"""A video file and its tracks into a picture or a video file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..coordinates import mostly_outside
from ..errors import Cancelled, OptionError, OutputError, OutputExistsError
from ..types import Tracks
from ..video.probe import VideoProbe, probe
from .animation import ANIMATIONS, AnimationWriter
from .options import TRAIL_DEFAULTS, TrailOptions
from .panes import Pane, draw_panes, fit_pane, make_panes

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

    from ..transcoding.timeline import Timeline

VIDEO, PICTURE = ".mp4", ".png"
# animated pictures are for pages and messages: larger ones only where they are asked for, and at most this rate
ANIMATION_SIDE = 480
ANIMATION_FPS = 12.5
# frames of an animated picture that its colours are chosen from
_NUM_SAMPLES = 8
_PRESET = "veryfast"
_CRF = 16  # lines of one pixel in full colours need more than a camera's pictures
# of H.264: how RGB is converted, and that its values are those of television
_BT601, _TV_RANGE = 6, 1


@dataclass(frozen=True)
class Rendered:
    """A finished file.

    Args:
        path: of the picture or video
        size_px: (width, height)
        num_frames: frames in it, 1 of a picture
        warnings: what the user should know, in words
    """

    path: str
    size_px: tuple[int, int]
    num_frames: int
    warnings: tuple[str, ...] = ()

    def with_warnings(self, *warnings: str) -> Rendered:
        """The same with more to know."""
        return replace(self, warnings=(*self.warnings, *warnings))


@dataclass
class _Job:
    """One video on its way into one file."""

    facts: VideoProbe
    fields: Sequence[tuple[str, Tracks]]
    options: TrailOptions
    frame_index: int | None
    threads: int
    progress: Callable[[float], None] | None
    cancelled: Callable[[], bool] | None


def check_target(target: str | os.PathLike[str], *, frame_index: int | None = None, overwrite: bool = False) -> Path:
    """Refuses a file that cannot be written, before any work is done.

    Args:
        target: path of the file
        frame_index: which frame a picture shows; None for videos
        overwrite: replace a file of that name

    Raises:
        OptionError: if its ending is not supported, or a frame is given for a video
        OutputError: if there is no such folder
        OutputExistsError: if there is a file of that name and overwrite is False
    """
    path = Path(target)
    if path.suffix.lower() not in WRITERS:
        found = f"the ending {path.suffix!r}" if path.suffix else "no ending"
        raise OptionError(
            f"{path} has {found}. Supported endings are {', '.join(WRITERS)}: a video, a picture, animated pictures"
        )
    whole = isinstance(frame_index, int) and not isinstance(frame_index, bool)
    if frame_index is not None and (not whole or frame_index < 0):
        raise OptionError(f"Invalid frame_index ({frame_index!r}). Expected a whole number from 0, or None")
    if frame_index is not None and path.suffix.lower() != PICTURE:
        raise OptionError(
            f"A {path.suffix} file shows all frames, found the frame index {frame_index}. Leave it out, or write a .png"
        )
    if not path.parent.is_dir():
        raise OutputError(f"There is no folder {path.parent}. Make it first, or choose another one")
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Give the path of a file in it")
    if not overwrite and os.path.lexists(path):
        raise OutputExistsError(f"{path} exists. Choose another name, or overwrite=True to replace it")
    return path


def check_sound(suffix: str, options: TrailOptions) -> None:
    """Refuses to keep the sound in a file that cannot hold any.

    Args:
        suffix: of the file
        options: what it is to hold

    Raises:
        OptionError: saying which file can
    """
    if options.keep_audio and suffix.lower() != VIDEO:
        raise OptionError(f"A {suffix} file holds no sound. Leave the sound out, or write a {VIDEO} file")


def render(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    fields: Sequence[tuple[str, Tracks]],
    options: TrailOptions = TRAIL_DEFAULTS,
    *,
    frame_index: int | None = None,
    overwrite: bool = False,
    threads: int = 0,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Rendered:
    """Draws tracks on the video they were made on; the file appears under its name only when it is complete.

    A video's frames are shown when the source shows them; an animated picture has fewer of them, at most
    `ANIMATION_FPS` per second, repeats, and is at most `ANIMATION_SIDE` pixels long where no side is given.
    Memory does not grow with the video's length, but for the tracks themselves (and a .webp's coded pictures).

    Args:
        source: a local video; only read
        target: path of the file, ending in .mp4, .png, .gif or .webp, in an existing folder
        fields: title and tracks of each field, in pixels of the displayed frame; several lie side by side
        options: what trails look like and what the file holds
        frame_index: the frame that a picture shows, None = the middle one
        overwrite: replace a file of that name
        threads: for decoding and encoding each; 0 = as the codecs decide
        progress: called with the share done, from 0 to 1
        cancelled: asked between frames; True ends the work

    Returns:
        the file

    Raises:
        VideoNotFoundError: if there is no such source
        VideoError: if the source is no video
        OptionError: if the target's ending is not supported, or the video has no such frame
        FieldError: if the tracks do not say what they are to be coloured by
        OutputExistsError: if there is a file of that name and overwrite is False
        OutputError: if the file cannot be written; nothing is left behind
        DependencyError: if this build of PyAV has no encoder for it
        Cancelled: if the work was cancelled; nothing is left behind
    """
    from ..transcoding.output_file import part_file, publish

    path = check_target(target, frame_index=frame_index, overwrite=overwrite)
    check_sound(path.suffix, options)
    facts = probe(source)
    if path.exists() and os.path.samefile(facts.path, path):
        raise OutputError(f"{path} is the video itself, and videos are never touched. Choose another name")
    job = _Job(facts, fields, options, frame_index, threads, progress, cancelled)
    with part_file(path) as part:
        rendered = WRITERS[path.suffix.lower()](job, part, path)
        publish(part, path, overwrite=overwrite)
    return rendered.with_warnings(*_undrawn(fields, options, facts.size_px))


def _undrawn(fields: Sequence[tuple[str, Tracks]], options: TrailOptions, size_px: tuple[int, int]) -> Iterator[str]:
    """Says of which fields little or nothing was drawn: all that is known is hidden, or most lies outside the frame."""
    for title, tracks in fields:
        if not options.show_hidden and tracks.num_points and not tracks.visible.any():
            yield f"no point of {title!r} is visible in any frame, and hidden points were left out"
        if outside := mostly_outside(tracks.xy, tracks.visible, size_px):
            yield (
                f"{outside[0]:,} of {outside[1]:,} visible points of {title!r} lie outside the "
                f"{size_px[0]} x {size_px[1]} frame, so these tracks are of another video"
            )


def _write_picture(job: _Job, part: Path, path: Path) -> Rendered:
    import cv2

    from ..transcoding.output_file import output_errors
    from ..video.frames import VideoFrames

    video = VideoFrames(job.facts.path)
    index = job.frame_index
    if index is None:
        index = video.num_frames // 2
    elif index >= video.num_frames:
        raise OptionError(
            f"The video has {video.num_frames} frames, found the frame index {index}. "
            f"Allowed are 0 to {video.num_frames - 1}"
        )
    if job.cancelled is not None and job.cancelled():
        raise Cancelled("The work on this video was cancelled")
    size_px = fit_pane(job.facts.size_px, len(job.fields), job.options.longest_side, even=False)
    panes = make_panes(job.fields, job.facts.size_px, size_px, job.options.color_by)
    frame = video.read([index], size_px=size_px)[0]
    picture = draw_panes(frame, panes, index, job.options)
    _, coded = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    with output_errors(part):
        part.write_bytes(coded.tobytes())
    if job.progress is not None:
        job.progress(1.0)
    return Rendered(str(path), (picture.shape[1], picture.shape[0]), 1, tuple(video.warnings))


def _write_video(job: _Job, part: Path, path: Path) -> Rendered:
    from ..transcoding.timed_output import check_encoder

    check_encoder()
    return _retimed(job, partial(_encode, job, part, path))


def _write_animation(job: _Job, part: Path, path: Path) -> Rendered:
    return _retimed(job, partial(_animate, job, part, path))


def _retimed(job: _Job, write: Callable[[Timeline], Rendered]) -> Rendered:
    """Writes by the times that packets tell, and by those of decoded frames where these are others."""
    from ..transcoding.timed_frames import TimelineError
    from ..transcoding.timeline import decoded_timeline, packet_timeline

    timeline = packet_timeline(job.facts)
    try:
        return write(timeline or decoded_timeline(job.facts))
    except TimelineError:
        return write(decoded_timeline(job.facts))


def _encode(job: _Job, part: Path, path: Path, timeline: Timeline) -> Rendered:
    from av.video.frame import VideoFrame
    from av.video.reformatter import VideoReformatter

    from ..transcoding.audio import AudioTrack
    from ..transcoding.output_file import output_errors
    from ..transcoding.policy import FramePolicy, select_frames
    from ..transcoding.timed_frames import timed_frames
    from ..transcoding.timed_output import TimedWriter, open_mp4
    from ..video.decoding import open_stream

    selection = select_frames(timeline, FramePolicy(every_nth=1))
    warnings = list(timeline.warnings)
    pane_px = fit_pane(job.facts.size_px, len(job.fields), job.options.longest_side, even=True)
    panes = make_panes(job.fields, job.facts.size_px, pane_px, job.options.color_by)
    size_px = (pane_px[0] * len(panes), pane_px[1])
    with (
        output_errors(part),
        open_stream(job.facts.path, frame_threads=timeline.intact) as (container, stream),
        open_mp4(part) as output,
    ):
        stream.codec_context.thread_count = job.threads
        settings: dict[str, Any] = {"preset": _PRESET, "crf": _CRF, "threads": job.threads}
        writer = TimedWriter(output, size_px, selection, pixel_aspect=_pixel_aspect(job, stream), **settings)
        writer.tag_colors(_BT601, _TV_RANGE)
        audio = None
        if job.options.keep_audio:
            audio = AudioTrack(job.facts.path, output, timeline.first_time_s, warnings)
        frames = timed_frames(container, stream, timeline, warnings, progress=job.progress, cancelled=job.cancelled)
        converter = VideoReformatter()
        try:
            for index, frame in enumerate(frames):
                if audio is not None:
                    audio.write_until(float(selection.ticks[index] * selection.tick_s))
                picture = VideoFrame.from_ndarray(_drawn(frame, job, panes, pane_px, index), format="rgb24")
                writer.write(converter.reformat(picture, format="yuv420p", threads=1), index)
            writer.finish()
            if audio is not None:
                audio.write_until(float("inf"))
        finally:
            if audio is not None:
                audio.close()
    return Rendered(str(path), size_px, len(timeline), tuple(warnings))


def _pixel_aspect(job: _Job, stream: Any) -> Any:
    """Width of a displayed pixel by its height, None where square."""
    aspect = stream.sample_aspect_ratio
    return 1 / aspect if aspect and job.facts.rotation % 180 else aspect


def _animate(job: _Job, part: Path, path: Path, timeline: Timeline) -> Rendered:
    from ..transcoding.output_file import output_errors
    from ..transcoding.policy import FramePolicy, select_frames
    from ..transcoding.timed_frames import timed_frames
    from ..video.decoding import open_stream
    from ..video.frames import VideoFrames

    selection = select_frames(timeline, FramePolicy(fps=ANIMATION_FPS))
    kept = {index: position for position, index in enumerate(selection.frame_map.source_indices.tolist())}
    warnings = list(timeline.warnings)
    longest_side = job.options.longest_side
    if longest_side is None:
        longest_side = min(ANIMATION_SIDE, max(job.facts.size_px[0] * len(job.fields), job.facts.size_px[1]))
    pane_px = fit_pane(job.facts.size_px, len(job.fields), longest_side, even=False)
    panes = make_panes(job.fields, job.facts.size_px, pane_px, job.options.color_by)
    size_px = (pane_px[0] * len(panes), pane_px[1])

    def samples() -> Iterator[np.ndarray]:
        indices = list(kept)[:: -(-len(kept) // _NUM_SAMPLES)]
        video = VideoFrames(job.facts.path)
        for index in indices:
            yield draw_panes(video.read([index], size_px=pane_px)[0], panes, index, job.options)

    times_s, tick_s = selection.ticks * float(selection.tick_s), float(selection.tick_s)
    with (
        output_errors(part),
        open_stream(job.facts.path, frame_threads=timeline.intact) as (container, stream),
        AnimationWriter(part, path.suffix.lower(), size_px, times_s, selection.end_tick * tick_s, samples()) as writer,
    ):
        stream.codec_context.thread_count = job.threads
        frames = timed_frames(container, stream, timeline, warnings, progress=job.progress, cancelled=job.cancelled)
        for index, frame in enumerate(frames):
            if index in kept:
                writer.write(_drawn(frame, job, panes, pane_px, index), kept[index])
        writer.finish()
    return Rendered(str(path), size_px, len(kept), tuple(warnings))


def _drawn(frame: VideoFrame, job: _Job, panes: Sequence[Pane], pane_px: tuple[int, int], index: int) -> np.ndarray:
    """A decoded frame as the picture that is encoded, with trails: uint8 (H, W, 3) RGB."""
    from ..video.decoding import upright_rgb

    rgb = upright_rgb(frame, pane_px, rotation=job.facts.rotation, mirrored=job.facts.mirrored)
    return np.ascontiguousarray(draw_panes(rgb, panes, index, job.options))


WRITERS: dict[str, Callable[[_Job, Path, Path], Rendered]] = {
    VIDEO: _write_video,
    PICTURE: _write_picture,
    **dict.fromkeys(ANIMATIONS, _write_animation),
}
