"""The frames of a video, checked against the timeline they are expected to follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from ..errors import Cancelled, VideoError
from ..video.decoding import decode
from .timeline import Timeline

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream


class TimelineError(Exception):
    """Decoding gave other frames than the packets promised: take `timeline.decoded_timeline` instead."""


def timed_frames(
    container: InputContainer,
    stream: VideoStream,
    timeline: Timeline,
    warnings: list[str],
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Iterator[VideoFrame]:
    """Decodes a video to its end.

    Args:
        container: just opened
        stream: its video stream
        timeline: when its frames are shown
        warnings: receives what was found wrong
        progress: called with the share done, from 0 to 1, when a frame was used
        cancelled: asked before each frame; True ends the work

    Yields:
        every frame, in display order

    Raises:
        TimelineError: if the frames are not those of a timeline that was not confirmed
        VideoError: if they are not those of a confirmed one
        Cancelled: if the work was cancelled
    """
    stamps, total, index = timeline.stamps, len(timeline), 0
    found: list[str] = []
    with closing(decode(container, stream, found)) as frames:
        for frame in frames:
            if cancelled is not None and cancelled():
                raise Cancelled("The work on this video was cancelled")
            if index >= total or (stamps is not None and frame.pts != stamps[index]):
                _differs(container, timeline)
            yield frame
            index += 1
            if progress is not None:
                progress(min(index / total, 1.0))
    if index != total or (found and not timeline.confirmed):
        _differs(container, timeline)
    warnings.extend(warning for warning in found if warning not in warnings)


def _differs(container: InputContainer, timeline: Timeline) -> None:
    if not timeline.confirmed:
        raise TimelineError
    path = container.name.removeprefix("file:")
    raise VideoError(f"{path} decodes differently each time it is read. Repair the file, or convert it first")
