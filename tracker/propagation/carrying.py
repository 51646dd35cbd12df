"""One keyframe's shape followed through the clip: always straight from that keyframe, never from frame to frame.

A box is moved by the median shift of its points and scaled by the median ratio of their pairwise distances
(MedianFlow: Kalal, Mikolajczyk, Matas, ICPR 2010). The box of a mask goes with the extent of the points on it, the mask
itself with the flow around every pixel. Vertices and points have tracks of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from ..errors import ShapeError
from ..types import Tracks
from .masks import warp_mask
from .motion import median_scale, moved_positions
from .options import PropagationOptions, Rules
from .seeds import Seeds, seed_points
from .shapes import Box, MaskedBox, PointSet, Polyline, Shape

_EXTENT_PERCENTILES = (2, 98)
_NEAREST_PX = 1e-3
_PLACE_DECIMALS = 3


@dataclass(frozen=True, eq=False)
class Carried:
    """A keyframe's shape in every frame.

    Args:
        t: the keyframe's frame index
        vectors: (T, P) float64, the shape's `vector` in every frame; NaN where not known
        enough: (T,) bool, whether enough points are visible to tell
        visible_share: (T,) float64, visible points as a share of those the keyframe began with
        confidence: (T,) float64, visible share times the visible points' mean confidence
        masks: of an instance mask, by frame index, (h, w) bool stretched over the box in that frame
    """

    t: int
    vectors: np.ndarray
    enough: np.ndarray
    visible_share: np.ndarray
    confidence: np.ndarray
    masks: dict[int, np.ndarray] = field(default_factory=dict)


def carry_shape(
    shape: Shape,
    t: int,
    tracks: Tracks,
    size_px: tuple[int, int],
    options: PropagationOptions | None = None,
    rules: Rules | None = None,
    *,
    own: np.ndarray | None = None,
    frames: range | None = None,
    refined: Polyline | None = None,
) -> Carried:
    """Follows one keyframe's shape by the tracks of its points.

    Args:
        shape: of the keyframe
        t: its frame index
        tracks: T frames, of the N points that `seed_points` gives for the same arguments
        size_px: (width, height) of the displayed frame
        options: as the points were made with
        rules: constants
        own: (N,) bool, points that are known to lie on the object; None = all
        frames: those to look at, the keyframe's own among them or not; None = all
        refined: of a polyline, the same lines with more vertices, to carry instead

    Returns:
        the shape in every frame, exact in frame t

    Raises:
        ShapeError: if these are tracks of other points, or of another clip
    """
    options, rules = options or PropagationOptions(), rules or Rules()
    seeds = seed_points(shape, size_px, options)
    check_tracks(tracks, seeds, t)
    chosen = np.ones(len(seeds), bool) if own is None else own
    enough, share, confidence = _seen_shares(shape, tracks, chosen, rules)
    enough[t], share[t], confidence[t] = True, 1.0, 1.0
    asked = frames or range(tracks.num_frames)
    at = [u for u in asked if enough[u] and u != t]
    masks = {}
    if isinstance(shape, Box):
        moves = [(u, seeds.xy[chosen & tracks.visible[u]], _seen_at(tracks, u, chosen)) for u in at]
        vectors = _box_vectors(shape, moves, tracks.num_frames)
        if isinstance(shape, MaskedBox):
            masks = {u: warp_mask(shape, shape.with_vector(vectors[u]), start, now) for u, start, now in moves}
    elif isinstance(shape, PointSet):
        vectors = _point_vectors(shape, tracks, seeds)
    else:
        shape = refined or shape
        vectors = _line_vectors(shape, tracks, seeds, at, rules)
    vectors[t] = shape.vector
    return Carried(t, vectors, enough, share, confidence, masks)


def _seen_shares(
    shape: Shape, tracks: Tracks, chosen: np.ndarray, rules: Rules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether enough of the chosen points are seen, their share, and the confidence in them: (T,) each."""
    visible = tracks.visible[:, chosen]
    count, share = visible.sum(axis=1), visible.mean(axis=1)
    enough = (count >= needed_points(shape, visible.shape[1], rules)) & (share >= rules.least_share)
    sure = np.where(visible, tracks.confidence[:, chosen], 0).mean(axis=1, dtype=np.float64)
    return enough, share, np.where(enough, sure, 0.0)


def _seen_at(tracks: Tracks, t: int, chosen: np.ndarray) -> np.ndarray:
    """(n, 2) float64 positions of the chosen points that are visible."""
    return tracks.xy[t, chosen & tracks.visible[t]].astype(np.float64)


def needed_points(shape: Shape, started: int, rules: Rules) -> int:
    """How many visible points tell where a shape is; of one that began with few, half of them."""
    least = 1 if isinstance(shape, PointSet) else rules.least_points
    return min(least, max((started + 1) // 2, 1))


def check_tracks(tracks: Tracks, seeds: Seeds, t: int) -> None:
    """Refuses tracks that cannot be those of the seeds.

    Raises:
        ShapeError: naming what does not fit
    """
    if tracks.num_points != len(seeds):
        raise ShapeError(
            f"Invalid tracks of {tracks.num_points} points for the keyframe in frame {t}. Expected {len(seeds)}: track "
            "the points that seed_points gives for the same shape, frame size and options"
        )
    if not 0 <= t < tracks.num_frames:
        raise ShapeError(f"Invalid keyframe in frame {t}. The tracks have the frames 0 to {tracks.num_frames - 1}")


def _box_vectors(shape: Box, moves: list[tuple[int, np.ndarray, np.ndarray]], num_frames: int) -> np.ndarray:
    """(T, 4), from where the visible points started and are: (n, 2) each."""
    vectors = np.full((num_frames, 4), np.nan)
    of_frame = _by_extent if isinstance(shape, MaskedBox) else _by_shift_and_scale
    for t, start, now in moves:
        vectors[t] = of_frame(shape, start, now)
    return vectors


def _by_shift_and_scale(shape: Box, start: np.ndarray, now: np.ndarray) -> np.ndarray:
    scale = median_scale(start, now)
    middle = shape.vector[:2]
    # where the box's middle goes, as every point would have it
    votes = now + (middle - start) * scale
    return np.concatenate([np.median(votes, axis=0), shape.vector[2:] + np.log(scale)])


def _by_extent(shape: Box, start: np.ndarray, now: np.ndarray) -> np.ndarray:
    low, high = np.percentile(start, _EXTENT_PERCENTILES, axis=0)
    low_now, high_now = np.percentile(now, _EXTENT_PERCENTILES, axis=0)
    if (high - low < 1).any() or (high_now - low_now < _NEAREST_PX).any():
        return _by_shift_and_scale(shape, start, now)
    scale = (high_now - low_now) / (high - low)
    corners = [low_now + (corner - low) * scale for corner in (shape.xyxy[:2], shape.xyxy[2:])]
    return Box(np.concatenate(corners)).vector


def _point_vectors(shape: PointSet, tracks: Tracks, seeds: Seeds) -> np.ndarray:
    xy = np.full((tracks.num_frames, len(shape.xy), 2), np.nan)
    xy[:, seeds.part] = np.where(tracks.visible[..., None], tracks.xy, np.nan)
    return xy.reshape(tracks.num_frames, -1)  # (T, 2 P)


def _line_vectors(shape: Polyline, tracks: Tracks, seeds: Seeds, at: list[int], rules: Rules) -> np.ndarray:
    vertices = shape.vector.reshape(-1, 2)  # (V, 2)
    vectors = np.full((tracks.num_frames, 2 * len(vertices)), np.nan)
    nearest, has_own = _own_seeds(vertices, seeds)
    diagonal_px = float(np.hypot(*np.ptp(vertices, axis=0)))
    for t in at:
        visible = _without_strays(tracks, seeds, t, rules.astray * diagonal_px)
        xy = moved_positions(vertices, seeds.xy[visible], tracks.xy[t, visible].astype(np.float64))
        tracked = has_own & visible[nearest]
        xy[tracked] = tracks.xy[t, nearest[tracked]]
        vectors[t] = xy.reshape(-1)  # (2 V,)
    return vectors


def _without_strays(tracks: Tracks, seeds: Seeds, t: int, limit_px: float) -> np.ndarray:
    """(N,) bool: the visible points that moved as the line does; one on its edge may stay with what lies behind it."""
    kept = tracks.visible[t].copy()
    start, now = seeds.xy[kept], tracks.xy[t, kept].astype(np.float64)
    moved = now - start * median_scale(start, now)
    kept[kept] = np.linalg.norm(moved - np.median(moved, axis=0), axis=1) <= max(limit_px, _NEAREST_PX)
    return kept if kept.any() else tracks.visible[t]


def _own_seeds(vertices: np.ndarray, seeds: Seeds) -> tuple[np.ndarray, np.ndarray]:
    """For each vertex the seed in its place, (V,), and whether there is one."""
    at = {tuple(xy): n for n, xy in reversed(list(enumerate(np.round(seeds.xy, _PLACE_DECIMALS).tolist())))}
    found = np.array([at.get(tuple(xy), -1) for xy in np.round(vertices, _PLACE_DECIMALS).tolist()])
    return found, found >= 0


def carried_shape(shape: Shape, carried: Carried, t: int) -> Shape:
    """The shape in one frame, with its mask; only where `carried.enough`."""
    moved = shape.with_vector(carried.vectors[t])
    return replace(moved, mask=carried.masks[t]) if isinstance(moved, MaskedBox) and t in carried.masks else moved
