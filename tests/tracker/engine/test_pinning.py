"""Points stay where a person set them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking import Queries, Tracks
from point_tracking.tracker.engine.pinning import pin_queries
from point_tracking.tracker.models.base import Capabilities

SIZE_PX = (40, 30)
OWN = Capabilities(keeps_queries=True, hides_outside=True)


def drawn(seed: int, num_frames: int, num_points: int) -> tuple[Tracks, Queries]:
    """Tracks of a careless model: beyond the frame, unknown, hidden where they were asked for."""
    rng = np.random.default_rng(seed)
    shape = (num_frames, num_points)
    xy = rng.uniform(-20, 60, (*shape, 2))
    visible = rng.random(shape) < 0.5
    unknown = (rng.random(shape) < 0.2) & ~visible
    xy[unknown] = np.nan
    confidence = np.where(unknown, 0, rng.random(shape))
    queries = Queries(rng.integers(num_frames, size=num_points), rng.uniform(0, [39, 29], (num_points, 2)))
    return Tracks(xy, visible, confidence, {"told": 1}, labels=["a"] * num_points), queries


@given(seed=st.integers(0, 1000), num_frames=st.integers(1, 5), num_points=st.integers(0, 4), own=st.booleans())
def test_queries_are_visible_where_they_were_asked_for_and_the_rest_stands(seed, num_frames, num_points, own):
    tracks, queries = drawn(seed, num_frames, num_points)
    able = OWN if own else Capabilities()
    pinned = pin_queries(tracks, queries, SIZE_PX, able)
    here = (queries.t, np.arange(num_points))
    np.testing.assert_array_equal(pinned.xy[here], queries.xy.astype(np.float32))
    assert pinned.visible[here].all()
    elsewhere = np.ones(tracks.visible.shape, dtype=bool)
    elsewhere[here] = False
    np.testing.assert_array_equal(pinned.xy[elsewhere], tracks.xy[elsewhere])
    outside = ~((tracks.xy >= 0) & (tracks.xy <= [39, 29])).all(axis=2)
    if own:
        np.testing.assert_array_equal(pinned.confidence, np.where(elsewhere, tracks.confidence, pinned.confidence))
    else:
        assert (pinned.confidence[here] == 1).all()
        assert not pinned.visible[elsewhere & outside].any()
        assert (pinned.confidence[elsewhere & outside] < 0.5).all()
        kept = elsewhere & ~outside
        np.testing.assert_array_equal(pinned.confidence[kept], tracks.confidence[kept])
    np.testing.assert_array_equal(pinned.visible[elsewhere & ~outside], tracks.visible[elsewhere & ~outside])
    assert pinned.info == {"told": 1}
    assert list([] if pinned.labels is None else pinned.labels) == ["a"] * num_points


def test_the_tracks_that_were_given_are_left_alone():
    tracks, queries = drawn(3, 4, 3)
    before = tracks.xy.copy()
    pin_queries(tracks, queries, SIZE_PX, Capabilities())
    np.testing.assert_array_equal(tracks.xy, before)


@pytest.mark.parametrize("xy", [(0.0, 0.0), (39.0, 29.0)])
def test_corners_are_inside(xy):
    queries = Queries(np.array([0]), np.array([xy]))
    tracks = Tracks(np.broadcast_to(np.array(xy), (2, 1, 2)), np.ones((2, 1), bool), np.ones((2, 1)))
    assert pin_queries(tracks, queries, SIZE_PX, Capabilities()).visible.all()
