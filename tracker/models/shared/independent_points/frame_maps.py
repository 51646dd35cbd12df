"""Feature maps of a clip's frames, in each of the sizes in which they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from .model_sizes import FIRST_SIDE, Size


@dataclass(frozen=True)
class FrameMaps:
    """Maps of T frames in one size.

    Args:
        size: (height, width) of the frames, in pixels
        levels: (T, h, w, C) each, in the network's order
    """

    size: Size
    levels: tuple[Tensor, ...]

    def place(self, level: int, xy: Tensor) -> Tensor:
        """Raster positions of the 256 x 256 frame as those of a level's map; (..., 2) to the same."""
        _, height, width, _ = self.levels[level].shape
        x, y = xy.unbind(dim=-1)  # scaled one by one: a GPU would wait for a tensor of constants
        return torch.stack([x * (width / FIRST_SIDE), y * (height / FIRST_SIDE)], dim=-1)

    def pixels(self, xy: Tensor) -> Tensor:
        """Lengths in pixels of this size as those of the 256 x 256 frame; (..., 2) to the same."""
        height, width = self.size
        x, y = xy.unbind(dim=-1)
        return torch.stack([x * (FIRST_SIDE / width), y * (FIRST_SIDE / height)], dim=-1)

    def frames(self, some: slice) -> FrameMaps:
        """Those of some frames."""
        return FrameMaps(self.size, tuple(level[some] for level in self.levels))


@dataclass(frozen=True)
class Points:
    """Points and the frames in which they are given.

    Args:
        frame: (P,) int64, rows of the maps
        xy: (P, 2) float32, raster positions in the 256 x 256 frame
    """

    frame: Tensor
    xy: Tensor


@dataclass
class Estimate:
    """What is believed of points in frames.

    Args:
        xy: (P, T, 2) float32, raster positions in the 256 x 256 frame
        occlusion: (P, T) float32 logits, high = hidden
        expected_dist: (P, T) float32 logits, high = far off
    """

    xy: Tensor
    occlusion: Tensor
    expected_dist: Tensor


@dataclass(frozen=True)
class Course:
    """How points are tracked.

    Args:
        iterations: refinements in each size
        temperature: of the softmax over the cost volume
        block: points x frames whose surroundings are read at once; changes nothing but rounding
        on_block: called before each block of work; may raise, to end it
        on_estimate: called with what is believed, at first and after each iteration
    """

    iterations: int
    temperature: float
    block: int = 256
    on_block: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    on_estimate: Callable[[Estimate], None] = field(default=lambda _: None, repr=False, compare=False)

    def blocks(self, points: int, frames: int) -> Iterator[tuple[slice, slice]]:
        """Blocks of points and frames that together are all of them."""
        for some in slices(points, max(self.block // max(frames, 1), 1)):
            for few in slices(frames, self.block):
                self.on_block()
                yield some, few


class ClipMaps:
    """The maps of a whole clip, filled frame by frame.

    Args:
        num_frames: of the clip, at most
    """

    def __init__(self, num_frames: int) -> None:
        self._num_frames = num_frames
        self._maps: list[FrameMaps] = []
        self.filled = 0
        """Frames that are there."""

    def append(self, sets: Sequence[FrameMaps]) -> None:
        """Takes the maps of the next n frames, in every size."""
        if not self._maps:
            self._maps = [
                FrameMaps(
                    maps.size,
                    tuple(level.new_empty(self._num_frames, *level.shape[1:]) for level in maps.levels),
                )
                for maps in sets
            ]
        count = len(sets[0].levels[0])
        for stored, new in zip(self._maps, sets, strict=True):
            for into, level in zip(stored.levels, new.levels, strict=True):
                into[self.filled : self.filled + count] = level
        self.filled += count

    @property
    def sets(self) -> list[FrameMaps]:
        """The maps of the frames that are there, by size."""
        return [maps.frames(slice(0, self.filled)) for maps in self._maps]


def slices(total: int, size: int) -> Iterator[slice]:
    """Consecutive pieces of a size, the last maybe shorter."""
    for start in range(0, total, size):
        yield slice(start, min(start + size, total))
