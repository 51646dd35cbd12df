"""What a file that holds keyframes alone says of the frames between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

import numpy as np

from ...errors import FormatError
from .keyframes import interpolated
from .tracked_shapes import ShapeTrack, TrackedShape


def shown_shapes(track: ShapeTrack, num_frames: int, *, fill: bool) -> Iterator[tuple[TrackedShape, bool]]:
    """The shapes of a track in all frames in which the object is there.

    Between two shapes boxes and single points move in a straight line, as CVAT draws them; lines with as many vertices
    at both ends do so too, others stay as they were. After a shape that nothing follows the object stays to the end.

    Args:
        track: the track
        num_frames: T of the video
        fill: whether frames without a shape are filled; otherwise only the file's own shapes come

    Yields:
        (shape, whether it was filled in), by frame

    Raises:
        FormatError: if an object is there in a frame that the video does not have
    """
    for shape, following in zip_longest(track.shapes, track.shapes[1:]):
        if shape.outside:
            continue
        if shape.frame_index >= num_frames:
            raise FormatError(
                f"Track {track.number} ({track.label!r}) is there in frame {shape.frame_index} (counted from 0), but "
                f"the video has {num_frames} frames. This file is of another video, or of another version of it"
            )
        yield shape, False
        if fill:
            last = num_frames if following is None else min(following.frame_index, num_frames)
            for between, xy in enumerate(_between(shape, following, last), start=shape.frame_index + 1):
                yield replace(shape, frame_index=between, xy=xy, keyframe=False, notes={}), True


def _between(shape: TrackedShape, following: TrackedShape | None, last: int) -> Iterator[np.ndarray]:
    number = last - shape.frame_index - 1
    straight = following is not None and not following.outside and following.xy.shape == shape.xy.shape
    moves = straight and following is not None and following.kind == shape.kind
    if moves and following is not None:
        yield from interpolated(shape.xy, following.xy, following.frame_index - shape.frame_index)[:number]
    else:
        yield from (shape.xy for _ in range(number))
