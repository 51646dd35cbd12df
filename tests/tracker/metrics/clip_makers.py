"""Tracks and truth whose figures can be counted on the fingers."""

from __future__ import annotations

from typing import Any

import numpy as np

from point_tracking import Tracks
from point_tracking.tracker.metrics.truth import TrackTruth

SQUARE = (256, 256)


def one_track(
    x_errors: list[float], predicted_visible: list[bool], truly_visible: list[bool], **options: Any
) -> tuple[Tracks, TrackTruth]:
    """One point, queried in a frame before the given ones, truly at (100, 50) all the time."""
    xy = np.tile(np.array([100.0, 50.0]), (len(x_errors) + 1, 1, 1))
    found = xy.copy()
    found[1:, 0, 0] += x_errors
    visible = np.array([True, *predicted_visible])[:, None]
    return made_tracks(found, visible), TrackTruth(
        np.array([0]),
        xy,
        np.array([True, *truly_visible])[:, None],
        options.get("size_px", SQUARE),
        options.get("valid"),
    )


def made_tracks(xy: Any, visible: Any) -> Tracks:
    """Tracks whose confidence is 1 where they are visible."""
    visible = np.asarray(visible, dtype=bool)
    return Tracks(np.asarray(xy, dtype=float), visible, visible.astype(np.float32))


def joined(*parts: tuple[Tracks, TrackTruth]) -> tuple[Tracks, TrackTruth]:
    """Several points of one clip."""
    predicted = made_tracks(
        np.concatenate([tracks.xy for tracks, _ in parts], axis=1),
        np.concatenate([tracks.visible for tracks, _ in parts], axis=1),
    )
    return predicted, TrackTruth(
        np.concatenate([truth.query_t for _, truth in parts]),
        np.concatenate([truth.xy for _, truth in parts], axis=1),
        np.concatenate([truth.visible for _, truth in parts], axis=1),
        parts[0][1].size_px,
        np.concatenate([truth.known for _, truth in parts], axis=1),
    )
