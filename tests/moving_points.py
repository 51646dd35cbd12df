"""Tracks of points that move as a test says, for shapes that are carried by them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from point_tracking.tracker.propagation import Keyframe, PropagationOptions, Shape, seed_points
from point_tracking.tracker.types import Tracks

SIZE_PX = (320, 240)
Kind = TypeVar("Kind")


def as_kind(kind: type[Kind], value: object) -> Kind:
    """The value, which is of that type."""
    assert isinstance(value, kind), type(value)
    return value


def tracks_of(xy: np.ndarray, hidden: np.ndarray | None = None) -> Tracks:
    """Perfectly sure tracks (T, N, 2), hidden where told."""
    hidden = np.zeros(xy.shape[:2], bool) if hidden is None else hidden
    return Tracks(np.where(hidden[..., None], np.nan, xy), ~hidden, np.where(hidden, 0.0, 1.0))


def slid_tracks(
    keyframes: list[Keyframe],
    num_frames: int,
    step_px: tuple[float, float] = (0, 0),
    *,
    hidden_from: int | None = None,
    options: PropagationOptions | None = None,
) -> dict[int, Tracks]:
    """Tracks of every keyframe's seeds that slide by as much each frame, hidden so many frames away from it."""
    found = {}
    for one in keyframes:
        if one.shape is not None:
            seeds = seed_points(one.shape, SIZE_PX, options).xy
            away = np.arange(num_frames) - one.t
            xy = seeds[None] + away[:, None, None] * np.array(step_px)
            hidden = None
            if hidden_from is not None:
                hidden = np.broadcast_to((np.abs(away) >= hidden_from)[:, None], xy.shape[:2])
            found[one.t] = tracks_of(xy, hidden)
    return found


def moved(shape: Shape, by_px: tuple[float, float]) -> Shape:
    """The shape, so many pixels away."""
    vector = shape.vector.copy()
    if len(vector) == 4 and hasattr(shape, "xyxy"):
        vector[:2] += by_px
    else:
        vector = (vector.reshape(-1, 2) + by_px).reshape(-1)  # (2 V,)
    return shape.with_vector(vector)
