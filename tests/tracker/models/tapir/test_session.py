"""Videos as they come: every frame settled at once, late points, memory."""

from __future__ import annotations

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, QueryError, ShapeError

from ..shallow import load_shallow

SIZE_PX = (53, 37)
QUERIES = pt.point_queries([(0, 5, 5), (3, 20, 30), (0, 40, 10), (5, 11.5, 8.25)])


@pytest.fixture
def tracker(tmp_path):
    return load_shallow("bootstapir-online", tmp_path, iterations=2)


@pytest.mark.parametrize("sizes", [[1] * 8, [8], [3, 4, 1]], ids=str)
def test_a_session_tracks_each_point_as_if_the_clip_began_with_it(tracker, clip, sizes):
    frames, session = clip(8), tracker.open_session(SIZE_PX)
    session.add(QUERIES)
    parts = [session.push(frames[stop - size : stop]) for size, stop in zip(sizes, np.cumsum(sizes), strict=True)]
    assert [part.info["first_frame"] for part in parts] == [0, *np.cumsum(sizes)[:-1]]
    xy = np.concatenate([part.xy for part in parts])
    for n, t in enumerate(QUERIES.t):
        alone = tracker.track(frames[t:], pt.Queries(np.zeros(1, int), QUERIES.xy[n : n + 1]))
        np.testing.assert_allclose(xy[t:, n], alone.xy[:, 0], atol=1e-3)
        assert np.isnan(xy[:t, n]).all()
    assert session.finish().xy.shape == (0, 4, 2)


def test_points_of_the_last_frame_can_be_added_late(tracker, clip):
    frames, known, late = clip(6), tracker.open_session(SIZE_PX), tracker.open_session(SIZE_PX)
    queries = QUERIES.chosen(QUERIES.t < 5)
    known.add(queries)
    for frame in range(6):
        expected, found = known.push(frames[frame : frame + 1]), late.push(frames[frame : frame + 1])
        late.add(queries.chosen(queries.t == frame))
    order = np.argsort(queries.t, kind="stable")
    np.testing.assert_allclose(found.xy[0], expected.xy[0, order], atol=1e-3)
    with pytest.raises(QueryError, match=r"Frame 4 has gone by\. Points can be added from frame 5 on"):
        late.add(pt.point_queries([(4, 5, 5)]))


def test_what_a_session_holds_does_not_grow_with_the_video(tracker, clip):
    session, frames = tracker.open_session(SIZE_PX), clip(6)
    session.add(QUERIES.chosen(QUERIES.t == 0))

    def held() -> int:
        state = [tensor for block in session._points._state for tensor in (block.inputs, block.hidden)]
        maps = [level for maps in session._last for level in maps.levels]
        return sum(tensor.untyped_storage().nbytes() for tensor in (*state, *maps))

    session.push(frames[:1])
    before = held()
    session.push(frames[1:])
    assert held() == before


def test_a_session_goes_on_with_fewer_points_at_once_where_memory_runs_out(tracker, clip, monkeypatch):
    expected = tracker.open_session(SIZE_PX)
    expected.add(QUERIES)
    expected = expected.push(clip(6))
    refine = tracker.model.refine

    def limited(sets, rows, templates, start, course, state):
        found = refine(sets, rows, templates, start, course, state)
        if len(start.xy) > 1:
            raise RuntimeError("out of memory")  # after the state was renewed: that of a failed step must not stay
        return found

    monkeypatch.setattr(tracker.model, "refine", limited)
    session = tracker.open_session(SIZE_PX)
    session.add(QUERIES)
    np.testing.assert_allclose(session.push(clip(6)).xy, expected.xy, atol=1e-3)


def test_sessions_refuse_what_is_no_next_frame(tracker, clip):
    session = tracker.open_session(SIZE_PX)
    with pytest.raises(ShapeError, match=r"Expected uint8 \(T, 37, 53, 3\)"):
        session.push(clip(2)[:, :30])
    with pytest.raises(QueryError, match="outside"):
        session.add(pt.point_queries([(0, 60, 5)]))
    session.finish()
    with pytest.raises(OptionError, match="finished"):
        session.push(clip(1))
    session.close()
    with pytest.raises(OptionError, match="closed"):
        session.finish()


def test_only_the_online_model_streams(tracker, tmp_path):
    with pytest.raises(OptionError, match="'bootstapir-online'"):
        load_shallow("bootstapir", tmp_path).open_session(SIZE_PX)
    with pytest.raises(OptionError, match="'window'"):
        tracker.open_session(SIZE_PX, window=8)
