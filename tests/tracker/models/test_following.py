"""What trackers do with real weights: points follow what they are on, and are hidden when it is.

Adding a tracker that needs no download: add its name to `TRACKERS`. What holds whatever the weights: `test_contract`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from point_tracking import Queries, load_tracker
from point_tracking.tracker.models.base import Tracker

from .clips import occluded_clip, shifted_clip, still_clip
from .contract import POINTS, at_frame, check_rules

TRACKERS: dict[str, Callable[[], Tracker]] = {
    "optical-flow": lambda: load_tracker("optical-flow"),
    "pt-fused": lambda: load_tracker("pt-fused", device="cpu"),
    "pt-fused-2": lambda: load_tracker("pt-fused-2", device="cpu"),
    "pt-small": lambda: load_tracker("pt-small", device="cpu"),
}


@pytest.fixture(scope="module", params=sorted(TRACKERS))
def tracker(request: pytest.FixtureRequest) -> Tracker:
    return TRACKERS[request.param]()


def test_points_of_a_still_clip_stay(tracker: Tracker):
    tracks = tracker.track(still_clip(), at_frame(0))
    check_rules(tracker, tracks, 6, at_frame(0), (160, 120))
    assert tracks.visible.all()
    np.testing.assert_allclose(tracks.xy, np.broadcast_to(POINTS, (6, 4, 2)), atol=0.5)


@pytest.mark.parametrize("step_px", [(2, 0), (0, -3), (-3, 2)])
def test_points_follow_a_shift(tracker: Tracker, step_px: tuple[int, int]):
    tracks = tracker.track(shifted_clip(step_px), at_frame(0))
    expected = POINTS + np.arange(8)[:, None, None] * np.array(step_px)
    assert tracks.visible.all()
    np.testing.assert_allclose(tracks.xy, expected, atol=1.0)


def test_a_point_that_leaves_the_frame_is_hidden_and_not_clamped(tracker: Tracker):
    queries = at_frame(0, np.array([[150.0, 60.0], [40.0, 60.0]]))
    tracks = tracker.track(shifted_clip((4, 0)), queries)
    check_rules(tracker, tracks, 8, queries, (160, 120))
    assert tracks.visible[:2, 0].all()
    assert not tracks.visible[4:, 0].any()
    assert not (tracks.xy[5:, 0, 0] <= 159).any(), "beyond the border or unknown, but not back inside"
    assert tracks.visible[:, 1].all()


def test_an_occluder_hides_points(tracker: Tracker):
    few = np.array([[60.0, 60.0], [100.0, 40.0], [80.0, 90.0]])
    many = np.stack(np.meshgrid(np.linspace(45, 125, 9), np.linspace(15, 105, 7)), axis=-1).reshape(-1, 2)
    for xy in (few, many):
        check_occluder(tracker, xy)


def check_occluder(tracker: Tracker, xy: np.ndarray) -> None:
    frames, covered = occluded_clip()
    queries = at_frame(0, xy)
    tracks = tracker.track(frames, queries)
    check_rules(tracker, tracks, len(frames), queries, (160, 120))
    for n, (x, y) in enumerate(queries.xy.astype(int)):
        hidden = np.flatnonzero(covered[:, y, x])
        # the frames in which the bar's edge passes may be judged either way
        assert not tracks.visible[hidden[1:-1], n].any()
        assert tracks.visible[: hidden[0] - 1, n].all()
        assert (tracks.confidence[hidden[1:-1], n] <= tracks.confidence[0, n]).all()


def test_backward_finds_earlier_frames(tracker: Tracker):
    step, queries = np.array([2, 1]), at_frame(5)
    tracks = tracker.track(shifted_clip((2, 1)), queries, backward=True)
    check_rules(tracker, tracks, 8, queries, (160, 120))
    expected = POINTS + (np.arange(8)[:, None, None] - 5) * step
    assert tracks.visible.all()
    np.testing.assert_allclose(tracks.xy, expected, atol=1.0)


def test_without_backward_points_are_hidden_before_their_query(tracker: Tracker):
    queries = Queries(np.array([0, 3, 5, 7]), POINTS)
    tracks = tracker.track(shifted_clip((1, 0)), queries)
    check_rules(tracker, tracks, 8, queries, (160, 120))
    before = np.arange(8)[:, None] < queries.t
    assert not tracks.visible[before].any()
    if not tracker.capabilities.knows_before_query:
        assert np.isnan(tracks.xy[before]).all()
        assert (tracks.confidence[before] == 0).all()
    after = ~before
    expected = POINTS + np.maximum(np.arange(8)[:, None, None] - queries.t[:, None], 0) * np.array([1, 0])
    assert tracks.visible[after].all()
    np.testing.assert_allclose(tracks.xy[after], expected[after], atol=1.0)


@pytest.mark.parametrize("num_frames", [1, 2])
@pytest.mark.parametrize("backward", [False, True])
def test_points_of_very_short_clips_are_seen(tracker: Tracker, num_frames: int, backward: bool):
    tracks = tracker.track(still_clip(num_frames), at_frame(num_frames - 1), backward)
    assert tracks.visible.all() == (backward or num_frames == 1)


@pytest.mark.parametrize("size_px", [(16, 12), (8, 8), (64, 1), (1, 1), (300, 20)])
def test_points_of_tiny_and_narrow_frames_stay(tracker: Tracker, size_px: tuple[int, int]):
    middle = np.array([[(size_px[0] - 1) / 2, (size_px[1] - 1) / 2]])
    tracks = tracker.track(still_clip(4, size_px), at_frame(0, middle))
    np.testing.assert_allclose(tracks.xy, np.broadcast_to(middle, (4, 1, 2)), atol=1.0)


def test_grey_and_flat_video(tracker: Tracker):
    grey = np.repeat(shifted_clip((2, 0))[..., :1], 3, axis=3)
    tracks = tracker.track(grey, at_frame(0))
    np.testing.assert_allclose(tracks.xy[-1], POINTS + np.array([14, 0]), atol=1.0)
    flat = tracker.track(np.full((4, 120, 160, 3), 90, np.uint8), at_frame(0))
    check_rules(tracker, flat, 4, at_frame(0), (160, 120))
