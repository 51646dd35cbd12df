"""The chain carries points as optical-flow does, can be given more of them, and can look back at half size."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.models.optical_flow import OpticalFlowTracker
from point_tracking.tracker.models.shared.flow_chain import (
    NEVER_LOST,
    RE_MATCHED,
    ChainRules,
    ChainState,
    FlowBetween,
    FlowChain,
)
from point_tracking.tracker.types import Queries

from ..clips import occluded_clip, shifted_clip

SIZE_PX = (160, 120)
QUERIES = Queries(np.array([0, 0, 4]), np.array([[60.0, 60.0], [100.0, 40.0], [30.0, 90.0]]))


def greys(frames: np.ndarray) -> list[np.ndarray]:
    import cv2

    return [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]


def run(frames: np.ndarray, rules: ChainRules) -> list[ChainState]:
    chain = FlowChain(rules, SIZE_PX)
    chain.add(QUERIES.t, QUERIES.xy.astype(np.float32))
    return [chain.step(t, grey) for t, grey in enumerate(greys(frames))]


def test_points_go_where_optical_flow_takes_them():
    frames, _ = occluded_clip(14)
    tracks = OpticalFlowTracker().track(frames, QUERIES)
    states = run(frames, ChainRules())
    np.testing.assert_array_equal(np.stack([one.xy for one in states]), tracks.xy)
    np.testing.assert_array_equal(np.stack([one.kept for one in states]), tracks.visible)


def test_a_point_that_was_covered_is_taken_up_again():
    frames, _ = occluded_clip(16)
    states = run(frames, ChainRules())
    assert states[1].origin[0] == NEVER_LOST
    assert not all(one.kept[0] for one in states)
    assert states[-1].kept[0]
    assert states[-1].origin[0] == RE_MATCHED
    assert states[-1].stretch[0] >= 1
    lost = run(frames, ChainRules(recover=False))
    assert not lost[-1].kept[0]


@pytest.mark.parametrize("way_back", ["full", "half"])
def test_a_way_back_at_half_size_tells_the_same(way_back):
    first, second = greys(shifted_clip((3, -2), 2))
    flow = FlowBetween(ChainRules(way_back=way_back), SIZE_PX)(first, second)
    assert flow.back.shape[:2] == ((120, 160) if way_back == "full" else (60, 80))
    xy = np.array([[50, 50], [90.5, 70.25]], np.float32)
    moved, error = flow.follow(xy)
    np.testing.assert_allclose(moved - xy, [(3, -2)] * 2, atol=0.3)
    assert (error < 1).all()


def test_points_can_be_added_on_the_way():
    frames = greys(shifted_clip((2, 1), 8))
    chain = FlowChain(ChainRules(), SIZE_PX)
    chain.add(np.array([0]), np.array([[60, 50]], np.float32))
    for t in range(3):
        assert len(chain.step(t, frames[t]).xy) == 1
    chain.add(np.array([4]), np.array([[80, 60]], np.float32))
    states = [chain.step(t, frames[t]) for t in range(3, 8)]
    assert np.isnan(states[0].xy[1]).all()
    np.testing.assert_allclose(states[-1].xy, [[74, 57], [86, 63]], atol=0.7)
    assert states[-1].kept.all()


def test_flow_that_is_known_is_not_computed():
    frames = greys(shifted_clip((2, 0), 4))
    between = FlowBetween(ChainRules(), SIZE_PX)
    asked = []

    def known(first: np.ndarray, second: np.ndarray):
        asked.append(1)
        return between(first, second)

    chain = FlowChain(ChainRules(), SIZE_PX, known)
    chain.add(np.array([1]), np.array([[60, 50]], np.float32))
    for t, grey in enumerate(frames):
        chain.step(t, grey)
    assert len(asked) == 2, "from frame 1 on, where the first point is given"
