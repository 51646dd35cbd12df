"""Whole clips: directions, passes, support, progress, memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import Cancelled, OutOfMemoryError
from point_tracking.tracker.models.cotracker.running import clip_run, run_context
from point_tracking.tracker.video.frames import ArrayFrames

from ..cases import KINDS, POINTS, POINTS_EARLY


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backward", [False, True])
def test_no_points_give_empty_tracks(make, clip, kind, backward):
    empty = pt.Queries(t=np.zeros(0, dtype=int), xy=np.zeros((0, 2)))
    tracks = make(kind).track(clip(5), empty, backward)
    assert tracks.xy.shape == (5, 0, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 80), (48, 64), (131, 77)], ids=str)
def test_frames_of_any_size(make, clip, kind, size):
    height, width = size
    queries = pt.point_queries([(0, 0, 0), (1, width - 1, height - 1)])
    tracks = make(kind, windowed=None).track(clip(9, height, width), queries, backward=True)
    assert np.isfinite(tracks.xy).all()
    if kind not in ("online", "guided"):  # whole-clip predictors put the queries into their frames
        np.testing.assert_allclose(tracks.xy[[0, 1], [0, 1]], queries.xy, atol=1e-3)
        assert tracks.visible[[0, 1], [0, 1]].all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_any_size_and_type(make, clip, dtype):
    mask = np.zeros((19, 101), dtype=dtype)
    mask[8:, 30:70] = 1
    queries = pt.grid_queries(9, height=37, width=53, frame_index=2, mask=mask)
    assert 0 < len(queries) < 81
    tracks = make().track(clip(5), queries)
    assert tracks.xy.shape == (5, len(queries), 2)


def test_support_points_change_results(make, clip):
    with_support, without = (make(**options).track(clip(6), POINTS_EARLY).xy for options in ({}, {"support_grid": 0}))
    assert np.abs(with_support - without).max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_backward_tracks_replace_what_is_before_the_query(make, clip, kind):
    tracker, frames = make(kind, support_grid=0), clip(12)
    forward, both = tracker.track(frames, POINTS), tracker.track(frames, POINTS, backward=True)
    flipped = pt.Queries(t=11 - POINTS.t, xy=POINTS.xy)
    reverse = tracker.track(frames[::-1].copy(), flipped).xy[::-1]
    for n, t in enumerate(POINTS.t):
        np.testing.assert_allclose(both.xy[t:, n], forward.xy[t:, n], atol=1e-3)
        np.testing.assert_allclose(both.xy[:t, n], reverse[:t, n], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_has_no_cost_where_it_has_no_effect(make, clip, kind, monkeypatch):
    tracker, runs = make(kind), []
    real = clip_run.ClipRun._run_windows
    monkeypatch.setattr(clip_run.ClipRun, "_run_windows", lambda self, *a, **k: runs.append(k) or real(self, *a, **k))
    tracker.track(clip(6), pt.grid_queries(2, height=37, width=53), backward=True)
    assert runs == [{"backwards": False}]


def test_features_are_encoded_once_in_both_directions_and_all_passes(make, clip, monkeypatch):
    tracker, encoded = make(), []
    real = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda x: encoded.append(len(x)) or real(x))
    tracker.track(clip(6, 5, 170), pt.dense_queries(height=5, width=170, frame_index=2), backward=True)
    assert sum(encoded) == 6


def test_streams_encode_every_frame_once(make, clip, monkeypatch):
    tracker, encoded = make("online"), []
    real = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda x: encoded.append(len(x)) or real(x))
    tracker.track(clip(21), POINTS)
    assert sum(encoded) == 21


def test_dense_points_are_tracked_in_the_published_passes(make, clip):
    frames = clip(4, 6, 170)  # step 2: four passes of 85 x 3 points
    queries = pt.dense_queries(height=6, width=170, frame_index=1)
    tracker = make()
    dense = tracker.track(frames, queries)
    assert dense.xy.shape == (4, 4 * 85 * 3, 2)
    np.testing.assert_allclose(dense.xy[1], queries.xy, atol=1e-3)
    part = slice(255, 510)
    alone = tracker.track(frames, pt.Queries(t=queries.t[part], xy=queries.xy[part], origin="grid"))
    np.testing.assert_allclose(dense.xy[:, part], alone.xy, atol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backward", [False, True])
def test_progress_rises_to_one(make, clip, kind, backward):
    shares = []
    make(kind).track(clip(12), POINTS, backward, progress=shares.append)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert max(np.diff(shares[:-1])) < 0.7
    assert shares[-2] > 0.8, "the last of six iterations was all that was left"


def test_cancelling_is_asked_for_between_blocks_of_an_iteration(make, clip):
    asked = []
    make(iterations=1, memory_limit_gb=0.002).track(clip(10), POINTS, cancelled=lambda: bool(asked.append(0)))
    assert len(asked) > 12, "three chunks of frames, one iteration, start and end are six"


@pytest.mark.parametrize("calls", [1, 3, 6])
def test_runs_end_when_cancelled(make, clip, calls):
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        make().track(clip(10), POINTS, cancelled=lambda: next(asked) >= calls)
    assert next(asked) == calls + 1


def test_frame_sources_are_read_in_chunks(make, clip):
    frames = clip(12)

    class Counting(ArrayFrames):
        largest = 0

        def chunks(self, **options):
            for chunk in super().chunks(**options):
                Counting.largest = max(Counting.largest, len(chunk))
                yield chunk

    tracker = make()
    np.testing.assert_allclose(tracker.track(Counting(frames), POINTS).xy, tracker.track(frames, POINTS).xy)
    assert 0 < Counting.largest <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_small_budgets_change_memory_not_results(make, clip, kind):
    frames = clip(10)
    free = make(kind).track(frames, POINTS)
    tight = make(kind, memory_limit_gb=0.002).track(frames, POINTS)
    assert tight.info["plan"] != free.info["plan"]
    np.testing.assert_allclose(tight.xy, free.xy, atol=5e-3)


def test_running_out_of_memory_halves_the_plan_and_goes_on(make, clip, monkeypatch):
    tracker, frames = make(), clip(10)
    real, seen = tracker.model.refine, []

    def refine(maps, queries, state, iterations, chunks):
        seen.append((maps.num_frames, state.xy.shape[1], chunks.block_tokens))
        if chunks.block_tokens > 64 or maps.num_frames > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        yield from real(maps, queries, state, iterations, chunks)

    monkeypatch.setattr(tracker.model, "refine", refine)
    tracks = tracker.track(frames, POINTS)
    assert seen[0][2] > 64
    assert tracks.info["plan"]["block_tokens"] == 64
    assert tracks.info["plan"]["window_frames"] == 8, "the clip is cut though memory looks free"
    assert any("windows of 8" in warning for warning in tracks.info["warnings"])
    assert np.isfinite(tracks.xy).all()
    monkeypatch.setattr(tracker.model, "refine", lambda *a: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        tracker.track(frames, POINTS)


def test_what_never_fits_is_refused_with_what_to_do(make, clip, monkeypatch):
    tracker, attempts = make("online"), []

    def refine(*_):
        attempts.append(0)
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    monkeypatch.setattr(tracker.model, "refine", refine)
    with pytest.raises(OutOfMemoryError, match=r"fewer points.*memory_limit_gb"):
        tracker.track(clip(10), POINTS)
    assert 1 < len(attempts) <= 8


def test_nothing_to_tell_is_no_warning(make, clip):
    assert make().track(clip(6), POINTS_EARLY).info["warnings"] == []


def test_stored_and_sampled_templates_give_the_same(make, clip, monkeypatch):
    frames, tracker = clip(10), make()
    real, found = run_context.make_plan, []
    for stores in (True, False):
        monkeypatch.setattr(
            run_context, "make_plan", lambda *given, s=stores: replace(real(*given), stores_templates=s)
        )
        found.append(tracker.track(frames, POINTS).xy)
    np.testing.assert_allclose(*found, atol=2e-3)
