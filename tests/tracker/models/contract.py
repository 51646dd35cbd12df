"""What tracks promise, by what their tracker is capable of."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from point_tracking import Queries, Tracks
from point_tracking.tracker.engine.pinning import pin_queries
from point_tracking.tracker.errors import OutOfMemoryError
from point_tracking.tracker.models.base import Tracker

POINTS = np.array([[40.0, 30.0], [80.5, 60.25], [110.0, 90.0], [60.0, 85.0]])


def least_limit_gb(track: Callable[[float], object]) -> float:
    """The memory limit that a run needs, as its refusal says.

    Args:
        track: begins the run with a limit
    """
    with pytest.raises(OutOfMemoryError, match=r"needs [\d.]+ GiB.*memory_limit_gb allows 1e-09") as caught:
        track(1e-9)
    found = re.search(r"set memory_limit_gb to at least ([\d.e-]+)$", str(caught.value))
    assert found is not None
    return float(found[1])


def at_frame(t: int, xy: np.ndarray = POINTS) -> Queries:
    """Points in one frame."""
    return Queries(np.full(len(xy), t), xy)


def check_rules(tracker: Tracker, tracks: Tracks, num_frames: int, queries: Queries, size_px: tuple[int, int]) -> None:
    """What tracks promise beyond the shapes they check themselves; once the engine pinned them, all of it.

    Args:
        tracker: that made them
        tracks: of a clip
        num_frames: of the clip
        queries: that were asked for
        size_px: (width, height) of its frames
    """
    able = tracker.capabilities
    assert tracks.xy.shape == (num_frames, len(queries), 2)
    assert (tracks.xy.dtype, tracks.visible.dtype, tracks.confidence.dtype) == (np.float32, bool, np.float32)
    if able.hides_outside:
        _check_hidden_outside(tracks, size_px)
    if able.keeps_queries:
        _check_queries(tracks, queries, atol=1e-3)
    pinned = pin_queries(tracks, queries, size_px, able)
    _check_hidden_outside(pinned, size_px)
    _check_queries(pinned, queries, atol=0)


def _check_hidden_outside(tracks: Tracks, size_px: tuple[int, int]) -> None:
    x, y = tracks.xy[tracks.visible].T
    assert ((x >= 0) & (y >= 0) & (x <= size_px[0] - 1) & (y <= size_px[1] - 1)).all()


def _check_queries(tracks: Tracks, queries: Queries, atol: float) -> None:
    here = (queries.t, np.arange(len(queries)))
    assert tracks.visible[here].all()
    np.testing.assert_allclose(tracks.xy[here], queries.xy.astype(np.float32), rtol=0, atol=atol)
