"""The three values that travel between the parts of the package.

All are frozen, check their own shapes, and hold read-only numpy arrays.
Pixel (0, 0) is the centre of the top-left pixel; the order is always (t, x, y).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from .arrays import detached
from .errors import EmptyQueriesError, OutsideVideoError, QueryError, ShapeError

QueryOrigin = Literal["grid", "masked_grid", "points", "dense"]
ORIGINS: tuple[str, ...] = get_args(QueryOrigin)

# Confidence may leave [0, 1] by this much through rounding before it is refused.
_CONFIDENCE_SLACK = 1e-5


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _names(values: Sequence[Any] | np.ndarray | None, kind: type, num_points: int, called: str) -> np.ndarray | None:
    """What points are called, (N,) of objects; None where no point is called anything."""
    if values is None:
        return None
    plain = [value.item() if isinstance(value, np.generic) else value for value in values]
    if len(plain) != num_points:
        raise ShapeError(f"{len(plain)} {called} were given for {num_points} points. Expected one per point, or None")
    wrong = [value for value in plain if value is not None and (not isinstance(value, kind) or isinstance(value, bool))]
    if wrong:
        raise ShapeError(f"Invalid {called} ({wrong[0]!r}). Expected {kind.__name__} or None for each point")
    if all(value is None for value in plain):
        return None
    names = np.empty(num_points, dtype=object)
    names[:] = plain
    return _read_only(names)


@dataclass(frozen=True, eq=False)
class Queries:
    """Points to track, each from one frame of the video.

    Args:
        t: (N,) int, frame index (from 0) in which the point is given
        xy: (N, 2) float64, pixels of the displayed frame
        origin: where the points come from; decides about support points
        labels: (N,) str or None, what each point is called; None where none is called anything
        objects: (N,) int or None, the index of the object each point is on; None where none is known

    Raises:
        ShapeError: if the arrays do not have these shapes
        QueryError: for NaN or infinite positions, or negative frame indices
    """

    t: np.ndarray
    xy: np.ndarray
    origin: QueryOrigin = "points"
    labels: np.ndarray | None = None
    objects: np.ndarray | None = None

    def __post_init__(self) -> None:
        xy = np.array(detached(self.xy), dtype=np.float64)
        if xy.size == 0:
            xy = xy.reshape(0, 2)
        t_given = np.asarray(detached(self.t))
        if t_given.size == 0:
            t_given = t_given.reshape(0)
        if xy.ndim != 2 or xy.shape[1] != 2:
            raise ShapeError(f"Invalid query positions of shape {xy.shape}. Expected (N, 2): x, y in pixels")
        if t_given.shape != (len(xy),):
            raise ShapeError(f"Invalid query frames of shape {t_given.shape}. Expected ({len(xy)},), one per position")
        if self.origin not in ORIGINS:
            raise ShapeError(f"Invalid origin ({self.origin!r}). Supported values are {', '.join(ORIGINS)}")
        bad = np.flatnonzero(~np.isfinite(xy).all(axis=1))
        if bad.size:
            raise QueryError(f"Query {bad[0]} has the position {xy[bad[0]].tolist()}. Positions must be finite numbers")
        if t_given.dtype.kind == "f":
            finite = np.isfinite(t_given)
            if not finite.all() or (t_given != np.floor(t_given)).any():
                raise QueryError("Query frame indices must be whole numbers (frame 0 is the first)")
        elif t_given.dtype.kind not in "iu":
            raise QueryError(f"Query frame indices must be whole numbers, found the type {t_given.dtype}")
        t = t_given.astype(np.int64)
        if (t < 0).any():
            raise QueryError(f"Query frame index {int(t.min())} is negative. The first frame has the index 0")
        object.__setattr__(self, "t", _read_only(t))
        object.__setattr__(self, "xy", _read_only(xy))
        object.__setattr__(self, "labels", _names(self.labels, str, len(t), "labels"))
        object.__setattr__(self, "objects", _names(self.objects, int, len(t), "objects"))

    def __len__(self) -> int:
        return len(self.t)

    def chosen(self, columns: np.ndarray) -> Queries:
        """Some of these queries.

        Args:
            columns: (K,) int, or (N,) bool
        """
        labels, objects = (
            None if names is None else np.asarray(names)[columns] for names in (self.labels, self.objects)
        )
        return replace(self, t=self.t[columns], xy=self.xy[columns], labels=labels, objects=objects)

    def require_any(self, message: str) -> Queries:
        """These queries, if there are any.

        Raises:
            EmptyQueriesError: with that message
        """
        if not len(self):
            raise EmptyQueriesError(message)
        return self

    def check_inside(self, size_px: tuple[int, int], num_frames: int | None = None) -> None:
        """Checks that every query lies in the video.

        Args:
            size_px: (width, height) of the displayed frame
            num_frames: frames of the video, or None where not known yet

        Raises:
            OutsideVideoError: naming the first query outside the frame or past the end
        """
        width, height = size_px
        x, y = self.xy[:, 0], self.xy[:, 1]
        outside = np.flatnonzero((x < 0) | (y < 0) | (x > width - 1) | (y > height - 1))
        if outside.size:
            n = outside[0]
            raise OutsideVideoError(
                f"Query {n} at ({x[n]:g}, {y[n]:g}) lies outside the {width} x {height} frame. "
                f"Allowed are 0 <= x <= {width - 1} and 0 <= y <= {height - 1} pixels"
            )
        if num_frames is not None and len(self) and int(self.t.max()) >= num_frames:
            n = int(self.t.argmax())
            raise OutsideVideoError(
                f"Query {n} is in frame {int(self.t[n])}, but the video has {num_frames} frames "
                f"(allowed are 0 to {num_frames - 1})"
            )


@dataclass(frozen=True, eq=False)
class Tracks:
    """Where every point is in every frame.

    Args:
        xy: (T, N, 2) float32, pixels of the given frames; NaN only where not visible
        visible: (T, N) bool
        confidence: (T, N) float32 in [0, 1]; 0 where xy is NaN

    Raises:
        ShapeError: if shapes disagree, confidence leaves [0, 1] or a visible
            point has no position
    """

    xy: np.ndarray
    visible: np.ndarray
    confidence: np.ndarray
    info: dict[str, Any] = field(default_factory=dict, repr=False)
    """What the tracker reports about this run (chunk sizes, warnings); never read by the writer."""
    labels: np.ndarray | None = None
    """(N,) str or None, what each point is called, as its query was; None where none is called anything."""
    objects: np.ndarray | None = None
    """(N,) int or None, the index of the object each point is on; None where none is known."""

    def __post_init__(self) -> None:
        xy = np.asarray(detached(self.xy), dtype=np.float32)
        if xy.ndim != 3 or xy.shape[2] != 2:
            raise ShapeError(f"Invalid xy of shape {xy.shape}. Expected (T, N, 2)")
        visible = np.asarray(detached(self.visible))
        if visible.dtype.kind in "iu" and visible.size and visible.min() >= 0 and visible.max() <= 1:
            visible = visible.astype(bool)
        if visible.dtype != bool and visible.size:
            raise ShapeError(f"Invalid visible of type {visible.dtype}. Expected bool: apply the threshold first")
        visible = visible.astype(bool)
        confidence = np.asarray(detached(self.confidence), dtype=np.float32)
        expected = xy.shape[:2]
        for name, array in (("visible", visible), ("confidence", confidence)):
            if array.shape != expected:
                raise ShapeError(f"Invalid {name} of shape {array.shape}. Expected {expected}, as xy has")
        if confidence.size:
            low, high = float(confidence.min()), float(confidence.max())
            # written so that NaN is refused too
            if not (low >= -_CONFIDENCE_SLACK and high <= 1 + _CONFIDENCE_SLACK):
                raise ShapeError(f"Invalid confidence from {low:g} to {high:g}. Expected finite numbers in [0, 1]")
            if low < 0 or high > 1:
                confidence = np.clip(confidence, 0, 1)
        unknown = ~np.isfinite(xy).all(axis=2)
        if (unknown & visible).any():
            t, n = np.argwhere(unknown & visible)[0]
            raise ShapeError(f"Point {n} is visible in frame {t}, but its position is {xy[t, n].tolist()}")
        if (confidence[unknown] != 0).any():
            raise ShapeError("Confidence must be 0 where the position is unknown (NaN)")
        object.__setattr__(self, "xy", _read_only(xy))
        object.__setattr__(self, "visible", _read_only(visible))
        object.__setattr__(self, "confidence", _read_only(confidence))
        object.__setattr__(self, "labels", _names(self.labels, str, xy.shape[1], "labels"))
        object.__setattr__(self, "objects", _names(self.objects, int, xy.shape[1], "objects"))

    @property
    def num_frames(self) -> int:
        return self.xy.shape[0]

    @property
    def num_points(self) -> int:
        return self.xy.shape[1]


@dataclass(frozen=True, eq=False)
class FrameMap:
    """Which frames of a source video a sampled clip is made of.

    Args:
        source_indices: (S,) int, strictly increasing frame indices (from 0) of
            the source; entry s is the source frame that sampled frame s shows
        num_source_frames: frames of the source video that decode

    Raises:
        ShapeError: if the indices do not increase or leave the source
    """

    source_indices: np.ndarray
    num_source_frames: int

    def __post_init__(self) -> None:
        indices = np.array(self.source_indices)
        if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
            raise ShapeError(f"Invalid source indices of shape {indices.shape}. Expected (S,) whole numbers")
        indices = indices.astype(np.int64)
        if indices.size:
            if (np.diff(indices) <= 0).any():
                raise ShapeError("Source frame indices must strictly increase")
            if indices[0] < 0 or indices[-1] >= self.num_source_frames:
                raise ShapeError(
                    f"Source frame indices {indices[0]} to {indices[-1]} leave the source "
                    f"of {self.num_source_frames} frames"
                )
        object.__setattr__(self, "source_indices", _read_only(indices))

    def __len__(self) -> int:
        return len(self.source_indices)

    @property
    def is_identity(self) -> bool:
        return len(self) == self.num_source_frames

    def including(self, source_indices: np.ndarray) -> FrameMap:
        """The same map with some source frames added (frames that hold queries must be seen).

        Args:
            source_indices: (K,) int, frame indices of the source, in any order

        Returns:
            a FrameMap whose frames are the union

        Raises:
            ShapeError: if an index leaves the source
        """
        union = np.union1d(self.source_indices, np.asarray(source_indices, dtype=np.int64))
        return FrameMap(union, self.num_source_frames)

    def sampled_index_of(self, source_index: int) -> int:
        """The sampled frame that shows a source frame.

        Raises:
            QueryError: if the source frame was not sampled; names the nearest one
        """
        s = int(np.searchsorted(self.source_indices, source_index))
        if s < len(self) and self.source_indices[s] == source_index:
            return s
        if not len(self):
            raise QueryError(f"Frame {source_index} was not sampled: the sampling keeps no frame")
        nearest = self.source_indices[np.abs(self.source_indices - source_index).argmin()]
        raise QueryError(
            f"Frame {source_index} is not among the sampled frames. The nearest sampled frame is {int(nearest)}"
        )
