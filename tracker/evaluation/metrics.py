"""Point-tracking metrics: TAP-Vid's delta, Jaccard and occlusion accuracy, and mask adherence.

Source: TAP-Vid, arXiv:2211.03726, sec. 3 and its public evaluation code.
Positions are compared after scaling the frame to 256 x 256, distances strictly
below a threshold count as within, counts are pooled inside a video, and videos
are averaged with equal weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ..coordinates import edge_aligned, inside_frame
from ..errors import OptionError, ShapeError
from ..types import Tracks

QueryMode = Literal["first"]
QUERY_MODES: tuple[str, ...] = get_args(QueryMode)

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
        ShapeError: if the arrays do not have these shapes
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
        object.__setattr__(self, "xy", xy)
        object.__setattr__(self, "visible", visible)
        object.__setattr__(self, "valid", valid)
        object.__setattr__(self, "query_t", query_t)


@dataclass(frozen=True)
class TapVidScores:
    """TAP-Vid's figures of one clip, or their means over clips; all shares from 0 to 1.

    Args:
        delta: per threshold, the share of truly visible positions predicted within it
        jaccard: per threshold, true positives over (truly visible + false positives)
        occlusion_accuracy: the share of right visibility flags
        share_visible: the share of counted positions predicted as visible

    A figure without anything to count is NaN, and left out of means.
    """

    delta: tuple[float, ...]
    jaccard: tuple[float, ...]
    occlusion_accuracy: float
    share_visible: float

    @property
    def delta_avg(self) -> float:
        return float(np.mean(self.delta))

    @property
    def average_jaccard(self) -> float:
        return float(np.mean(self.jaccard))


@dataclass(frozen=True)
class MaskScores:
    """How points that start on an object stay on it; shares from 0 to 1.

    Args:
        on_object: the share of positions predicted as visible that lie on the object
        share_visible: the share of counted positions predicted as visible
    """

    on_object: float
    share_visible: float


def counted_frames(query_t: np.ndarray, num_frames: int, mode: QueryMode = "first") -> np.ndarray:
    """Tells which frames of each point count.

    Args:
        query_t: (N,) int, frame index of each query
        num_frames: T
        mode: "first": the frames after the query's

    Returns:
        (T, N) bool

    Raises:
        OptionError: for an unknown mode
    """
    if mode not in QUERY_MODES:
        raise OptionError(f"Invalid query mode ({mode!r}). Supported values are {', '.join(QUERY_MODES)}")
    return np.arange(num_frames)[:, None] > np.asarray(query_t)[None, :]


def tap_vid_scores(
    predicted: Tracks,
    truth: TrackTruth,
    *,
    mode: QueryMode = "first",
    thresholds_px: Sequence[float] = THRESHOLDS_PX,
) -> TapVidScores:
    """Scores one clip by TAP-Vid's protocol.

    Args:
        predicted: T frames and N points, in pixels of the displayed frame
        truth: of the same frames and points
        mode: which frames count, see `counted_frames`
        thresholds_px: distances in pixels of the 256 x 256 frame

    Returns:
        the clip's scores

    Raises:
        ShapeError: if prediction and truth have different shapes
        OptionError: for an unknown mode
    """
    if predicted.xy.shape != truth.xy.shape:
        raise ShapeError(f"Predicted tracks of shape {predicted.xy.shape} do not fit the truth of {truth.xy.shape}")
    assert truth.valid is not None
    counted = counted_frames(truth.query_t, len(truth.xy), mode) & truth.valid
    scale = EVALUATION_SIZE_PX / np.array(truth.size_px, dtype=np.float64)
    distance = np.linalg.norm((predicted.xy - truth.xy) * scale, axis=2)  # NaN compares as too far
    truly_visible, said_visible = counted & truth.visible, counted & predicted.visible

    delta, jaccard = [], []
    for threshold in thresholds_px:
        within = distance < threshold
        true_positives = np.count_nonzero(truly_visible & said_visible & within)
        false_positives = np.count_nonzero(said_visible & ~(truth.visible & within))
        delta.append(_share(np.count_nonzero(truly_visible & within), np.count_nonzero(truly_visible)))
        jaccard.append(_share(true_positives, np.count_nonzero(truly_visible) + false_positives))
    num_counted = np.count_nonzero(counted)
    return TapVidScores(
        delta=tuple(delta),
        jaccard=tuple(jaccard),
        occlusion_accuracy=_share(np.count_nonzero(counted & (truth.visible == predicted.visible)), num_counted),
        share_visible=_share(np.count_nonzero(said_visible), num_counted),
    )


def mean_tap_vid_scores(scores: Sequence[TapVidScores]) -> TapVidScores:
    """The plain mean over clips, as TAP-Vid reports a data set.

    Args:
        scores: one per clip, all with the same thresholds

    Returns:
        the means; clips in which a figure counts nothing are left out of that figure
    """
    return TapVidScores(
        delta=tuple(_mean(column) for column in zip(*(s.delta for s in scores), strict=True)),
        jaccard=tuple(_mean(column) for column in zip(*(s.jaccard for s in scores), strict=True)),
        occlusion_accuracy=_mean([s.occlusion_accuracy for s in scores]),
        share_visible=_mean([s.share_visible for s in scores]),
    )


def mask_scores(
    predicted: Tracks,
    query_t: np.ndarray,
    masks: np.ndarray,
    size_px: tuple[int, int],
    *,
    tolerance_cells: int = 0,
    mode: QueryMode = "first",
) -> MaskScores:
    """Scores tracks by an object's masks alone: a visible point must lie on the object.

    Args:
        predicted: T frames and N points that start on the object
        query_t: (N,) int, frame index of each query
        masks: (T, H', W') bool, of any resolution
        size_px: (width, height) of the displayed frame
        tolerance_cells: mask pixels that a point may lie beside the object, in x and in y;
            masks of half resolution and points on an outline need some
        mode: which frames count, see `counted_frames`

    Returns:
        the clip's scores

    Raises:
        ShapeError: if tracks and masks have different numbers of frames
        OptionError: for an unknown mode
    """
    masks = np.asarray(masks, dtype=bool)
    if masks.ndim != 3 or len(masks) != predicted.num_frames:
        raise ShapeError(f"Invalid masks of shape {masks.shape}. Expected ({predicted.num_frames}, H, W)")
    counted = counted_frames(query_t, predicted.num_frames, mode)
    said_visible = counted & predicted.visible
    t, n = np.nonzero(said_visible)
    xy = predicted.xy[t, n]
    height, width = masks.shape[1:]
    cells = np.rint(edge_aligned(xy, size_px, (width, height))).astype(np.int64)
    on_object = np.zeros(len(t), dtype=bool)
    for dy, dx in np.ndindex(2 * tolerance_cells + 1, 2 * tolerance_cells + 1):
        column = np.clip(cells[:, 0] + dx - tolerance_cells, 0, width - 1)
        row = np.clip(cells[:, 1] + dy - tolerance_cells, 0, height - 1)
        on_object |= masks[t, row, column]
    on_object &= inside_frame(xy, size_px)
    return MaskScores(
        on_object=_share(np.count_nonzero(on_object), len(t)),
        share_visible=_share(len(t), np.count_nonzero(counted)),
    )


def mean_mask_scores(scores: Sequence[MaskScores]) -> MaskScores:
    """The plain mean over clips.

    Args:
        scores: one per clip

    Returns:
        the means; clips in which a figure counts nothing are left out of that figure
    """
    return MaskScores(
        on_object=_mean([s.on_object for s in scores]), share_visible=_mean([s.share_visible for s in scores])
    )


def _share(part: int | np.integer, whole: int | np.integer) -> float:
    return float(part / whole) if whole else float("nan")


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
