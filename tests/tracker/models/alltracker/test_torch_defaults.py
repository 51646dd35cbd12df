"""What another library sets for all of torch changes nothing here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.alltracker.options import AllTrackerOptions
from point_tracking.tracker.models.alltracker.tracker import AllTrackerTracker


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_type_of_torch_changes_nothing(shallow: Any, dtype: torch.dtype) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (4, 70, 100, 3), dtype=np.uint8)
    tracker = AllTrackerTracker(shallow["tiny"], AllTrackerOptions(device="cpu", resolution=None))
    expected = tracker.track(frames, pt.grid_queries(2, height=70, width=100))
    torch.set_default_dtype(dtype)
    try:
        tracks = tracker.track(frames, pt.grid_queries(2, height=70, width=100))
    finally:
        torch.set_default_dtype(torch.float32)
    np.testing.assert_array_equal(tracks.xy, expected.xy)
