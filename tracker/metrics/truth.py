"""What is known about a clip's points, which frames a protocol counts, and how far off predictions are.

Source of the query modes: TAP-Vid, arXiv:2211.03726, sec. 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..coordinates import inside_frame
from ..errors import OptionError, ShapeError
from ..types import Queries, Tracks

QueryMode = Literal["first", "strided"]
QUERY_MODES: tuple[str, ...] = get_args(QueryMode)

STRIDE_FRAMES = 5
THRESHOLDS_PX = (1.0, 2.0, 4.0, 8.0, 16.0)
EVALUATION_SIZE_PX = 256


@dataclass(frozen=True, eq=False)
class TrackTruth:
    """Where the points of a clip really are.

    Args:
        query_t: (N,) int, frame index of each query
        xy: (T, N, 2) float pixels of the displayed frame
        visible: (T, N) bool; False also for points outside the frame
        valid: (T, N) bool; False where nothing is known: left out of every count.
            None means that everything is known
        size_px: (width, height) of the displayed frame

    Raises:
        ShapeError: if the arrays do not have these shapes, or a query lies outside the clip
    """

    query_t: np.ndarray
    xy: np.ndarray
    visible: np.ndarray
    size_px: tuple[int, int]
    valid: np.ndarray | None = None

    def __post_init__(self) -> None:
        xy = np.asarray(self.xy, dtype=np.float64)
        if xy.ndim != 3 or xy.shape[2] != 2:
            raise ShapeError(f"Invalid truth positions of shape {xy.shape}. Expected (T, N, 2)")
        visible = np.asarray(self.visible, dtype=bool)
        valid = np.ones_like(visible) if self.valid is None else np.asarray(self.valid, dtype=bool)
        query_t = np.asarray(self.query_t)
        for name, shape, expected in (
            ("visible", visible.shape, xy.shape[:2]),
            ("valid", valid.shape, xy.shape[:2]),
            ("query_t", query_t.shape, xy.shape[1:2]),
        ):
            if shape != expected:
                raise ShapeError(f"Invalid {name} of shape {shape}. Expected {expected}, as xy has")
        outside = (query_t < 0) | (query_t >= max(len(xy), 1))
        if outside.any():
            raise ShapeError(f"Invalid query_t ({query_t[outside][0]}). The clip has {len(xy)} frames, counted from 0")
        object.__setattr__(self, "xy", xy)
        object.__setattr__(self, "visible", visible)
        object.__setattr__(self, "valid", valid)
        object.__setattr__(self, "query_t", query_t)

    @property
    def known(self) -> np.ndarray:
        """(T, N) bool: `valid`, never None."""
        assert self.valid is not None
        return self.valid

    @property
    def outside(self) -> np.ndarray:
        """(T, N) bool: positions that are known and lie outside the frame."""
        placed = np.isfinite(self.xy).all(axis=2)
        return self.known & placed & ~inside_frame(self.xy, self.size_px)

    def columns(self, chosen: np.ndarray) -> TrackTruth:
        """The truth of some points.

        Args:
            chosen: (K,) int or (N,) bool

        Returns:
            the same clip with these points, in this order
        """
        return TrackTruth(
            self.query_t[chosen], self.xy[:, chosen], self.visible[:, chosen], self.size_px, self.known[:, chosen]
        )


def counted_frames(query_t: np.ndarray, num_frames: int, mode: QueryMode = "first") -> np.ndarray:
    """Tells which frames of each point count.

    Args:
        query_t: (N,) int, frame index of each query
        num_frames: T
        mode: "first": the frames after the query's; "strided": all but the query's

    Returns:
        (T, N) bool

    Raises:
        OptionError: for an unknown mode
    """
    frames, query_t = np.arange(num_frames)[:, None], np.asarray(query_t)[None, :]
    return frames > query_t if check_query_mode(mode) == "first" else frames != query_t


def check_query_mode(mode: str) -> str:
    """Refuses a query mode that does not exist.

    Raises:
        OptionError: naming those that do
    """
    if mode not in QUERY_MODES:
        raise OptionError(f"Invalid query mode ({mode!r}). Supported values are {', '.join(QUERY_MODES)}")
    return mode


def choose_queries(
    visible: np.ndarray, valid: np.ndarray | None = None, mode: QueryMode = "first"
) -> tuple[np.ndarray, np.ndarray]:
    """The queries that a protocol asks for.

    Args:
        visible: (T, N) bool, where the points truly are visible
        valid: (T, N) bool, where that is known; None = everywhere
        mode: "first": each point once, where it is visible first; "strided": each
            point in every 5th frame in which it is visible

    Returns:
        query_t: (Q,) int, frame index of each query
        columns: (Q,) int, the point of each; points that are never visible have none.
            Ordered by point, then by frame

    Raises:
        OptionError: for an unknown mode
    """
    check_query_mode(mode)
    shown = np.asarray(visible, dtype=bool) if valid is None else np.asarray(visible & valid, dtype=bool)
    if mode == "first":
        columns = np.flatnonzero(shown.any(axis=0))
        return shown[:, columns].argmax(axis=0) if columns.size else columns, columns
    columns, strides = np.nonzero(shown[::STRIDE_FRAMES].T)
    return strides * STRIDE_FRAMES, columns


def queried_truth(
    xy: np.ndarray,
    visible: np.ndarray,
    size_px: tuple[int, int],
    *,
    valid: np.ndarray | None = None,
    mode: QueryMode = "first",
) -> tuple[TrackTruth, np.ndarray]:
    """Truth with a column per query, as `choose_queries` chooses them.

    Args:
        xy: (T, N, 2) float pixels of the displayed frame
        visible: (T, N) bool
        size_px: (width, height) of the displayed frame
        valid: (T, N) bool, None = everywhere
        mode: "first" or "strided"

    Returns:
        the truth of Q queries, and (Q,) int, the point of each

    Raises:
        OptionError: for an unknown mode
        ShapeError: if the arrays do not fit together
    """
    query_t, columns = choose_queries(visible, valid, mode)
    every_point = TrackTruth(np.zeros(np.shape(visible)[1], dtype=int), xy, visible, size_px, valid)
    chosen = every_point.columns(columns)
    return TrackTruth(query_t, chosen.xy, chosen.visible, size_px, chosen.valid), columns


def queries_of(truth: TrackTruth) -> Queries:
    """The points that a tracker is asked to follow: where the truth has them in their query frames.

    Raises:
        QueryError: if the truth has no position there
    """
    return Queries(truth.query_t, truth.xy[truth.query_t, np.arange(len(truth.query_t))])


def check_fit(predicted: Tracks, truth: TrackTruth) -> None:
    """Refuses predictions of other frames or points than the truth's.

    Raises:
        ShapeError: naming both shapes
    """
    if predicted.xy.shape != truth.xy.shape:
        raise ShapeError(f"Predicted tracks of shape {predicted.xy.shape} do not fit the truth of {truth.xy.shape}")


def evaluation_scale(size_px: tuple[int, int]) -> np.ndarray:
    """(2,) float: pixels of the 256 x 256 frame per pixel of the displayed one."""
    return EVALUATION_SIZE_PX / np.array(size_px, dtype=np.float64)


def distances_px(predicted: Tracks, truth: TrackTruth) -> np.ndarray:
    """How far predictions are off.

    Args:
        predicted: T frames and N points, in pixels of the displayed frame
        truth: of the same frames and points

    Returns:
        (T, N) float64, in pixels of the 256 x 256 frame; infinite where a position is unknown

    Raises:
        ShapeError: if prediction and truth have different shapes
    """
    check_fit(predicted, truth)
    distance = np.linalg.norm((predicted.xy - truth.xy) * evaluation_scale(truth.size_px), axis=2)
    return np.where(np.isfinite(distance), distance, np.inf)
