"""Candidates made by hand, for tests of what reads them."""

from __future__ import annotations

from typing import Any

import numpy as np

from point_tracking.tracker.models.pt_fused_2.candidates import FEATURES, Candidates


def candidates(count: int = 1, frame_index: int = 1, **changes: Any) -> Candidates:
    """Of points that chain and network see at (100, 50), which are contested without a match of their own."""
    xy = np.full((count, 3, 2), np.nan, np.float32)
    xy[:, :2] = (100, 50)
    rows = np.full((count, 3), -1)
    rows[:, :2] = np.arange(2 * count).reshape(count, 2)
    given: dict[str, Any] = {
        "frame_index": frame_index,
        "xy": xy,
        "features": np.zeros((2 * count, len(FEATURES)), np.float32),
        "rows": rows,
        "visible": np.ones((count, 2), bool),
        "chain_confidence": np.full(count, 0.9, np.float32),
        "since_query": np.full(count, frame_index),
        "leaps_px": np.zeros((count, 3, 3), np.float32),
        "found_again": np.zeros(count, bool),
        "blank": np.zeros(count, bool),
        "stretch": np.full(count, -1, np.int32),
        "stretch_sum": np.zeros(count, np.float32),
        "stretch_length": np.zeros(count, np.int32),
    }
    return Candidates(**{**given, **changes})
