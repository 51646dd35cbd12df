"""Which frames a copy keeps, and when it shows them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.errors import (
    OptionError,
)
from point_tracking.tracker.transcoding.policy import FramePolicy, select_frames
from point_tracking.tracker.transcoding.timeline import Timeline
from point_tracking.tracker.video.sampling import Sampling, resample, sample_frames


def _timeline(times: np.ndarray, duration_s: float | None = None) -> Timeline:
    ticks = np.rint(times * 1000).astype(np.int64)
    duration = duration_s if duration_s is not None else float(times[-1] + times[-1] / max(len(times) - 1, 1))
    return Timeline(ticks, Fraction(1, 1000), max(duration, 1e-3), 0.0, ticks, confirmed=True)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"name": "fastest"}, "Supported values are auto, fps, every_nth, max_frames"),
        ({"fps": 0}, "rate above 0"),
        ({"fps": -1}, "rate above 0"),
        ({"fps": float("nan")}, "rate above 0"),
        ({"every_nth": 0}, "at least 1"),
        ({"max_frames": 1.5}, "whole number"),
        ({"fps": 3, "every_nth": 2}, "Choose one rule"),
        ({"name": "auto", "fps": 3}, "takes no fps"),
        ({"name": "fps"}, "needs a value for fps"),
        ({"name": "fps", "every_nth": 3}, "found every_nth"),
    ],
)
def test_bad_policies_are_refused(arguments, text):
    with pytest.raises(OptionError, match=text):
        FramePolicy(**arguments)


steps = st.lists(st.integers(1, 400), min_size=0, max_size=80)


# from one frame in years to more than any video has
rates = st.one_of(st.floats(0.1, 200), st.floats(-12, 4).map(lambda power: 10**power))


@settings(deadline=None)  # other work on the machine is no failure
@given(steps, rates)
def test_resampling_chooses_the_nearest_frames(deltas, fps):
    times = np.concatenate([[0], np.cumsum(deltas)]) / 1000
    chosen, slots = resample(times, fps)
    np.testing.assert_array_equal(chosen, sample_frames(times, Sampling(fps=fps)).source_indices)
    assert (np.diff(slots) > 0).all()
    assert slots[0] == 0
    distance = np.abs(times[None] - (slots / fps)[:, None])
    np.testing.assert_allclose(distance[np.arange(len(slots)), chosen], distance.min(axis=1), atol=1e-5)


@settings(deadline=None)  # other work on the machine is no failure
@given(
    steps,
    st.one_of(
        st.builds(FramePolicy),
        st.builds(FramePolicy, fps=rates),
        st.builds(FramePolicy, every_nth=st.integers(1, 100)),
        st.builds(FramePolicy, max_frames=st.integers(1, 100)),
    ),
)
def test_a_selection_invents_nothing_and_keeps_the_duration(deltas, policy):
    times = np.concatenate([[0], np.cumsum(deltas)]) / 1000
    timeline = _timeline(times)
    selection = select_frames(timeline, policy)
    kept = selection.frame_map.source_indices
    assert len(kept) == len(selection.ticks) >= 1
    assert selection.ticks[0] == 0
    assert (selection.durations > 0).all()
    if policy.max_frames is not None:
        assert len(kept) <= policy.max_frames
    if policy.every_nth is not None:
        assert (kept % policy.every_nth == 0).all()
    shown_s = selection.ticks * float(selection.tick_s)
    longest_step = max(np.diff(times, append=timeline.duration_s).max(), 1e-3)
    if policy.fps is not None or policy.max_frames is not None or policy.name == "auto":
        assert np.abs(shown_s - times[kept]).max() <= longest_step + 1e-6
    else:
        np.testing.assert_allclose(shown_s, times[kept], atol=1e-3)
    source_frame_s = timeline.duration_s / len(timeline)
    end_s = selection.end_tick * float(selection.tick_s)
    assert end_s <= max(timeline.duration_s + source_frame_s, shown_s[-1]) + 2e-3
    assert end_s >= timeline.duration_s - longest_step - 2e-3


@settings(deadline=None)  # other work on the machine is no failure
@given(st.integers(1, 3000), st.sampled_from([5, 10, 25, 30, 60]), rates)
def test_a_copy_of_a_regular_video_is_regular_and_ends_with_it(num_frames, source_fps, fps):
    timeline = _timeline(np.arange(num_frames) / source_fps, num_frames / source_fps)
    selection = select_frames(timeline, FramePolicy(fps=fps))
    end_s = selection.end_tick * float(selection.tick_s)
    assert abs(end_s - num_frames / source_fps) <= 1 / source_fps + 2e-3
    shown_s = selection.ticks * float(selection.tick_s)
    if len(shown_s) > 1:
        step_s = 1 / float(selection.fps)
        np.testing.assert_allclose(np.diff(shown_s), step_s, atol=2e-3 + 1e-3 * step_s)
        assert step_s == pytest.approx(max(1 / fps, 1 / source_fps), rel=2e-3, abs=1e-3)
