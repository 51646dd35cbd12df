"""What every tracker must do, whatever its model.

Adding a tracker: add its name to `TRACKERS`, with a loader that needs no
download.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from point_tracking import Queries, Tracks, load_tracker
from point_tracking.tracker.errors import Cancelled, OptionError, QueryError, ShapeError
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.models.registry import tracker_info
from point_tracking.tracker.video.frames import ArrayFrames

from .clips import occluded_clip, shifted_clip, still_clip

TRACKERS: dict[str, Callable[[], Tracker]] = {
    "optical-flow": lambda: load_tracker("optical-flow"),
    "pt-fused": lambda: load_tracker("pt-fused", device="cpu"),
    "pt-fused-2": lambda: load_tracker("pt-fused-2", device="cpu"),
    "pt-small": lambda: load_tracker("pt-small", device="cpu"),
}

POINTS = np.array([[40.0, 30.0], [80.5, 60.25], [110.0, 90.0], [60.0, 85.0]])


class UndeclaredFrames(ArrayFrames):
    """Like a video that declares more frames than decode."""

    @property
    def num_frames_hint(self) -> int:
        return super().num_frames + 5


class LyingFrames(ArrayFrames):
    """Like a video whose last frames do not decode although they were counted."""

    @property
    def num_frames(self) -> int:
        return super().num_frames + 5


@pytest.fixture(scope="module", params=sorted(TRACKERS))
def tracker(request: pytest.FixtureRequest) -> Tracker:
    return TRACKERS[request.param]()


def at_frame(t: int, xy: np.ndarray = POINTS) -> Queries:
    return Queries(np.full(len(xy), t), xy)


def check_rules(tracks: Tracks, num_frames: int, queries: Queries, size_px: tuple[int, int]) -> None:
    """What Tracks promises beyond the shapes it checks itself."""
    assert tracks.xy.shape == (num_frames, len(queries), 2)
    assert (tracks.xy.dtype, tracks.visible.dtype, tracks.confidence.dtype) == (np.float32, bool, np.float32)
    x, y = tracks.xy[tracks.visible].T
    assert ((x >= 0) & (y >= 0) & (x <= size_px[0] - 1) & (y <= size_px[1] - 1)).all()
    here = np.arange(len(queries))
    assert tracks.visible[queries.t, here].all()
    np.testing.assert_allclose(tracks.xy[queries.t, here], queries.xy, atol=1e-3)


def test_name_is_that_of_the_registry(tracker: Tracker):
    assert tracker_info(tracker.name).name == tracker.name


def test_points_of_a_still_clip_stay(tracker: Tracker):
    tracks = tracker.track(still_clip(), at_frame(0))
    check_rules(tracks, 6, at_frame(0), (160, 120))
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
    check_rules(tracks, 8, queries, (160, 120))
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
    check_rules(tracks, len(frames), queries, (160, 120))
    for n, (x, y) in enumerate(queries.xy.astype(int)):
        hidden = np.flatnonzero(covered[:, y, x])
        # the frames in which the bar's edge passes may be judged either way
        assert not tracks.visible[hidden[1:-1], n].any()
        assert tracks.visible[: hidden[0] - 1, n].all()
        assert (tracks.confidence[hidden[1:-1], n] <= tracks.confidence[0, n]).all()


def test_backward_finds_earlier_frames(tracker: Tracker):
    step, queries = np.array([2, 1]), at_frame(5)
    tracks = tracker.track(shifted_clip((2, 1)), queries, backward=True)
    check_rules(tracks, 8, queries, (160, 120))
    expected = POINTS + (np.arange(8)[:, None, None] - 5) * step
    assert tracks.visible.all()
    np.testing.assert_allclose(tracks.xy, expected, atol=1.0)


def test_backward_of_the_first_frame_changes_nothing(tracker: Tracker):
    frames = shifted_clip((2, 1))
    without, with_backward = (tracker.track(frames, at_frame(0), backward=b) for b in (False, True))
    np.testing.assert_array_equal(without.xy, with_backward.xy)


def test_without_backward_points_are_hidden_before_their_query(tracker: Tracker):
    queries = Queries(np.array([0, 3, 5, 7]), POINTS)
    tracks = tracker.track(shifted_clip((1, 0)), queries)
    check_rules(tracks, 8, queries, (160, 120))
    before = np.arange(8)[:, None] < queries.t
    assert not tracks.visible[before].any()
    if not tracker.capabilities.knows_before_query:
        assert np.isnan(tracks.xy[before]).all()
        assert (tracks.confidence[before] == 0).all()
    after = ~before
    expected = POINTS + np.maximum(np.arange(8)[:, None, None] - queries.t[:, None], 0) * np.array([1, 0])
    assert tracks.visible[after].all()
    np.testing.assert_allclose(tracks.xy[after], expected[after], atol=1.0)


@pytest.mark.parametrize("backward", [False, True])
def test_points_do_not_influence_each_other(tracker: Tracker, backward: bool):
    if tracker.capabilities.joint:
        pytest.skip("this tracker's points see each other")
    frames, _ = occluded_clip(10)
    queries = Queries(np.array([0, 0, 4, 7]), POINTS)
    together = tracker.track(frames, queries, backward)
    for n in range(len(queries)):
        alone = tracker.track(frames, Queries(queries.t[n : n + 1], queries.xy[n : n + 1]), backward)
        np.testing.assert_array_equal(alone.visible[:, 0], together.visible[:, n])
        np.testing.assert_allclose(alone.xy[:, 0], together.xy[:, n], atol=1e-3)
        np.testing.assert_allclose(alone.confidence[:, 0], together.confidence[:, n], atol=1e-3)


def test_frames_and_frame_source_give_the_same(tracker: Tracker):
    frames = shifted_clip((2, 1), num_frames=20)
    tracks = [tracker.track(source, at_frame(3), True) for source in (frames, UndeclaredFrames(frames))]
    np.testing.assert_array_equal(tracks[0].xy, tracks[1].xy)
    assert tracks[1].num_frames == 20


def test_progress_never_decreases_and_ends_at_one(tracker: Tracker):
    shares: list[float] = []
    tracker.track(UndeclaredFrames(still_clip(40)), at_frame(20), True, progress=shares.append)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert len(shares) > 3


def test_cancelling_ends_the_run(tracker: Tracker):
    asked: Iterator[bool] = iter([False, False, *[True] * 100])
    with pytest.raises(Cancelled):
        tracker.track(still_clip(64), at_frame(0), cancelled=lambda: next(asked))


def test_no_queries_make_empty_tracks(tracker: Tracker):
    tracks = tracker.track(still_clip(5), Queries(np.zeros(0), np.zeros((0, 2))))
    assert tracks.xy.shape == (5, 0, 2)


@pytest.mark.parametrize("num_frames", [1, 2])
@pytest.mark.parametrize("backward", [False, True])
def test_very_short_clips(tracker: Tracker, num_frames: int, backward: bool):
    queries = at_frame(num_frames - 1)
    tracks = tracker.track(still_clip(num_frames), queries, backward)
    check_rules(tracks, num_frames, queries, (160, 120))
    assert tracks.visible.all() == (backward or num_frames == 1)


@pytest.mark.parametrize("size_px", [(16, 12), (8, 8), (64, 1), (1, 1), (300, 20)])
def test_tiny_and_narrow_frames(tracker: Tracker, size_px: tuple[int, int]):
    corner = np.array([[0.0, 0.0], [size_px[0] - 1.0, size_px[1] - 1.0], [(size_px[0] - 1) / 2, (size_px[1] - 1) / 2]])
    queries = at_frame(0, corner)
    tracks = tracker.track(still_clip(4, size_px), queries)
    check_rules(tracks, 4, queries, size_px)
    np.testing.assert_allclose(tracks.xy[:, 2], np.broadcast_to(corner[2], (4, 2)), atol=1.0)


def test_grey_and_flat_video(tracker: Tracker):
    grey = np.repeat(shifted_clip((2, 0))[..., :1], 3, axis=3)
    tracks = tracker.track(grey, at_frame(0))
    np.testing.assert_allclose(tracks.xy[-1], POINTS + np.array([14, 0]), atol=1.0)
    flat = tracker.track(np.full((4, 120, 160, 3), 90, np.uint8), at_frame(0))
    check_rules(flat, 4, at_frame(0), (160, 120))


@pytest.mark.parametrize("xy", [(-1.0, 5.0), (160.0, 5.0), (5.0, 119.5)])
def test_queries_outside_the_frame_are_refused(tracker: Tracker, xy: tuple[float, float]):
    with pytest.raises(QueryError, match="outside"):
        tracker.track(still_clip(), at_frame(0, np.array([xy])))


@pytest.mark.parametrize("source", [ArrayFrames, UndeclaredFrames, LyingFrames])
@pytest.mark.parametrize("backward", [False, True])
def test_queries_past_the_end_are_refused(tracker: Tracker, source: type[ArrayFrames], backward: bool):
    with pytest.raises(QueryError, match="6 frames"):
        tracker.track(source(still_clip(6)), at_frame(6), backward)


def test_other_arrays_are_refused(tracker: Tracker):
    with pytest.raises(ShapeError):
        tracker.track(still_clip().astype(np.float32), at_frame(0))


def test_unknown_options_are_refused(tracker: Tracker):
    expected = rf"the tracker '{tracker.name}' \('no_such_option'\)\. Supported values are \w+, \w+, "
    with pytest.raises(OptionError, match=expected):
        load_tracker(tracker.name, no_such_option=1)
