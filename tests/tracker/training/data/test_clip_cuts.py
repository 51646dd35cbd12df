"""Clips cut from videos, and the points that are followed in them."""

from __future__ import annotations

from pathlib import Path

import adaptable
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.training.data.clip_cuts import (
    CutRules,
    clip_indices,
    cut_clip,
    feature_queries,
    find_features,
    with_support_points,
)
from point_tracking.tracker.types import Queries
from point_tracking.tracker.video.frames import ArrayFrames, VideoFrames


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 4), st.integers(0, 59))
def test_a_clip_goes_forward_and_turns_at_the_ends(num_frames: int, length: int, step: int, start: int) -> None:
    indices = clip_indices(num_frames, length, step, min(start, num_frames - 1))
    assert indices.shape == (length,)
    assert (indices >= 0).all()
    assert (indices < num_frames).all()
    if min(start, num_frames - 1) + step * (length - 1) < num_frames:
        np.testing.assert_array_equal(indices, min(start, num_frames - 1) + step * np.arange(length))


def test_a_short_video_is_played_back_and_forth() -> None:
    assert clip_indices(4, 9, 1, 0).tolist() == [0, 1, 2, 3, 2, 1, 0, 1, 2]


def test_a_lower_step_goes_before_playing_backward() -> None:
    frames = np.repeat(np.arange(10, dtype=np.uint8)[:, None, None, None] * 20, 32, axis=1)
    video = ArrayFrames(np.ascontiguousarray(np.broadcast_to(frames, (10, 32, 32, 3))))
    for seed in range(20):
        clip = cut_clip(video, 10, (32, 32), CutRules(frame_step=(1, 3)), np.random.default_rng(seed))
        assert (clip[:, 0, 0, 0] // 20).tolist() == list(range(10))


def test_clips_of_a_video_are_parts_of_its_frames(tmp_path: Path) -> None:
    video = VideoFrames(adaptable.textured_video(tmp_path / "a.mp4", step_px=(1, 0)))
    rng = np.random.default_rng(3)
    clips = [cut_clip(video, 6, (32, 48), CutRules(), rng) for _ in range(6)]
    assert {clip.shape for clip in clips} == {(6, 32, 48, 3)}
    assert len({clip.tobytes() for clip in clips}) == 6, "each is another part"
    exact = cut_clip(video, 3, (72, 96), CutRules(frame_step=(1, 1), zoom=1.0), rng)
    whole = video.read(range(16))
    assert any(np.array_equal(exact, whole[k : k + 3]) for k in range(14))


@given(st.integers(0, 1000), st.integers(4, 40), st.integers(8, 40))
def test_queries_lie_in_the_first_quarter_only(seed: int, num_frames: int, count: int) -> None:
    frames = np.repeat(adaptable.surface(1, 96)[None], num_frames, axis=0)
    queries = feature_queries(frames, count, np.random.default_rng(seed))
    assert queries is not None
    assert len(queries) == count
    assert queries.t.max() < max(num_frames // 4, 1)
    queries.check_inside((96, 96), num_frames)


def test_query_frames_are_drawn_from_all_of_the_quarter() -> None:
    frames = np.repeat(adaptable.surface(1, 96)[None], 80, axis=0)
    drawn = np.zeros(80, dtype=int)
    for seed in range(40):
        queries = feature_queries(frames, 16, np.random.default_rng(seed))
        assert queries is not None
        drawn[np.unique(queries.t)] += 1
    assert (drawn[:20] > 0).all()
    assert not drawn[20:].any()


def test_a_picture_without_features_gives_no_queries() -> None:
    assert feature_queries(np.full((8, 64, 64, 3), 90, np.uint8), 8, np.random.default_rng(0)) is None


def test_features_are_different_places() -> None:
    xy = find_features(adaptable.surface(2), 60)
    assert len(xy) == 60
    assert len(np.unique(xy, axis=0)) == 60


@pytest.mark.parametrize(
    ("joint", "whole_clip", "extra", "frames"), [(False, False, 0, 1), (True, False, 25, 1), (True, True, 100, 12)]
)
def test_support_comes_behind_the_queries(joint: bool, whole_clip: bool, extra: int, frames: int) -> None:
    queries = Queries(np.array([2, 1]), np.array([[3.0, 4.0], [5.0, 6.0]]), origin="grid")
    asked = with_support_points(queries, 12, (64, 48), joint=joint, whole_clip=whole_clip, rng=np.random.default_rng(0))
    assert len(asked) == 2 + extra
    np.testing.assert_array_equal(asked.xy[:2], queries.xy)
    np.testing.assert_array_equal(asked.t[:2], queries.t)
    asked.check_inside((64, 48), 12)
    if extra:
        assert asked.t[2:].max() < frames
        assert (asked.t[2:].max() > 0) == whole_clip
