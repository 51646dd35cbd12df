"""Frames in, tracks of final frames out."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking import Queries, Tracks
from point_tracking.tracker.errors import OptionError, QueryError, ShapeError
from point_tracking.tracker.models.base import StreamingSession
from point_tracking.tracker.models.pt_fused_2.tracker import Fused2Tracker

from ..clips import occluded_clip, shifted_clip

SIZE_PX = (160, 120)
POINTS = np.array([[40.0, 30.0], [80.5, 60.25], [110.0, 90.0], [60.0, 85.0]])


@pytest.fixture(scope="module")
def tracker() -> Fused2Tracker:
    return Fused2Tracker(device="cpu")


def joined(parts: list[Tracks], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Tracks one after the other; those from before points were added have fewer columns."""
    xy = np.concatenate([np.pad(one.xy, ((0, 0), (0, count - one.num_points), (0, 0))) for one in parts])
    visible = np.concatenate([np.pad(one.visible, ((0, 0), (0, count - one.num_points))) for one in parts])
    confidence = np.concatenate([np.pad(one.confidence, ((0, 0), (0, count - one.num_points))) for one in parts])
    return xy, visible, confidence


@pytest.mark.parametrize("chunk", [1, 3, 4, 30])
def test_a_clip_is_a_session_fed_with_it(tracker: Fused2Tracker, chunk: int):
    frames, _ = occluded_clip(30)
    queries = Queries(np.array([0, 0, 5, 17]), POINTS)
    whole = tracker.track(frames, queries)
    session = tracker.open_session(SIZE_PX, num_points=4)
    session.add(queries)
    parts = [session.push(frames[i : i + chunk]) for i in range(0, 30, chunk)] + [session.finish()]
    xy, visible, confidence = joined(parts, 4)
    np.testing.assert_allclose(xy, whole.xy, atol=2e-3)
    np.testing.assert_array_equal(visible, whole.visible)
    np.testing.assert_allclose(confidence, whole.confidence, atol=1e-3)
    starts = np.cumsum([0] + [one.num_frames for one in parts[:-1]])
    assert [one.info["first_frame"] for one in parts] == starts.tolist()


def test_results_come_within_the_delay(tracker: Fused2Tracker):
    frames = shifted_clip((1, 0), 40)
    session = tracker.open_session(SIZE_PX)
    session.add(Queries(np.zeros(4, int), POINTS))
    done = 0
    for pushed in range(1, 41):
        done += session.push(frames[pushed - 1 : pushed]).num_frames
        assert pushed - done <= session.delay_frames
    assert 40 - done <= session.delay_frames
    assert session.finish().num_frames == 40 - done
    assert session.num_frames == 40


def test_what_a_session_holds_does_not_grow_with_the_video(tracker: Fused2Tracker):
    session = tracker.open_session(SIZE_PX)
    session.add(Queries(np.zeros(4, int), POINTS))
    held = set()
    for _ in range(8):
        session.push(shifted_clip((1, 0), 8))
        assert session._stream is not None
        held.add((len(session._stream._ahead), len(session._selector._waiting), len(session._selector._path)))
    assert len(held) <= 2


def test_points_can_be_added_on_the_way(tracker: Fused2Tracker):
    frames = shifted_clip((1, 1), 32)
    session = tracker.open_session(SIZE_PX)
    session.add(Queries(np.array([0, 0]), POINTS[:2]))
    parts = [session.push(frames[:13])]
    session.add(Queries(np.array([13, 20]), POINTS[2:]))
    parts += [session.push(frames[13:]), session.finish()]
    xy, visible, _ = joined(parts, 4)
    assert len(xy) == 32
    for n, t in enumerate((0, 0, 13, 20)):
        assert visible[t:, n].all()
        assert not visible[:t, n].any()
        np.testing.assert_allclose(xy[t:, n], POINTS[n] + (np.arange(t, 32) - t)[:, None], atol=1.0)


def test_points_that_are_never_reached_are_hidden(tracker: Fused2Tracker):
    session = tracker.open_session(SIZE_PX)
    session.add(Queries(np.array([0]), POINTS[:1]))
    parts = [session.push(shifted_clip((1, 0), 12))]
    session.add(Queries(np.array([50]), POINTS[1:2]))
    xy, visible, _ = joined([*parts, session.finish()], 2)
    assert len(xy) == 12
    assert not visible[:, 1].any()


def test_without_points_there_are_frames_without_tracks(tracker: Fused2Tracker):
    session = tracker.open_session(SIZE_PX)
    parts = [session.push(shifted_clip((1, 0), 10)), session.finish()]
    assert sum(one.num_frames for one in parts) == 10
    assert all(one.num_points == 0 for one in parts)
    assert isinstance(session, StreamingSession)


def test_what_comes_too_late_is_refused(tracker: Fused2Tracker):
    session = tracker.open_session(SIZE_PX)
    session.push(shifted_clip((1, 0), 6))
    with pytest.raises(QueryError, match="from frame 6 on"):
        session.add(Queries(np.array([5]), POINTS[:1]))
    with pytest.raises(QueryError, match="outside"):
        session.add(Queries(np.array([7]), np.array([[500.0, 3.0]])))
    session.finish()
    with pytest.raises(OptionError, match="finished"):
        session.push(shifted_clip((1, 0), 2))
    assert session.finish().num_frames == 0
    session.close()
    with pytest.raises(OptionError, match="closed"):
        session.push(shifted_clip((1, 0), 2))


def test_frames_of_another_size_are_refused(tracker: Fused2Tracker):
    session = tracker.open_session(SIZE_PX)
    with pytest.raises(ShapeError, match="120, 160, 3"):
        session.push(np.zeros((1, 160, 120, 3), np.uint8))
    with pytest.raises(OptionError, match="num_points"):
        tracker.open_session(SIZE_PX, windows=3)
