"""What every tracker must do, whatever its model and whatever its weights.

Trackers whose weights are downloaded are run with shallow ones that mean nothing (`shallow`). What only real weights
can do, following points and seeing that they are hidden, is tested in `test_following`.

Adding a tracker: add its name to `TRACKERS`, with a loader that needs no download, or to `shallow.SHALLOW`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from point_tracking import Queries, Tracks, load_tracker
from point_tracking.tracker.errors import Cancelled, OptionError, QueryError, ShapeError
from point_tracking.tracker.models.base import Tracker
from point_tracking.tracker.models.registry import shipped_trackers, tracker_info
from point_tracking.tracker.video.frames import ArrayFrames

from .clips import occluded_clip, shifted_clip, still_clip
from .contract import POINTS, at_frame, check_rules, least_limit_gb
from .shallow import SHALLOW, load_shallow
from .test_following import TRACKERS


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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shallow")


@pytest.fixture(scope="module", params=sorted([*TRACKERS, *SHALLOW]))
def tracker(request: pytest.FixtureRequest, folder: Path) -> Tracker:
    name = request.param
    return TRACKERS[name]() if name in TRACKERS else load_shallow(name, folder)


def test_every_tracker_keeps_the_contract():
    assert sorted([*TRACKERS, *SHALLOW]) == sorted(shipped_trackers())


def test_the_registry_tells_its_name_and_how_it_goes_through_clips(tracker: Tracker):
    info = tracker_info(tracker.name)
    assert info.name == tracker.name
    assert info.pass_per_query_frame == tracker.capabilities.pass_per_query_frame


@pytest.mark.parametrize("backward", [False, True])
def test_tracks_have_the_promised_shapes(tracker: Tracker, backward: bool):
    queries = Queries(np.array([0, 3, 5, 7]), POINTS)
    tracks = tracker.track(shifted_clip((1, 0)), queries, backward)
    check_rules(tracker, tracks, 8, queries, (160, 120))
    before = np.arange(8)[:, None] < queries.t
    if not backward and not tracker.capabilities.knows_before_query:
        assert not tracks.visible[before].any()
        assert np.isnan(tracks.xy[before]).all()
        assert (tracks.confidence[before] == 0).all()


def test_backward_of_the_first_frame_changes_nothing(tracker: Tracker):
    frames = shifted_clip((2, 1))
    without, with_backward = (tracker.track(frames, at_frame(0), backward=b) for b in (False, True))
    np.testing.assert_array_equal(without.xy, with_backward.xy)


@pytest.mark.parametrize("backward", [False, True])
def test_points_do_not_influence_each_other(tracker: Tracker, backward: bool):
    if tracker.capabilities.joint:
        pytest.skip("this tracker's points see each other")
    frames, _ = occluded_clip(7)
    queries = Queries(np.array([0, 0, 4, 4]), POINTS)
    together = tracker.track(frames, queries, backward)
    for n in (1, 2):
        alone = tracker.track(frames, Queries(queries.t[n : n + 1], queries.xy[n : n + 1]), backward)
        np.testing.assert_array_equal(alone.visible[:, 0], together.visible[:, n])
        np.testing.assert_allclose(alone.xy[:, 0], together.xy[:, n], atol=1e-3)
        np.testing.assert_allclose(alone.confidence[:, 0], together.confidence[:, n], atol=1e-3)


def test_frames_and_frame_source_give_the_same(tracker: Tracker):
    frames = shifted_clip((2, 1), num_frames=12)
    tracks = [tracker.track(source, at_frame(3), True) for source in (frames, UndeclaredFrames(frames))]
    np.testing.assert_array_equal(tracks[0].xy, tracks[1].xy)
    assert tracks[1].num_frames == 12


def test_progress_never_decreases_and_ends_at_one(tracker: Tracker):
    shares: list[float] = []
    tracker.track(UndeclaredFrames(still_clip(20)), at_frame(10), True, progress=shares.append)
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


@pytest.mark.parametrize("name", sorted(SHALLOW))
def test_hardly_any_memory_changes_no_result_and_less_is_refused_with_what_is_needed(name: str, folder: Path):
    queries = Queries(np.array([0, 2, 5, 5]), POINTS)
    frames = shifted_clip((1, 0))

    def track(limit_gb: float | None) -> Tracks:
        return load_shallow(name, folder, memory_limit_gb=limit_gb).track(frames, queries, True)

    little, plenty = track(least_limit_gb(track)), track(None)
    assert little.info["plan"] != plenty.info["plan"]
    np.testing.assert_allclose(little.xy, plenty.xy, atol=1e-3)
    np.testing.assert_allclose(little.confidence, plenty.confidence, atol=1e-3)


@pytest.mark.parametrize("num_frames", [1, 2])
@pytest.mark.parametrize("backward", [False, True])
def test_very_short_clips(tracker: Tracker, num_frames: int, backward: bool):
    queries = at_frame(num_frames - 1)
    tracks = tracker.track(still_clip(num_frames), queries, backward)
    check_rules(tracker, tracks, num_frames, queries, (160, 120))


@pytest.mark.parametrize("size_px", [(16, 12), (8, 8), (64, 1), (1, 1), (300, 20)])
def test_tiny_and_narrow_frames(tracker: Tracker, size_px: tuple[int, int]):
    corner = np.array([[0.0, 0.0], [size_px[0] - 1.0, size_px[1] - 1.0], [(size_px[0] - 1) / 2, (size_px[1] - 1) / 2]])
    queries = at_frame(0, corner)
    tracks = tracker.track(still_clip(4, size_px), queries)
    check_rules(tracker, tracks, 4, queries, size_px)


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
