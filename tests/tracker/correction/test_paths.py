"""One path through several known positions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.correction.paths import Anchor, join_anchors
from point_tracking.tracker.errors import QueryError, ShapeError
from point_tracking.tracker.types import Tracks

SIZE = (320, 240)


def _tracks(*columns: np.ndarray, hidden: dict[int, slice] | None = None) -> Tracks:
    """Sure tracks of (T, 2) columns, hidden where told."""
    xy = np.stack(columns, axis=1)  # (T, K, 2)
    visible = np.ones(xy.shape[:2], bool)
    for column, frames in (hidden or {}).items():
        visible[frames, column] = False
    return Tracks(xy, visible, np.where(visible, 0.8, 0.1))


def _straight(num_frames: int, step: tuple[float, float] = (3, 1)) -> np.ndarray:
    return np.array([20.0, 30.0]) + np.arange(num_frames)[:, None] * np.array(step)


def test_a_point_that_was_lost_on_both_ways_is_joined_where_both_are_right() -> None:
    truth = _straight(40)
    forward, back = truth.copy(), truth.copy()
    forward[25:] += np.array([60, 0])  # jumped to something else
    back[:15] -= np.array([0, 70])
    path = join_anchors([Anchor(0, tuple(truth[0])), Anchor(39, tuple(truth[39]))], _tracks(forward, back), SIZE)
    np.testing.assert_allclose(path.xy, truth, atol=1e-4)
    assert path.visible.all()
    assert path.known.all()


def test_slow_drift_cancels_out() -> None:
    truth, after = _straight(41), np.linspace(0, 1, 41)[:, None]
    drift = np.array([0.0, 20.0])
    path = join_anchors(
        [Anchor(0, tuple(truth[0])), Anchor(40, tuple(truth[40]))],
        _tracks(truth + after * drift, truth - (1 - after) * drift),
        SIZE,
    )
    assert np.abs(path.xy - truth).max() < 1e-3


def test_where_one_way_sees_the_point_that_one_tells_and_where_none_does_it_is_hidden() -> None:
    truth = _straight(30)
    forward, back = truth + np.array([0, 40]), truth.copy()
    forward[0] = truth[0]
    tracks = _tracks(forward, back, hidden={0: slice(5, 29), 1: slice(1, 8)})
    path = join_anchors([Anchor(0, tuple(truth[0])), Anchor(29, tuple(truth[29]))], tracks, SIZE)
    np.testing.assert_allclose(path.xy[8:29], truth[8:29], atol=1e-4)
    np.testing.assert_allclose(path.xy[2:5], forward[2:5], atol=1e-4)
    assert path.visible.tolist() == [True] * 5 + [False] * 3 + [True] * 22


def test_beyond_the_anchors_the_point_follows_the_nearest_one() -> None:
    truth = _straight(20)
    tracks = _tracks(truth, truth + 1)
    anchors = [Anchor(5, tuple(truth[5])), Anchor(10, tuple(truth[10] + 1))]
    path = join_anchors(anchors, tracks, SIZE)
    np.testing.assert_allclose(path.xy[:5], truth[:5], atol=1e-4)
    np.testing.assert_allclose(path.xy[11:], truth[11:] + 1, atol=1e-4)
    forward_only = join_anchors(anchors, tracks, SIZE, from_start=False)
    assert forward_only.known.tolist() == [False] * 5 + [True] * 15
    assert np.isnan(forward_only.xy[:5]).all()
    assert not forward_only.visible[:5].any()


@given(
    st.lists(st.integers(0, 19), min_size=1, max_size=5, unique=True),
    st.integers(0, 1000),
    st.floats(0, 1),
)
def test_whatever_the_tracks_say_the_path_passes_through_its_anchors(
    frames: list[int], seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-50, 400, (20, len(frames), 2))
    visible = rng.random((20, len(frames))) < share
    xy[~visible & (rng.random(visible.shape) < 0.5)] = np.nan
    confidence = np.where(np.isnan(xy).any(axis=2), 0, rng.random(visible.shape))
    anchors = [Anchor(t, tuple(rng.uniform(0, 200, 2))) for t in sorted(frames)]
    path = join_anchors(anchors, Tracks(xy, visible, confidence), SIZE)
    for anchor in anchors:
        assert tuple(path.xy[anchor.t]) == anchor.xy
        assert path.visible[anchor.t]
    assert np.isfinite(path.xy[path.visible]).all()
    assert (path.confidence[np.isnan(path.xy).any(axis=1)] == 0).all()
    assert ((path.confidence >= 0) & (path.confidence <= 1)).all()


def test_what_does_not_fit_is_refused() -> None:
    truth = _straight(10)
    with pytest.raises(ShapeError, match="2 points for 1 anchors"):
        join_anchors([Anchor(0, (1, 1))], _tracks(truth, truth), SIZE)
    with pytest.raises(QueryError, match="one per frame"):
        join_anchors([Anchor(3, (1, 1)), Anchor(3, (2, 2))], _tracks(truth, truth), SIZE)
    with pytest.raises(QueryError, match="frame 10, but there are 10 frames"):
        join_anchors([Anchor(10, (1, 1))], _tracks(truth), SIZE)
