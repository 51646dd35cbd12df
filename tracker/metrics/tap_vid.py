"""TAP-Vid's figures: delta, Jaccard and occlusion accuracy; and what becomes of points outside the frame.

Source: TAP-Vid, arXiv:2211.03726, sec. 3. Positions are compared after scaling
the frame to 256 x 256, distances strictly below a threshold count as within,
counts are pooled inside a clip, and clips are averaged with equal weight
(`counting.mean_scores`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..types import Tracks
from .counting import ratio, share
from .truth import THRESHOLDS_PX, QueryMode, TrackTruth, check_fit, counted_frames, distances_px


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
    distance = distances_px(predicted, truth)
    counted = counted_frames(truth.query_t, len(truth.xy), mode) & truth.known
    truly_visible, said_visible = counted & truth.visible, counted & predicted.visible
    num_visible = np.count_nonzero(truly_visible)

    delta, jaccard = [], []
    for threshold in thresholds_px:
        within = distance < threshold
        true_positives = np.count_nonzero(truly_visible & said_visible & within)
        false_positives = np.count_nonzero(said_visible & ~(truth.visible & within))
        delta.append(share(truly_visible & within, truly_visible))
        # the Jaccard index of nothing with nothing is no 0
        jaccard.append(ratio(true_positives, num_visible + false_positives))
    return TapVidScores(
        delta=tuple(delta),
        jaccard=tuple(jaccard),
        occlusion_accuracy=share(counted & (truth.visible == predicted.visible), counted),
        share_visible=share(said_visible, counted),
    )


def share_visible_outside(predicted: Tracks, truth: TrackTruth, *, mode: QueryMode = "first") -> float:
    """How often points that left the frame are reported as visible; a good tracker has 0.

    Args:
        predicted: T frames and N points, in pixels of the displayed frame
        truth: of the same frames and points, with positions outside the frame
        mode: which frames count, see `counted_frames`

    Returns:
        the share of known positions outside the frame that are predicted as
        visible, wherever; NaN where no point leaves the frame

    Raises:
        ShapeError: if prediction and truth have different shapes
        OptionError: for an unknown mode
    """
    check_fit(predicted, truth)
    outside = counted_frames(truth.query_t, len(truth.xy), mode) & truth.outside
    return share(outside & predicted.visible, outside)
