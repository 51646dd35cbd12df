"""Windows of pt-small that start where another tracker puts points."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.models.pt_small.guided import GuidedNetwork, GuideFrame
from point_tracking.tracker.models.pt_small.tracker import ShippedTracker, load_pt_small
from point_tracking.tracker.types import Queries, Tracks

from ..clips import shifted_clip

SIZE_PX = (160, 120)
POINTS = np.array([[50.0, 40.0], [80.5, 60.25], [60.0, 85.0]])
STEP = np.array([2, 1])


@pytest.fixture(scope="module")
def tracker() -> ShippedTracker:
    return load_pt_small(device="cpu")


def network_of(tracker: ShippedTracker) -> GuidedNetwork:
    return GuidedNetwork(tracker, SIZE_PX, len(POINTS), lambda: None)


def first_window(tracker: ShippedTracker, offset: float, kept: bool) -> Tracks:
    """Of a clip that moves by `STEP`; the guide is off by some pixels."""
    network = network_of(tracker)
    frames = shifted_clip((2, 1), network.window)
    network.add(Queries(np.zeros(3, int), POINTS))
    for start in range(0, network.window, network.step):
        network.encode(frames[start : start + network.step])
    flow = np.tile(STEP.astype(np.float32), (120, 160, 1))
    guide = []
    for t in range(network.window):
        if t:
            network.put_flow(t, flow, -flow, SIZE_PX)
        guide.append(GuideFrame((POINTS + t * STEP + offset * (t > 0)).astype(np.float32), np.full(3, kept)))
    return network.settle(guide, network.step)


@pytest.mark.parametrize(("offset", "kept"), [(0.0, True), (2.0, True), (40.0, False), (np.nan, False)])
def test_points_are_refined_from_where_the_guide_is(tracker: ShippedTracker, offset: float, kept: bool):
    tracks = first_window(tracker, offset, kept)
    truth = POINTS + np.arange(tracks.num_frames)[:, None, None] * STEP
    np.testing.assert_allclose(tracks.xy, truth, atol=1.5)
    assert tracks.visible.all()


def test_a_guide_far_off_is_followed_where_it_is_to_be(tracker: ShippedTracker):
    led, alone = first_window(tracker, 40.0, True), first_window(tracker, 40.0, False)
    assert np.linalg.norm(led.xy[-1] - alone.xy[-1], axis=1).min() > 5


def test_centres_of_the_corners_coincide(tracker: ShippedTracker):
    network = network_of(tracker)
    network.encode(shifted_clip((1, 0), 1))
    height, width = tracker.context_for(SIZE_PX).model.config.resolution
    stride = tracker.model.config.stride
    np.testing.assert_allclose((np.array(SIZE_PX) - 1) * network.to_cells, (np.array([width, height]) - 1) / stride)
    cells = network.map_of(0)
    assert cells.shape[:2] == (height // stride, width // stride)
    np.testing.assert_allclose(np.linalg.norm(cells.float().numpy(), axis=-1), 1, atol=1e-3)


def test_windows_follow_each_other_and_memory_does_not_grow(tracker: ShippedTracker):
    network = network_of(tracker)
    network.add(Queries(np.zeros(3, int), POINTS))
    frames, starts = shifted_clip((1, 0), 20), []
    unknown = GuideFrame(np.full((3, 2), np.nan, np.float32), np.zeros(3, bool))
    capacity = len(network._features._levels[0])
    for start in range(0, 20, network.step):
        network.encode(frames[start : start + network.step])
        while network.num_frames >= network.start + network.window:
            starts.append(network.start)
            assert network.settle([unknown] * network.window, network.step).num_frames == network.step
    assert starts == [0, 4, 8, 12]
    assert len(network._features._levels[0]) == capacity
