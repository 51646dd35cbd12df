"""The shapes that can be carried, in pixels, and how they are read as numbers that can be shifted and averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np

from ..arrays import detached
from ..errors import MaskError, ShapeError

BoxT = TypeVar("BoxT", bound="Box")
ShapeT = TypeVar("ShapeT", bound="Box | Polyline | PointSet")

_LEAST_SIDE_PX = 1e-6
_LEAST_VISIBLE_PX = 1.0  # of a side, in the frame


def _numbers(values: object, what: str) -> np.ndarray:
    try:
        return np.array(detached(values), dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"Invalid {what} ({values!r}). Expected numbers, in pixels") from error


@dataclass(frozen=True, eq=False)
class Box:
    """An upright box.

    Args:
        xyxy: (4,) float64 pixels: left, top, right, bottom; may reach beyond the frame

    Raises:
        ShapeError: unless these are four finite numbers that enclose an area
    """

    xyxy: np.ndarray

    def __post_init__(self) -> None:
        xyxy = _numbers(self.xyxy, "box")
        if xyxy.shape != (4,):
            raise ShapeError(f"Invalid box of shape {xyxy.shape}. Expected (4,): left, top, right, bottom in pixels")
        if not np.isfinite(xyxy).all():
            raise ShapeError(f"Invalid box {xyxy.tolist()}. All four sides must be finite numbers")
        if (xyxy[2:] - xyxy[:2] < _LEAST_SIDE_PX).any():
            raise ShapeError(
                f"Invalid box {xyxy.tolist()}: it has no area. Draw it again, or delete the label in this frame"
            )
        object.__setattr__(self, "xyxy", xyxy)

    @property
    def vector(self) -> np.ndarray:
        """(4,): x and y of the middle, logarithms of width and height."""
        sides = self.xyxy[2:] - self.xyxy[:2]
        return np.concatenate([self.xyxy[:2] + sides / 2, np.log(sides)])

    def with_vector(self: BoxT, vector: np.ndarray) -> BoxT:
        """The same kind of shape from numbers as `vector` gives them."""
        half = np.maximum(np.exp(vector[2:]), 2 * _LEAST_SIDE_PX) / 2
        return replace(self, xyxy=np.concatenate([vector[:2] - half, vector[:2] + half]))


@dataclass(frozen=True, eq=False)
class MaskedBox(Box):
    """A box and which part of it is the object.

    Args:
        xyxy: as of `Box`
        mask: (h, w) bool of any resolution, stretched over the box

    Raises:
        ShapeError: as of `Box`
        MaskError: if the mask is not two-dimensional or selects nothing
    """

    mask: np.ndarray

    def __post_init__(self) -> None:
        super().__post_init__()
        mask = np.asarray(detached(self.mask))
        if mask.ndim != 2 or 0 in mask.shape:
            raise MaskError(f"Invalid instance mask of shape {mask.shape}. Expected (height, width)")
        mask = mask != 0
        if not mask.any():
            raise MaskError(
                "The instance mask is empty. Draw the object in it, or remove the mask: the box alone will do"
            )
        object.__setattr__(self, "mask", mask)


@dataclass(frozen=True, eq=False)
class Polyline:
    """One or more lines or outlines.

    Args:
        lines: (n, 2) float64 pixels each, at least two points a line
        closed: whether the last point of each line is joined to its first

    Raises:
        ShapeError: if there is no line, or one has fewer than two points or a position that is no finite number
    """

    lines: tuple[np.ndarray, ...]
    closed: bool = False

    def __post_init__(self) -> None:
        lines = tuple(_numbers(line, "polyline") for line in self.lines)
        if not lines:
            raise ShapeError("Invalid polyline without points. Draw it again, or delete the label in this frame")
        for line in lines:
            if line.ndim != 2 or line.shape[1] != 2:
                raise ShapeError(f"Invalid line of shape {line.shape}. Expected (n, 2): x, y in pixels")
            if len(line) < 2:
                raise ShapeError("Invalid line of one point. A polyline needs two; use a keypoint for a single point")
            if not np.isfinite(line).all():
                raise ShapeError(f"Invalid line {line.tolist()}. All positions must be finite numbers")
        object.__setattr__(self, "lines", lines)

    @property
    def vector(self) -> np.ndarray:
        """(2 V,): x, y of all vertices."""
        return np.concatenate(self.lines).reshape(-1)  # (2 V,)

    def with_vector(self, vector: np.ndarray) -> Polyline:
        """The same kind of shape from numbers as `vector` gives them."""
        ends = np.cumsum([len(line) for line in self.lines])[:-1]
        return replace(self, lines=tuple(np.split(vector.reshape(-1, 2), ends)))  # (V, 2)


@dataclass(frozen=True, eq=False)
class PointSet:
    """The points of a keypoint label, in the order of its skeleton.

    Args:
        xy: (P, 2) float64 pixels; NaN = not known in this frame

    Raises:
        ShapeError: if the array has another shape, holds infinite numbers, or knows no point at all
    """

    xy: np.ndarray

    def __post_init__(self) -> None:
        xy = _numbers(self.xy, "keypoint")
        if xy.ndim != 2 or xy.shape[1] != 2:
            raise ShapeError(f"Invalid points of shape {xy.shape}. Expected (P, 2): x, y in pixels")
        xy[np.isnan(xy).any(axis=1)] = np.nan
        if np.isinf(xy).any():
            raise ShapeError(f"Invalid points {xy.tolist()}. Positions must be finite, or NaN where not known")
        if not np.isfinite(xy).any():
            raise ShapeError("Invalid keypoint: none of its points has a position. Place one, or delete the label")
        object.__setattr__(self, "xy", xy)

    @property
    def vector(self) -> np.ndarray:
        """(2 P,): x, y of all points."""
        return self.xy.reshape(-1)  # (2 P,)

    def with_vector(self, vector: np.ndarray) -> PointSet:
        """The same kind of shape from numbers as `vector` gives them."""
        return replace(self, xy=vector.reshape(-1, 2))  # (P, 2)


Shape: TypeAlias = Box | MaskedBox | Polyline | PointSet


def extent(shape: Shape) -> np.ndarray:
    """The (4,) box around a shape: left, top, right, bottom in pixels."""
    if isinstance(shape, Box):
        return shape.xyxy
    xy = shape.vector.reshape(-1, 2)  # (V, 2)
    return np.concatenate([np.nanmin(xy, axis=0), np.nanmax(xy, axis=0)])


def box_iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes, (4,) each: left, top, right, bottom."""
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    shared = float(sides.prod())
    return shared / float((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared)


def agreement(shape: Shape, other: Shape) -> float:
    """How alike two shapes of one kind and length are.

    Returns:
        0 to 1: IoU of boxes; of points, falling with their mean distance as a share of the extent
    """
    if isinstance(shape, Box) and isinstance(other, Box):
        return box_iou(shape.xyxy, other.xyxy)
    distances = np.linalg.norm((shape.vector - other.vector).reshape(-1, 2), axis=1)  # (V, 2) -> (V,)
    known = np.isfinite(distances)
    if not known.any():
        return 0.0
    box = extent(other)
    size_px = max(float(np.hypot(*(box[2:] - box[:2]))), 1.0)
    return 1.0 / (1.0 + float(distances[known].mean()) / (_POINT_SCALE * size_px))


# a mean distance of this share of a shape's diagonal counts as an IoU of one half
_POINT_SCALE = 0.25


def check_same_kind(shapes: Sequence[Shape]) -> None:
    """Refuses shapes that cannot be those of one object.

    Raises:
        ShapeError: for different kinds, keypoints of different length, or polylines of different numbers of lines
    """
    kinds = sorted({type(shape).__name__ for shape in shapes})
    if len(kinds) > 1:
        raise ShapeError(f"The keyframes of one object have different shapes: {', '.join(kinds)}. Expected one kind")
    lengths = {len(shape.xy) for shape in shapes if isinstance(shape, PointSet)}
    if len(lengths) > 1:
        raise ShapeError(
            f"The keyframes of one object have different numbers of points: {sorted(lengths)}. Give all of them the "
            "same length; a point that is not known has the position NaN"
        )
    lines = [shape for shape in shapes if isinstance(shape, Polyline)]
    counts, closed = {len(shape.lines) for shape in lines}, {shape.closed for shape in lines}
    if len(counts) > 1 or len(closed) > 1:
        raise ShapeError(
            f"The keyframes of one object have different polylines: {sorted(counts)} lines, closed {sorted(closed)}. "
            "Expected the same number of lines, all closed or all open"
        )


def clip_to_frame(shape: ShapeT, size_px: tuple[int, int]) -> ShapeT | None:
    """What the frame shows of a box, with its mask; other shapes stay as they are.

    Args:
        shape: in pixels
        size_px: (width, height) of the displayed frame

    Returns:
        None where nothing is left of it
    """
    if not isinstance(shape, Box):
        return shape
    xyxy = np.clip(shape.xyxy, 0, np.array([*size_px, *size_px], dtype=np.float64))
    if (xyxy[2:] - xyxy[:2] < _LEAST_VISIBLE_PX).any():
        return None
    if (xyxy == shape.xyxy).all():
        return shape
    if not isinstance(shape, MaskedBox):
        return replace(shape, xyxy=xyxy)
    sides = shape.xyxy[2:] - shape.xyxy[:2]
    counts = np.array(shape.mask.shape[::-1])
    low = np.floor((xyxy[:2] - shape.xyxy[:2]) / sides * counts + 0.5).astype(int)
    high = np.ceil((xyxy[2:] - shape.xyxy[:2]) / sides * counts - 0.5).astype(int)
    low = np.clip(low, 0, counts - 1)
    high = np.maximum(np.minimum(high, counts), low + 1)
    mask = shape.mask[low[1] : high[1], low[0] : high[0]]
    return replace(shape, xyxy=xyxy, mask=mask) if mask.any() else None
