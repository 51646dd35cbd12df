"""Videos as they come: settled frames, late points, memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import OptionError, OutOfMemoryError, QueryError, ShapeError
from point_tracking.tracker.models.cotracker.network.model import TrackState
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

KINDS = ["online", "guided", "v2"]


QUERIES = pt.point_queries([(0, 5, 5), (3, 20, 30), (9, 40, 10), (17, 11.5, 8.25), (19, 30, 20)])


QUERIES_AT_0 = pt.point_queries([(0, 5, 5)])


def track(model, frames, queries=QUERIES, **options):
    return CoTrackerTracker.from_model(model, device="cpu", **options).track(frames, queries)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [[1] * 21, [21], [5, 9, 1, 6], [16, 5]], ids=str)
def test_a_session_equals_the_whole_video(small_model, clip, kind, sizes):
    model, frames = small_model(kind), clip(21)
    tracker = CoTrackerTracker.from_model(model, device="cpu", windowed=False)
    whole = tracker.track(frames, QUERIES)
    session = tracker.open_session((53, 37))
    session.add(QUERIES)
    parts, start = [], 0
    for size in sizes:
        parts.append(session.push(frames[start : start + size]))
        assert parts[-1].info["first_frame"] == sum(len(part.xy) for part in parts[:-1])
        start += size
    assert session.num_frames == 21
    parts.append(session.finish())
    np.testing.assert_allclose(np.concatenate([part.xy for part in parts]), whole.xy, atol=2e-3)
    np.testing.assert_allclose(np.concatenate([part.confidence for part in parts]), whole.confidence, atol=1e-3)


def test_a_session_settles_half_a_window_after_its_frames(small_model, clip):
    session = CoTrackerTracker.from_model(small_model("online"), device="cpu").open_session((53, 37))
    session.add(QUERIES)
    frames = clip(16)
    assert [len(session.push(frame[None]).xy) for frame in frames] == [0] * 7 + [4] + [0, 0, 0, 4] * 2
    assert len(session.finish().xy) == 4
    assert len(session.finish().xy) == 0


def test_points_join_a_running_session(small_model, clip):
    frames = clip(20)
    tracker = CoTrackerTracker.from_model(small_model("online"), device="cpu", support_grid=0)
    session = tracker.open_session((53, 37))
    session.add(pt.point_queries([(0, 5, 5)]))
    first = session.push(frames[:12])
    assert first.xy.shape == (8, 1, 2)
    with pytest.raises(QueryError, match="from frame 8 on"):
        session.add(pt.point_queries([(7, 20, 30)]))
    session.add(pt.point_queries([(8, 20, 30), (15, 40, 10)]))
    second = session.push(frames[12:])
    assert second.xy.shape == (8, 3, 2)
    assert second.info["first_frame"] == 8
    rest = session.finish()
    assert rest.xy.shape == (4, 3, 2)
    # the point in frame 15 is found in its own frame: the model starts there
    assert np.abs(second.xy[7, 2] - [40, 10]).max() < 25
    session.close()
    with pytest.raises(OptionError, match="closed"):
        session.push(frames[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_points_added_after_the_last_window_are_tracked(small_model, clip, kind):
    frames = clip(12)
    session = CoTrackerTracker.from_model(small_model(kind), device="cpu", windowed=False).open_session((53, 37))
    session.add(pt.point_queries([(0, 5, 5)]))
    assert len(session.push(frames).xy) == 8, "no frame waits for another window"
    session.add(pt.point_queries([(9, 20, 30), (11, 40, 10)]))
    rest = session.finish()
    assert rest.xy.shape == (4, 3, 2)
    assert rest.info["first_frame"] == 8
    assert np.isfinite(rest.xy).all()
    for row, column, expected in ((1, 1, (20, 30)), (3, 2, (40, 10))):
        assert np.abs(rest.xy[row, column] - expected).max() < 25, "found in its own frame, where the model starts"
    assert len(session.finish().xy) == 0


def test_finishing_without_news_runs_no_window_again(small_model, clip, monkeypatch):
    model = small_model("online")
    session = CoTrackerTracker.from_model(model, device="cpu").open_session((53, 37))
    session.add(QUERIES_AT_0)
    session.push(clip(12))
    monkeypatch.setattr(model, "refine", None)
    assert session.finish().xy.shape == (4, 1, 2)


def test_sessions_go_on_with_smaller_blocks_where_memory_runs_out(small_model, clip, monkeypatch):
    model, frames = small_model("online"), clip(21)
    expected = track(model, frames)
    tracker = CoTrackerTracker.from_model(model, device="cpu")
    session = tracker.open_session((53, 37))
    session.add(QUERIES)
    refine, encode, failed = model.refine, model.encode, []

    def scarce_refine(maps, queries, state, iterations, chunks):
        if chunks.block_tokens > 200:
            failed.append("refine")
            yield TrackState.at_queries(state.xy[:, :, 0], 8)  # it may fail anywhere on the way
            raise torch.OutOfMemoryError("CUDA out of memory")
        yield from refine(maps, queries, state, iterations, chunks)

    def scarce_encode(x):
        if len(x) > 1 or failed.count("encode") < 2:
            failed.append("encode")
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return encode(x)

    monkeypatch.setattr(model, "refine", scarce_refine)
    monkeypatch.setattr(model, "encode", scarce_encode)
    parts = [session.push(frames[:11]), session.push(frames[11:]), session.finish()]
    np.testing.assert_allclose(np.concatenate([part.xy for part in parts]), expected.xy, atol=2e-3)
    assert {"refine", "encode"} == set(failed)
    assert failed.count("refine") < 6, "what did not fit is not tried again in every window"


def test_a_session_that_cannot_fit_says_what_to_do(small_model, clip, monkeypatch):
    model = small_model("online")
    session = CoTrackerTracker.from_model(model, device="cpu").open_session((53, 37))
    session.add(QUERIES)

    def refine(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    with monkeypatch.context() as patch:
        patch.setattr(model, "refine", refine)
        with pytest.raises(OutOfMemoryError, match=r"fewer points.*memory_limit_gb"):
            session.push(clip(8))
    assert session.push(clip(9)[8:]).xy.shape == (4, 5, 2), "nothing was lost: with memory again, it goes on"


def test_a_session_plans_for_its_points(small_model):
    tracker = CoTrackerTracker.from_model(small_model("online"), device="cpu", memory_limit_gb=0.004, support_grid=0)
    session = tracker.open_session((53, 37))
    few = session._chunks
    session.add(pt.Queries(t=np.zeros(1500, dtype=int), xy=np.full((1500, 2), 9.0)))
    assert session._chunks.block_tokens < few.block_tokens


def test_a_session_without_points_costs_nothing_and_reports_no_tracks(small_model, clip):
    session = CoTrackerTracker.from_model(small_model("online"), device="cpu").open_session((53, 37))
    assert session.push(clip(9)).xy.shape == (4, 0, 2)
    assert session.finish().xy.shape == (5, 0, 2)


def test_frames_of_another_size_are_refused(small_model, clip):
    session = CoTrackerTracker.from_model(small_model("online"), device="cpu").open_session((53, 37))
    with pytest.raises(ShapeError, match="37, 53, 3"):
        session.push(clip(2, height=20))
    with pytest.raises(ShapeError, match="float"):
        session.push(clip(2).astype(float))


def test_the_offline_model_has_no_session(small_model):
    with pytest.raises(OptionError, match="no streaming session"):
        CoTrackerTracker.from_model(small_model("offline"), device="cpu").open_session((53, 37))


def test_a_session_keeps_no_more_memory_for_longer_videos(small_model, clip):
    session = CoTrackerTracker.from_model(small_model("online"), device="cpu").open_session((53, 37))
    session.add(QUERIES)
    sizes = []
    for _ in range(6):
        session.push(clip(8))
        _, store = session._open()
        sizes.append(sum(level.numel() for level in store._levels))
    assert len(set(sizes)) == 1
