"""The figures an evaluation stores with samples: their names, what they mean, and where they come from.

A figure is stored in the sample field `<eval_key>_<name>`. Adding one: its row
in `FIGURES`, and its value in the function of its group below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...tracker.metrics.cycle import CycleScores
from ...tracker.metrics.dynamic_replica import dynamic_replica_scores
from ...tracker.metrics.masks import MaskScores
from ...tracker.metrics.point_odyssey import point_odyssey_scores
from ...tracker.metrics.tap_vid import share_visible_outside, tap_vid_scores
from ...tracker.metrics.truth import THRESHOLDS_PX, QueryMode, TrackTruth
from ...tracker.types import Tracks

TAP_VID, DYNAMIC_REPLICA, POINT_ODYSSEY = "tap_vid", "dynamic_replica", "point_odyssey"
MASKS, CYCLE = "masks", "cycle"
# what truth is needed for; masks and cycles have options of their own
METRICS = (TAP_VID, DYNAMIC_REPLICA, POINT_ODYSSEY)


@dataclass(frozen=True)
class Figure:
    """One number per sample.

    Args:
        name: in field names
        group: of figures that are computed together
        title: head of its column
        meaning: one sentence
        in_pixels: a distance in pixels of the 256 x 256 frame; otherwise a share from 0 to 1
        in_table: whether the table of totals shows it
    """

    name: str
    group: str
    title: str
    meaning: str
    in_pixels: bool = False
    in_table: bool = True

    def text(self, value: float | None) -> str:
        """The value as a table shows it: shares in percent."""
        if value is None:
            return ""
        return f"{value:.2f}" if self.in_pixels else f"{100 * value:.1f}"


def _threshold_figures() -> list[Figure]:
    return [
        Figure(
            f"delta_{threshold:g}",
            TAP_VID,
            f"< {threshold:g} px",
            f"Share of truly visible positions tracked within {threshold:g} px of a 256 x 256 frame",
            in_table=False,
        )
        for threshold in THRESHOLDS_PX
    ]


FIGURES = (
    Figure(
        "delta_avg", TAP_VID, "delta_avg", "Share of truly visible positions tracked within 1, 2, 4, 8, 16 px, mean"
    ),
    Figure("aj", TAP_VID, "AJ", "Average Jaccard: position and visibility judged together"),
    Figure("oa", TAP_VID, "OA", "Occlusion accuracy: share of right visibility flags"),
    *_threshold_figures(),
    Figure("visible", TAP_VID, "visible", "Share of positions declared visible"),
    Figure("outside", TAP_VID, "outside", "Share of positions outside the frame that are reported visible"),
    Figure("delta_occluded", DYNAMIC_REPLICA, "delta_occ", "As delta_avg, where points are truly hidden"),
    Figure(
        "survival", DYNAMIC_REPLICA, "survival", "Share of positions before a point's first visible error above 50 px"
    ),
    Figure(
        "track_survival",
        POINT_ODYSSEY,
        "PO survival",
        "Share of a track before its first error above 50 px, mean of tracks",
    ),
    Figure("mte_px", POINT_ODYSSEY, "MTE px", "Median trajectory error, mean of tracks", in_pixels=True),
    Figure("on_object", MASKS, "on object", "Share of positions declared visible that lie on the object's mask"),
    Figure("mask_visible", MASKS, "mask visible", "Share of positions of the object's points declared visible"),
    Figure("cycle_avg", CYCLE, "cycle", "Share of points that return within 1, 2, 4, 8, 16 px of their start, mean"),
    Figure("cycle_px", CYCLE, "cycle px", "Median distance to the start after the way back", in_pixels=True),
    Figure("cycle_share", CYCLE, "cycled", "Share of points seen again after their start, which are sent back"),
    Figure(
        "cycle_length", CYCLE, "cycle length", "Share of the rest of the clip that these points were followed through"
    ),
)


def field_of(eval_key: str, name: str) -> str:
    """The sample field that holds a figure."""
    return f"{eval_key}_{name}"


def truth_figures(
    tracks: Tracks, truth: TrackTruth, mode: QueryMode, metrics: tuple[str, ...]
) -> dict[str, float | None]:
    """What tracks are worth against known ones.

    Args:
        tracks: T frames, Q queries
        truth: of the same
        mode: which frames count
        metrics: which of `METRICS`

    Returns:
        name of figure -> value; None where there is nothing to count
    """
    values: dict[str, float] = {}
    if TAP_VID in metrics:
        tap_vid = tap_vid_scores(tracks, truth, mode=mode)
        values |= {f"delta_{px:g}": share for px, share in zip(THRESHOLDS_PX, tap_vid.delta, strict=True)}
        values |= {"delta_avg": tap_vid.delta_avg, "aj": tap_vid.average_jaccard, "oa": tap_vid.occlusion_accuracy}
        values |= {"visible": tap_vid.share_visible, "outside": share_visible_outside(tracks, truth, mode=mode)}
    if DYNAMIC_REPLICA in metrics:
        replica = dynamic_replica_scores(tracks, truth, mode=mode)
        values |= {"delta_occluded": replica.delta_occluded_avg, "survival": replica.survival}
    if POINT_ODYSSEY in metrics:
        odyssey = point_odyssey_scores(tracks, truth, mode=mode)
        values |= {"track_survival": odyssey.survival, "mte_px": odyssey.median_error_px}
    return _known(values)


def mask_figures(scores: MaskScores) -> dict[str, float | None]:
    """How points stay on an object, by figure."""
    return _known({"on_object": scores.on_object, "mask_visible": scores.share_visible})


def cycle_figures(scores: CycleScores) -> dict[str, float | None]:
    """How points return, by figure."""
    return _known(
        {
            "cycle_avg": scores.within_avg,
            "cycle_px": scores.median_px,
            "cycle_share": scores.share_cycled,
            "cycle_length": scores.mean_length,
        }
    )


def _known(values: dict[str, float]) -> dict[str, float | None]:
    return {name: float(value) if np.isfinite(value) else None for name, value in values.items()}
