"""What a person said of one object, and the stretches of frames between."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..errors import OptionError, QueryError
from .options import DIRECTIONS, Rules
from .shapes import MaskedBox, Polyline, Shape, check_same_kind


@dataclass(frozen=True, eq=False)
class Keyframe:
    """One object in one frame, as a person or model drew it.

    Args:
        t: frame index, from 0
        shape: None = the object is gone (`outside`): no direction passes this frame

    Raises:
        QueryError: if the frame index is no whole number from 0
    """

    t: int
    shape: Shape | None

    def __post_init__(self) -> None:
        if isinstance(self.t, bool) or not isinstance(self.t, int | np.integer) or self.t < 0:
            raise QueryError(f"Invalid keyframe in frame {self.t!r}. Expected a whole number; the first frame is 0")
        object.__setattr__(self, "t", int(self.t))


@dataclass(frozen=True)
class Stretch:
    """Frames without a keyframe, and the keyframes that decide about them.

    Args:
        first, last: frame indices, both included
        before: frame index of the keyframe whose shape is carried forward into it, or None
        after: of the one carried backward into it, or None
    """

    first: int
    last: int
    before: int | None
    after: int | None

    @property
    def sources(self) -> tuple[int, ...]:
        """Frame indices of the keyframes, one or two."""
        return tuple(t for t in (self.before, self.after) if t is not None)

    @property
    def span(self) -> tuple[int, int]:
        """First and last frame index, both included, in which points must be tracked to fill it."""
        return min(self.first, *self.sources), max(self.last, *self.sources)

    def shifted(self, frames: int) -> Stretch:
        """The same stretch of a clip that begins so many frames earlier; negative: later."""
        before, after = (None if t is None else t + frames for t in (self.before, self.after))
        return Stretch(self.first + frames, self.last + frames, before, after)


def sorted_keyframes(keyframes: Sequence[Keyframe], num_frames: int) -> list[Keyframe]:
    """The keyframes of one object in order of time.

    Raises:
        QueryError: if two are in one frame, or one lies past the end
        ShapeError: if their shapes cannot be those of one object
    """
    ordered = sorted(keyframes, key=lambda one: one.t)
    for one, following in pairwise(ordered):
        if one.t == following.t:
            raise QueryError(f"Two keyframes of one object are in frame {one.t}. Delete one of them")
    if ordered and ordered[-1].t >= num_frames:
        raise QueryError(
            f"A keyframe is in frame {ordered[-1].t}, but the video has {num_frames} frames "
            f"(allowed are 0 to {num_frames - 1})"
        )
    check_same_kind([one.shape for one in ordered if one.shape is not None])
    return ordered


def find_stretches(keyframes: Sequence[Keyframe], num_frames: int, direction: str = "both") -> list[Stretch]:
    """The stretches of one object that can be filled, in order of time.

    Args:
        keyframes: in any order
        num_frames: T
        direction: see `PropagationOptions`

    Returns:
        stretches with at least one frame and one shape beside them. Between two shapes both are named, whatever the
        direction: no path passes a keyframe, and where no points are seen the other end is known all the same

    Raises:
        QueryError, ShapeError: as of `sorted_keyframes`
        OptionError: for an unknown direction
    """
    if direction not in DIRECTIONS:
        raise OptionError(f"Invalid direction ({direction!r}). Supported values are {', '.join(DIRECTIONS)}")
    ordered = sorted_keyframes(keyframes, num_frames)
    stretches = []
    for one, following in zip([None, *ordered], [*ordered, None], strict=True):
        first, last = one.t + 1 if one else 0, following.t - 1 if following else num_frames - 1
        before = one.t if one and one.shape is not None else None
        after = following.t if following and following.shape is not None else None
        if before is None or after is None:
            before = None if direction == "backward" else before
            after = None if direction == "forward" else after
        if first <= last and (before is not None or after is not None):
            stretches.append(Stretch(first, last, before, after))
    return stretches


def digest_stretch(stretch: Stretch, keyframes: Sequence[Keyframe], made_with: Mapping[str, Any]) -> str:
    """A fingerprint of all that a stretch is computed from: equal = need not be computed again.

    Args:
        stretch: of `find_stretches` for these keyframes
        keyframes: of the object, in any order
        made_with: tracker name and options, propagation options, identity of the video; values with a stable `repr`

    Returns:
        64 hexadecimal digits
    """
    shapes = {one.t: one.shape for one in keyframes}
    digest = hashlib.sha256()
    digest.update(repr(Rules()).encode())
    digest.update(repr((stretch.first, stretch.last, stretch.before, stretch.after)).encode())
    for name in sorted(made_with):
        digest.update(f"{name}={made_with[name]!r};".encode())
    for t in stretch.sources:
        shape = shapes[t]
        assert shape is not None
        digest.update(f"{t}:{type(shape).__name__}".encode())
        # stored positions come back from the database a rounding error away
        digest.update((np.round(shape.vector, 6) + 0.0).tobytes())
        if isinstance(shape, MaskedBox):
            digest.update(f"{shape.mask.shape}".encode())
            digest.update(np.packbits(shape.mask).tobytes())
        if isinstance(shape, Polyline):
            digest.update(f"{[len(line) for line in shape.lines]}{shape.closed}".encode())
    return digest.hexdigest()
