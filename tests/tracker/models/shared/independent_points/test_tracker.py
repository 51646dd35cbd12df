"""Clips through trackers whose points never see one another: sizes, directions, memory, what is encoded when."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.errors import OutOfMemoryError, QueryError
from point_tracking.tracker.models.shared.independent_points import tracker as tracker_module
from point_tracking.tracker.video.frames import ArrayFrames

from ...contract import least_limit_gb
from ...shallow import load_shallow

NAMES = ["bootstapir", "bootstapir-online", "tapir", "locotrack-base", "locotrack-small"]
QUERIES = pt.point_queries([(0, 0, 0), (2, 52, 36), (3, 20.5, 11.25), (4, 30, 30), (2, 7, 33)])
SIZES = [256, (256, 384), 384]


class LyingFrames(ArrayFrames):
    """Like a video whose last frames do not decode although they were counted."""

    @property
    def num_frames(self) -> int:
        return super().num_frames + 3


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resolution", SIZES, ids=str)
def test_memory_changes_the_way_and_not_the_tracks(name, resolution, clip, tmp_path):
    options: dict[str, Any] = {"resolution": resolution, "iterations": 2}

    def track(limit_gb: float | None) -> pt.Tracks:
        return load_shallow(name, tmp_path, memory_limit_gb=limit_gb, **options).track(clip(5), QUERIES, True)

    plenty, little = track(None), track(least_limit_gb(track))
    assert plenty.info["plan"]["estimated_mb"] >= little.info["plan"]["estimated_mb"]
    assert little.info["plan"]["keeps_clip"] == (name != "bootstapir-online")
    np.testing.assert_allclose(plenty.xy, little.xy, atol=2e-3)
    np.testing.assert_allclose(plenty.confidence, little.confidence, atol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_points_and_blocks_are_cut_without_a_trace(name, clip, tmp_path, monkeypatch):
    tracker = load_shallow(name, tmp_path, iterations=2)
    whole = tracker.track(clip(5), QUERIES, True)
    make_plan = tracker_module.make_plan
    smallest = tracker_module.Plan(encoder_frames=2, points=2, block=3)
    monkeypatch.setattr(tracker_module, "make_plan", lambda *given: make_plan(*given) and smallest)
    np.testing.assert_allclose(tracker.track(clip(5), QUERIES, True).xy, whole.xy, atol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_encoded_once_for_all_points_directions_and_query_frames(name, clip, tmp_path, monkeypatch):
    tracker: Any = load_shallow(name, tmp_path)
    counts = []
    encode = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda x: counts.append(tuple(x.shape)) or encode(x))
    tracker.track(clip(5), QUERIES, True)
    assert counts == [(1, 3, 256, 256)] * 5, "and never as a whole clip"


@pytest.mark.parametrize("name", NAMES)
def test_earlier_frames_are_seen_only_backward(name, clip, tmp_path):
    tracker = load_shallow(name, tmp_path)
    forward, both = (tracker.track(clip(5), QUERIES, backward) for backward in (False, True))
    before = np.arange(5)[:, None] < QUERIES.t
    assert not forward.visible[before].any()
    assert np.isfinite(forward.xy).all()
    np.testing.assert_array_equal(forward.xy[~before], both.xy[~before])
    same = np.array_equal(forward.xy[before], both.xy[before])
    assert same == tracker.capabilities.bidirectional, "else a second pass finds them"


def test_the_pass_of_the_online_model_towards_the_start_is_one_through_the_reversed_clip(clip, tmp_path):
    tracker, frames = load_shallow("bootstapir-online", tmp_path), clip(5)
    both = tracker.track(frames, QUERIES, True)
    turned = tracker.track(frames[::-1], pt.Queries(4 - QUERIES.t, QUERIES.xy)).xy[::-1]
    before = np.arange(5)[:, None] < QUERIES.t
    np.testing.assert_allclose(both.xy[before], turned[before], atol=1e-3)


def test_a_clip_ends_where_its_frames_do(clip, tmp_path):
    tracker = load_shallow("tapir", tmp_path)
    honest, lying = (tracker.track(kind(clip(5)), QUERIES) for kind in (ArrayFrames, LyingFrames))
    np.testing.assert_array_equal(honest.xy, lying.xy)
    with pytest.raises(QueryError, match="in frame 6"):
        tracker.track(LyingFrames(clip(5)), pt.point_queries([(6, 5, 5)]))


def test_memory_that_runs_out_makes_the_work_smaller_until_it_fits_or_is_refused(clip, tmp_path, monkeypatch):
    tracker: Any = load_shallow("locotrack-small", tmp_path)
    expected, refine, most = tracker.track(clip(5), QUERIES), tracker.model.refine, 2

    def limited(maps, rows, templates, start, course):
        if len(start.xy) > most:
            raise RuntimeError("out of memory")
        return refine(maps, rows, templates, start, course)

    monkeypatch.setattr(tracker.model, "refine", limited)
    np.testing.assert_allclose(tracker.track(clip(5), QUERIES).xy, expected.xy, atol=2e-3)
    most = 0
    with pytest.raises(OutOfMemoryError):
        tracker.track(clip(5), QUERIES)


@pytest.mark.parametrize("name", ["bootstapir", "locotrack-base"])
def test_bfloat16_copies_the_model_and_stays_near(name, clip, tmp_path):
    exact = load_shallow(name, tmp_path).track(clip(4), QUERIES.chosen(QUERIES.t < 4))
    rounded = load_shallow(name, tmp_path, dtype="bfloat16").track(clip(4), QUERIES.chosen(QUERIES.t < 4))
    assert np.median(np.abs(rounded.xy - exact.xy)) < 0.5
