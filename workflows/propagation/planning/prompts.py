"""What is carried: the shapes of an object's prompts, and the frames that a run is about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ....store.labels.shapes import shape_of
from ....tracker.coordinates import frame_index_of, frame_number_of
from ....tracker.errors import PointTrackingError
from ....tracker.propagation import Box, Keyframe, MaskedBox
from ..options import PropagateOptions


@dataclass(frozen=True)
class Clip:
    """What the labels belong to.

    Args:
        sample_id: of the sample
        size_px: (width, height) of the displayed frame
        num_frames: T
    """

    sample_id: str
    size_px: tuple[int, int]
    num_frames: int


def keyframes_of(
    prompts: Mapping[int, Mapping[str, Any]], name: str, clip: Clip, warnings: list[str]
) -> list[Keyframe]:
    """The shapes of an object's prompts; one that says nothing of where the object is, is left out.

    Args:
        prompts: frame index -> label as it is stored
        name: of the object, for the warnings
        clip: that they are of
        warnings: receives what was left out, in words

    Returns:
        in order of time
    """
    keyframes = []
    for t, document in sorted(prompts.items()):
        if t >= clip.num_frames:
            warnings.append(
                f"the label {name!r} in frame {frame_number_of(t)} is left out: the video ends with frame "
                f"{clip.num_frames}"
            )
            continue
        try:
            shape = None if document.get("outside") is True else shape_of(document, clip.size_px)
        except PointTrackingError as error:
            warnings.append(f"the label {name!r} in frame {frame_number_of(t)} is left out: {error}")
            continue
        keyframes.append(Keyframe(t, shape))
    return _as_boxes(keyframes, name, warnings)


def _as_boxes(keyframes: list[Keyframe], name: str, warnings: list[str]) -> list[Keyframe]:
    """Keyframes of an object that has a mask in some of them only, without their masks."""
    kinds = {type(keyframe.shape) for keyframe in keyframes if keyframe.shape is not None}
    if kinds != {Box, MaskedBox}:
        return keyframes
    bare = [keyframe for keyframe in keyframes if type(keyframe.shape) is Box]
    warnings.append(
        f"{name!r} is carried as a box: {len(bare)} of its {len(keyframes)} keyframes have no instance mask, such as "
        f"that in frame {frame_number_of(bare[0].t)}"
    )
    return [
        Keyframe(keyframe.t, Box(keyframe.shape.xyxy)) if isinstance(keyframe.shape, MaskedBox) else keyframe
        for keyframe in keyframes
    ]


def frames_to_fill(options: PropagateOptions, clip: Clip) -> tuple[int, int]:
    """First and last frame index that are filled."""
    if options.frames is None:
        return 0, clip.num_frames - 1
    first, last = (frame_index_of(number) for number in options.frames)
    return first, min(last, clip.num_frames - 1)
