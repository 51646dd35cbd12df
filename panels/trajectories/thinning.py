"""What is left out where a video holds more than can be drawn: tracks, then frames, evenly."""

from __future__ import annotations

import numpy as np

MAX_TRACKS = 500
# positions that are read whole; of more an overview is read, as the exact ones come around the playhead alone
MAX_POSITIONS = 150_000
OVERVIEW_POSITIONS = 40_000


def even_choice(number: int, at_most: int) -> np.ndarray:
    """Chooses some of a row of things, evenly, with the first and the last among them.

    Args:
        number: of the things
        at_most: how many to choose, at least 1

    Returns:
        (K,) int, increasing places; all of them where that is not too many
    """
    if number <= at_most:
        return np.arange(number)
    return np.unique(np.linspace(0, number - 1, at_most).round().astype(np.int64))


def parts_of(number: int, at_most: int) -> int:
    """Into how many parts of at most so many, at least 1, a row of things is to be divided; 1 where there are none."""
    return max(-(-number // at_most), 1)


def even_part(number: int, num_parts: int, part: int) -> np.ndarray:
    """One of some parts of a row of things; each is spread evenly over all of them.

    Args:
        number: of the things
        num_parts: from `parts_of`
        part: from 0; of a larger one the last is taken

    Returns:
        (K,) int, increasing places
    """
    return np.arange(min(part, num_parts - 1), number, num_parts)


def frames_at_most(num_frames: int, num_tracks: int) -> int:
    """How many frames to read of a video with so many frames and tracks: all, or at least two, for a way."""
    if num_frames * num_tracks <= MAX_POSITIONS:
        return max(num_frames, 2)
    return max(OVERVIEW_POSITIONS // num_tracks, 2)
