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


def frames_at_most(num_frames: int, num_tracks: int) -> int:
    """How many frames to read of a video with so many frames and tracks: all, or at least two, for a way."""
    if num_frames * num_tracks <= MAX_POSITIONS:
        return max(num_frames, 2)
    return max(OVERVIEW_POSITIONS // num_tracks, 2)
