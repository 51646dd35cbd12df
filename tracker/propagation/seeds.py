"""Which points are tracked for a shape."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from ..coordinates import clamped_to_frame, inside_frame
from ..errors import QueryError, ShapeError
from ..types import Queries, Tracks
from .options import PropagationOptions
from .shapes import Box, MaskedBox, PointSet, Polyline, Shape

_FINEST_GRID = 300  # points a side, before those beside the mask are left out
_CENTRE = 0.5  # a box counts pixels from their edges, a point from their centres


@dataclass(frozen=True, eq=False)
class Seeds:
    """Points of one keyframe that are to be tracked.

    Args:
        xy: (N, 2) float64 pixels, inside the frame
        part: (N,) int64: which vertex or point of the shape this is; -1 = none of them
    """

    xy: np.ndarray
    part: np.ndarray

    def __len__(self) -> int:
        return len(self.xy)


def seed_points(shape: Shape, size_px: tuple[int, int], options: PropagationOptions | None = None) -> Seeds:
    """The points that stand for a shape: a grid in a box or mask; vertices and points along lines; points themselves.

    Args:
        shape: of one keyframe
        size_px: (width, height) of the displayed frame
        options: their `points_per_object` says how many, about

    Returns:
        the same points whenever it is asked again

    Raises:
        QueryError: if no part of the shape lies inside the frame
    """
    count = (options or PropagationOptions()).points_per_object
    if isinstance(shape, Polyline):
        xy, part = _on_lines(shape, count)
    elif isinstance(shape, PointSet):
        xy, part = shape.xy, np.arange(len(shape.xy))
    else:
        xy = _in_mask(shape, count) if isinstance(shape, MaskedBox) else _in_box(shape, size_px, count)
        part = np.full(len(xy), -1)
    if isinstance(shape, Box):  # the outermost half pixel of the frame belongs to its last pixel
        nearest = clamped_to_frame(xy, size_px)
        xy = np.where(np.abs(nearest - xy).max(axis=1, keepdims=True) <= _CENTRE, nearest, xy)
    inside = inside_frame(xy, size_px)
    if not inside.any():
        raise QueryError(
            f"No part of the {type(shape).__name__} around {np.round(shape.vector[:2], 1).tolist()} lies inside the "
            f"{size_px[0]} x {size_px[1]} frame. Move it into the frame, or delete the label"
        )
    return Seeds(xy[inside], part[inside])


@dataclass(frozen=True, eq=False)
class SeedQueries:
    """The points of many keyframes as one set of queries: a tracker reads the clip once for all of them.

    Args:
        queries: of all points; track them with `backward=True`
        columns: object and frame index of each keyframe -> its columns in the tracks
    """

    queries: Queries
    columns: dict[tuple[Hashable, int], slice]

    def split(self, tracks: Tracks) -> dict[Hashable, dict[int, Tracks]]:
        """What a tracker said, by object and frame index of the keyframe: what `fill_frames` takes for one object.

        Raises:
            ShapeError: if these are not tracks of the queries
        """
        if tracks.num_points != len(self.queries):
            raise ShapeError(f"Invalid tracks of {tracks.num_points} points. Expected {len(self.queries)}, as queried")
        found: dict[Hashable, dict[int, Tracks]] = {}
        for (name, t), own in self.columns.items():
            parts = (tracks.xy[:, own], tracks.visible[:, own], tracks.confidence[:, own])
            found.setdefault(name, {})[t] = Tracks(*parts)
        return found


def query_seeds(
    shapes: Mapping[tuple[Hashable, int], Shape], size_px: tuple[int, int], options: PropagationOptions | None = None
) -> SeedQueries:
    """The points of many keyframes, of one or more objects.

    Args:
        shapes: object (any name) and frame index of the keyframe -> its shape
        size_px: (width, height) of the displayed frame
        options: as of `seed_points`

    Raises:
        QueryError: if no part of a shape lies inside the frame
    """
    columns, t, xy, start = {}, [], [np.empty((0, 2))], 0
    for (name, frame), shape in shapes.items():
        try:
            seeds = seed_points(shape, size_px, options)
        except QueryError as error:
            raise QueryError(f"Keyframe of {name!r} in frame {frame}: {error}") from error
        columns[name, frame] = slice(start, start + len(seeds))
        start += len(seeds)
        t += [frame] * len(seeds)
        xy.append(seeds.xy)
    return SeedQueries(Queries(np.array(t, dtype=np.int64), np.concatenate(xy)), columns)


def _in_box(box: Box, size_px: tuple[int, int], count: int) -> np.ndarray:
    """Centres of the cells of a square grid over what the frame shows of the box: (g * g, 2)."""
    low = np.clip(box.xyxy[:2], 0, size_px)
    high = np.clip(box.xyxy[2:], 0, size_px)
    places = (np.arange(side := max(round(count**0.5), 1)) + 0.5) / side
    x, y = (low[i] + places * (high[i] - low[i]) - _CENTRE for i in (0, 1))
    xx, yy = np.meshgrid(x, y)
    xy = np.stack([xx, yy], axis=-1).reshape(-1, 2)  # (g * g, 2)
    return xy if (high > low).all() else xy[:0]


def _in_mask(shape: MaskedBox, count: int) -> np.ndarray:
    """About `count` points of a regular grid that lie on the mask, (N, 2)."""
    low, sides = shape.xyxy[:2], shape.xyxy[2:] - shape.xyxy[:2]
    height, width = shape.mask.shape
    spacing = float(np.sqrt(sides.prod() * shape.mask.mean() / count))
    x, y = ((np.arange(n := np.clip(round(sides[i] / spacing), 1, _FINEST_GRID)) + 0.5) / n for i in (0, 1))
    xx, yy = np.meshgrid(x, y)
    places = np.stack([xx, yy], axis=-1).reshape(-1, 2)  # (n, 2), of the unit square
    column, row = (places * [width, height]).astype(int).T
    places = places[shape.mask[row, column]]
    if not count / 2 <= len(places) <= 2 * count:  # thin parts fall through the grid
        row, column = np.nonzero(shape.mask)
        chosen = np.unique(np.linspace(0, len(row) - 1, count).round().astype(int))
        places = (np.stack([column[chosen], row[chosen]], axis=1) + 0.5) / [width, height]
    return low + places * sides - _CENTRE


def _on_lines(shape: Polyline, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All vertices, then points at equal distances along the lines: (N, 2) and (N,)."""
    vertices = shape.vector.reshape(-1, 2)  # (V, 2)
    corners = [np.concatenate([line, line[:1]]) if shape.closed else line for line in shape.lines]
    lengths = np.array([np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in corners])
    between = max(count - len(vertices), 0)
    shares = lengths / max(lengths.sum(), 1e-9)
    extra = [points_along(line, round(between * share)) for line, share in zip(corners, shares, strict=True)]
    xy = np.concatenate([vertices, *extra])
    part = np.full(len(xy), -1)
    part[: len(vertices)] = np.arange(len(vertices))
    return xy, part


def points_along(line: np.ndarray, count: int) -> np.ndarray:
    """Points at equal distances along a line, in the middle of equal pieces of it.

    Args:
        line: (n, 2) pixels
        count: how many

    Returns:
        (count, 2) pixels
    """
    walked = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    places = (np.arange(count) + 0.5) / max(count, 1) * walked[-1]
    return np.stack([np.interp(places, walked, line[:, i]) for i in (0, 1)], axis=1)
