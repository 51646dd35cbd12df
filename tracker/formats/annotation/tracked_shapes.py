"""What annotation programs keep of a video: shapes of objects, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal, get_args

import numpy as np

from ...errors import FormatError, ShapeError

ShapeKind = Literal["box", "polyline", "polygon", "points"]
KINDS: tuple[str, ...] = get_args(ShapeKind)
Value = str | int | float | bool


@dataclass(frozen=True, eq=False)
class TrackedShape:
    """An object in one frame.

    Args:
        frame_index: from 0
        kind: "box" (its two corners), "polyline", "polygon" or "points"
        xy: (K, 2) float64 pixels, all finite
        outside: the object is not there from this frame on, until its next shape; its position says nothing
        occluded: it is there, but hidden by something
        keyframe: somebody placed it here; otherwise it lies between keyframes
        attributes: what else is said of it, by name
        notes: what the program has no place for, kept for the way back; plain values

    Raises:
        ShapeError: for an unknown kind, positions that are no finite pairs, or a box that is not two corners
    """

    frame_index: int
    kind: ShapeKind
    xy: np.ndarray
    outside: bool = False
    occluded: bool = False
    keyframe: bool = True
    attributes: Mapping[str, Value] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ShapeError(f"Invalid kind of shape ({self.kind!r}). Supported values are {', '.join(KINDS)}")
        xy = np.array(self.xy, dtype=np.float64)
        if xy.ndim != 2 or xy.shape[1] != 2 or not len(xy):
            raise ShapeError(f"Invalid positions of shape {xy.shape}. Expected (K, 2): x, y in pixels")
        if not np.isfinite(xy).all():
            raise ShapeError(f"A shape in frame {self.frame_index} has positions that are no finite numbers")
        if self.kind == "box" and len(xy) != 2:
            raise ShapeError(f"A box has two corners, found {len(xy)}")
        xy.flags.writeable = False
        object.__setattr__(self, "xy", xy)


@dataclass(frozen=True, eq=False)
class ShapeTrack:
    """One object and its shapes.

    Args:
        number: what the file calls it; no two tracks of a file share one
        label: what it is
        shapes: of growing frames
        source: "manual", or what else made it
    """

    number: int
    label: str
    shapes: tuple[TrackedShape, ...]
    source: str = "manual"

    def __post_init__(self) -> None:
        frames = [shape.frame_index for shape in self.shapes]
        if any(later <= earlier for earlier, later in pairwise(frames)):
            raise ShapeError(f"The shapes of track {self.number} are not in the order of their frames, one per frame")

    def shifted(self, frames: int) -> ShapeTrack:
        """The same track so many frames later; earlier where negative.

        Raises:
            FormatError: if it would begin before frame 0
        """
        if not frames:
            return self
        if self.shapes and self.shapes[0].frame_index + frames < 0:
            raise FormatError(
                f"Track {self.number} ({self.label!r}) begins in frame {self.shapes[0].frame_index}, and the first "
                f"frame of the video is said to be {-frames}. Give another frame_offset"
            )
        shapes = tuple(replace(shape, frame_index=shape.frame_index + frames) for shape in self.shapes)
        return replace(self, shapes=shapes)

    @property
    def notes(self) -> Mapping[str, Any]:
        """What is noted of the whole track: it stands at its first shape, as `track`."""
        found = self.shapes[0].notes.get("track") if self.shapes else None
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class AnnotatedVideo:
    """What a file says of its video.

    Args:
        name: of the video or task
        num_frames: None where it is not said
        size_px: (width, height) of the displayed frame
    """

    name: str
    num_frames: int | None
    size_px: tuple[int, int]
