"""What is left out where a video holds more than can be drawn: tracks, then frames, evenly."""

from __future__ import annotations

import numpy as np

MAX_TRACKS = 500
MAX_POSITIONS = 100_000


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


def frames_at_most(num_tracks: int) -> int:
    """How many frames of so many tracks are read: at least two, so that there is a way."""
    return max(MAX_POSITIONS // max(num_tracks, 1), 2)
