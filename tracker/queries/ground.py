"""Which points that are asked for lie on featureless ground, in the frames they are asked for in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..types import Queries
from .texture import FEATURELESS, scores_at

TextureReader = Callable[[int], np.ndarray]
"""Called with a frame index; gives its `texture_map`."""

# of points in many frames, the frames with the most of them are looked at: reading them must cost little
MOST_FRAMES = 8
# share of the points from which it is worth saying that they lie on featureless ground
_WORTH_SAYING = 0.05


@dataclass(frozen=True)
class Ground:
    """Points on featureless ground, in numbers.

    Args:
        number: of points on it
        of: points that were looked at
    """

    number: int = 0
    of: int = 0

    def __add__(self, other: Ground) -> Ground:
        return Ground(self.number + other.number, self.of + other.of)

    @property
    def is_worth_saying(self) -> bool:
        """Whether they are so many that a user should know."""
        return self.number > 0 and self.number >= _WORTH_SAYING * self.of

    def __str__(self) -> str:
        verb = "lies" if self.number == 1 else "lie"
        return f"{self.number:,} of {self.of:,} point{'' if self.of == 1 else 's'} {verb} on featureless ground"


def featureless_queries(
    queries: Queries, size_px: tuple[int, int], texture_of: TextureReader, most_frames: int = MOST_FRAMES
) -> tuple[np.ndarray, Ground]:
    """Looks at the ground that points are asked for on.

    Args:
        queries: N points
        size_px: (width, height) of the displayed frame
        texture_of: gives the texture of a frame
        most_frames: that are looked at

    Returns:
        (N,) bool, known to lie on featureless ground, and how many these are; points in frames that are not looked at,
        and outside the frame, are not among them
    """
    found = np.zeros(len(queries), dtype=bool)
    frames, counts = np.unique(queries.t, return_counts=True)
    chosen = np.sort(frames[np.argsort(-counts, kind="stable")[:most_frames]])
    for frame_index in chosen:
        here = queries.t == frame_index
        found[here] = scores_at(texture_of(int(frame_index)), queries.xy[here], size_px) < FEATURELESS
    return found, Ground(int(found.sum()), int(np.isin(queries.t, chosen).sum()))
