"""Which points of a keyframe lie on its object, judged by where they are at the other keyframe."""

from __future__ import annotations

import numpy as np

from ..types import Tracks
from .carrying import check_tracks, needed_points
from .options import PropagationOptions, Rules
from .seeds import seed_points
from .shapes import Box, Shape


def own_points(
    shape: Shape,
    other: Shape,
    tracks: Tracks,
    other_t: int,
    size_px: tuple[int, int],
    options: PropagationOptions,
    rules: Rules,
) -> np.ndarray | None:
    """Leaves out points that another thing carried away: the background seen in a box, what passes before it.

    Args:
        shape: of the keyframe that the points start in
        other: of the keyframe they are judged at
        tracks: of the points, T frames
        other_t: frame index of the other keyframe
        size_px: (width, height) of the displayed frame
        options: as the points were made with
        rules: constants

    Returns:
        (N,) bool; None where that cannot be told: no boxes, or too few points at their places
    """
    if not isinstance(shape, Box) or not isinstance(other, Box):
        return None
    seeds = seed_points(shape, size_px, options)
    check_tracks(tracks, seeds, other_t)
    visible = tracks.visible[other_t]
    place = (seeds.xy - shape.xyxy[:2]) / (shape.xyxy[2:] - shape.xyxy[:2])
    place_there = (tracks.xy[other_t].astype(np.float64) - other.xyxy[:2]) / (other.xyxy[2:] - other.xyxy[:2])
    with np.errstate(invalid="ignore"):
        deviation = np.abs(place_there - place).max(axis=1)
        stayed = visible & (deviation <= rules.own_deviation)
    enough = max(needed_points(shape, len(seeds), rules), rules.least_share * visible.sum())
    if stayed.sum() < enough:
        return None
    return stayed
