"""Which stretches are tracked together."""

from __future__ import annotations

import media
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from propagation_labels import drawn
from trackers import DriftTracker

from point_tracking.tracker.errors import Cancelled, LimitError
from point_tracking.tracker.propagation import Box, Keyframe, PropagationOptions, Stretch, find_stretches
from point_tracking.tracker.video.frames import VideoFrames
from point_tracking.workflows.propagation import passes
from point_tracking.workflows.propagation.passes import Job, Pass, find_passes, run_pass

OPTIONS = PropagationOptions(points_per_object=4)
NUM_FRAMES = 20


def _between(first: int, last: int) -> Job:
    keyframes = [drawn(10, first), drawn(10 + last - first, last)]
    return Job(Stretch(first + 1, last - 1, first, last), keyframes, (first + 1, last - 1))


def _open(t: int, wanted: tuple[int, int], num_frames: int = NUM_FRAMES) -> Job:
    keyframe = drawn(10, t)
    stretches = find_stretches([keyframe], num_frames)
    return Job(next(one for one in stretches if one.first <= wanted[0] <= one.last), [keyframe], wanted)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> VideoFrames:
    return VideoFrames(media.video(tmp_path_factory.mktemp("passes") / "clip.mp4", NUM_FRAMES))


def test_a_stretch_is_tracked_from_keyframe_to_keyframe_and_an_open_one_as_far_as_asked() -> None:
    assert _between(3, 9).span == (3, 9)
    assert _open(3, (4, 8)).span == (3, 8)
    assert _open(10, (2, 5)).span == (2, 10)


def test_the_stretches_of_a_short_clip_are_one_pass() -> None:
    jobs = [_between(0, 9), _between(9, 30), _open(30, (31, 60), 61)]
    (one,) = find_passes(jobs)
    assert (one.first, one.last, len(one.jobs)) == (0, 60, 3)


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(2, 3000)), min_size=1, max_size=40))
def test_every_job_lies_in_one_pass_that_is_not_much_longer(spans: list[tuple[int, int]]) -> None:
    jobs = [_between(first, first + length) for first, length in spans]
    found = find_passes(jobs)
    assert sorted(id(job) for one in found for job in one.jobs) == sorted(map(id, jobs))
    for one in found:
        for job in one.jobs:
            first, last = job.span
            assert one.first <= first <= last <= one.last
            assert one.last - one.first <= max(4 * (last - first), 128)
    assert [one.first for one in found] == sorted(one.first for one in found)


def test_interleaved_objects_of_a_long_video_do_not_become_one_pass() -> None:
    jobs = [_between(t, t + 10) for start in (0, 5) for t in range(start, 3000, 10)]
    found = find_passes(jobs)
    assert 3010 / 128 <= len(found) <= 3010 / 64
    assert sum(one.last - one.first for one in found) < 2 * 3010


def test_a_pass_fills_its_stretches_in_frames_of_the_video(video: VideoFrames) -> None:
    jobs = [_between(4, 9), _open(9, (10, 15))]
    filled = dict(run_pass(Pass(4, 15, jobs), video, DriftTracker(), OPTIONS))
    between, after = filled[jobs[0]], filled[jobs[1]]
    assert [frame.t for frame in between] == [5, 6, 7, 8]
    assert [frame.t for frame in after] == [10, 11, 12, 13, 14, 15]
    for frame in (*between, *after):
        assert isinstance(frame.shape, Box)
        source = frame.sources[0]
        np.testing.assert_allclose(frame.shape.xyxy[0], 10 + frame.t - source, atol=1e-6)


def test_more_points_than_are_tracked_at_a_time_are_tracked_one_part_after_the_other(
    video: VideoFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [_between(4, 9), _between(4, 9), _between(5, 9)]
    told: list[float] = []
    tracker = DriftTracker()
    whole = dict(run_pass(Pass(4, 9, jobs), video, tracker, OPTIONS))
    assert tracker.clips == 1
    monkeypatch.setattr(passes, "MAX_POINTS_X_FRAMES", 2 * 4 * 6)
    parts = dict(run_pass(Pass(4, 9, jobs), video, tracker, OPTIONS, progress=told.append))
    assert tracker.clips == 1 + 3
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    for job in jobs:
        assert [frame.shape.vector.tolist() for frame in parts[job]] == [
            frame.shape.vector.tolist() for frame in whole[job]
        ]


def test_an_object_with_too_many_points_is_refused_with_the_remedy(
    video: VideoFrames, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "MAX_POINTS_X_FRAMES", 30)
    with pytest.raises(LimitError, match=r"8 points.*6 frames.*points_per_object.*every 3 frames.*\(frames\)"):
        list(run_pass(Pass(4, 9, [_between(4, 9)]), video, DriftTracker(), OPTIONS))


def test_a_shape_beside_the_frame_is_interpolated_from(video: VideoFrames) -> None:
    keyframes = [Keyframe(4, Box([-80, 10, -40, 40])), Keyframe(8, Box([-40, 10, 0.5, 40]))]
    job = Job(Stretch(5, 7, 4, 8), keyframes, (5, 7))
    (found,) = [frames for _, frames in run_pass(Pass(4, 8, [job]), video, DriftTracker(), OPTIONS)]
    assert all(frame.interpolated for frame in found)


def test_a_pass_can_be_cancelled(video: VideoFrames) -> None:
    with pytest.raises(Cancelled):
        list(run_pass(Pass(4, 9, [_between(4, 9)]), video, DriftTracker(), OPTIONS, cancelled=lambda: True))
