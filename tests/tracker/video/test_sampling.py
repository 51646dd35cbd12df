"""Which frames are used: rules by number and by time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.video.sampling import Sampling, as_sampling, nearest_frames, sample_frames

# whole milliseconds, as containers store them
STEPS = st.lists(st.integers(1, 3000), min_size=0, max_size=60)
TIMES = STEPS.map(lambda steps: np.cumsum([0, *steps]) / 1000)


def brute_force_at_rate(times: np.ndarray, fps: float) -> set[int]:
    """Every frame that is the nearest one to some grid point, found grid point by grid point."""
    step = times[-1] - times[-2] if len(times) > 1 else 0.0
    chosen = set()
    for k in range(int((times[-1] + step / 2) * fps + 1e-6) + 1):
        distance = np.abs(times - k / fps)
        chosen.add(int(np.flatnonzero(distance <= distance.min() + 1e-9)[0]))
    return chosen


def test_every_frame_by_default():
    frame_map = sample_frames(np.arange(7) / 10, Sampling())
    assert frame_map.is_identity
    assert Sampling().keeps_all
    assert Sampling(every_nth=1).keeps_all
    assert not Sampling(fps=100).keeps_all


@given(st.integers(0, 200), st.integers(1, 50))
def test_every_nth(total, n):
    frame_map = sample_frames(np.arange(total) / 10, Sampling(every_nth=n))
    assert frame_map.source_indices.tolist() == list(range(0, total, n))
    assert frame_map.num_source_frames == total


@given(TIMES, st.integers(1, 80))
def test_target_rate_keeps_the_frame_nearest_to_each_grid_point(times, fps):
    chosen = sample_frames(times, Sampling(fps=fps)).source_indices
    assert set(chosen.tolist()) == brute_force_at_rate(times, fps)
    assert chosen[0] == 0
    # the rate is not raised: no more frames than grid points over the time shown
    shown = times[-1] + (times[-1] - times[-2] if len(times) > 1 else 0)
    assert len(chosen) <= min(len(times), np.floor(shown * fps) + 1)


@given(st.integers(1, 300), st.sampled_from([24, 30, 29.97, 25, 10, 60]), st.floats(1.0, 50))
def test_a_rate_above_the_source_keeps_every_frame(total, source_fps, factor):
    times = np.arange(total) / source_fps
    assert sample_frames(times, Sampling(fps=source_fps * factor)).is_identity


@given(st.integers(2, 300), st.sampled_from([24, 30, 29.97, 60]), st.floats(0.05, 1.0))
def test_a_lower_rate_keeps_the_duration_within_a_sampled_frame(total, source_fps, share):
    times, fps = np.arange(total) / source_fps, source_fps * share
    chosen = sample_frames(times, Sampling(fps=fps)).source_indices
    assert times[-1] - times[chosen[-1]] <= 1 / fps + 0.5 / source_fps + 1e-6
    # each is within half a source frame of its grid point
    assert len(chosen) == 1 or np.diff(times[chosen]).min() >= 1 / fps - 1 / source_fps - 1e-6


def test_time_stamps_rounded_to_milliseconds_lose_no_frame():
    times = np.round(np.arange(100) / 30, 3)
    assert sample_frames(times, Sampling(fps=30)).is_identity
    assert sample_frames(times, Sampling(fps=15)).source_indices.tolist() == list(range(0, 100, 2))


def test_a_burst_is_thinned_even_where_the_average_rate_is_low():
    times = np.array([0, 0.01, 0.02, 0.03, 10.0])
    assert sample_frames(times, Sampling(fps=5)).source_indices.tolist() == [0, 3, 4]


def test_an_absurd_rate_needs_no_memory():
    assert sample_frames(np.arange(10.0) * 1000, Sampling(fps=1e12)).is_identity


@given(TIMES, st.integers(1, 80))
def test_maximum_number(times, most):
    chosen = sample_frames(times, Sampling(max_frames=most)).source_indices
    assert 1 <= len(chosen) <= most
    assert chosen[0] == 0
    if len(times) <= most:
        assert len(chosen) == len(times)
    elif most > 1:
        assert chosen[-1] == len(times) - 1


@given(st.integers(1, 200), st.integers(1, 200))
def test_maximum_number_is_reached_at_a_constant_rate(total, most):
    assert len(sample_frames(np.arange(total) / 25, Sampling(max_frames=most))) == min(total, most)


@given(TIMES, st.lists(st.floats(-5, 200), min_size=1, max_size=20))
def test_nearest_frames_are_nearest(times, targets):
    chosen = nearest_frames(times, np.array(targets))
    assert (np.diff(chosen) > 0).all()
    distances = {float(np.abs(times - t).min()) for t in targets}
    expected = {int(np.abs(times - t).argmin()) for t in targets}
    assert len(chosen) <= len(targets)
    assert set(chosen.tolist()) == expected or all(
        min(abs(times[i] - t) for i in chosen) <= np.abs(times - t).min() + 1e-9 for t in targets
    ), (distances, chosen)


@pytest.mark.parametrize("sampling", [Sampling(), Sampling(every_nth=2), Sampling(fps=5), Sampling(max_frames=3)])
def test_no_frames_give_an_empty_map_and_one_frame_is_kept(sampling):
    assert len(sample_frames(np.array([]), sampling)) == 0
    assert sample_frames(np.array([0.0]), sampling).source_indices.tolist() == [0]


def test_rules_as_users_write_them():
    assert as_sampling(None) == Sampling()
    assert as_sampling({"fps": 5}) == Sampling(fps=5)
    assert as_sampling({"every_nth": 3}) == Sampling(every_nth=3)
    assert as_sampling({"max_frames": np.int64(9)}) == Sampling(max_frames=9)
    rule = Sampling(fps=2)
    assert as_sampling(rule) is rule


@pytest.mark.parametrize(
    "value",
    [
        5,
        "fps",
        [("fps", 5)],
        {"rate": 5},
        {"fps": 0},
        {"fps": -1},
        {"fps": float("nan")},
        {"fps": float("inf")},
        {"fps": "5"},
        {"fps": True},
        {"every_nth": 0},
        {"every_nth": 1.5},
        {"every_nth": "x"},
        {"every_nth": float("inf")},
        {"max_frames": 0},
        {"max_frames": False},
        {"max_frames": []},
        {"fps": 5, "every_nth": 2},
    ],
)
def test_bad_rules_are_refused(value):
    with pytest.raises(OptionError, match="Invalid"):
        as_sampling(value)


@pytest.mark.parametrize("changes", [{"every_nth": "x"}, {"fps": "5"}, {"max_frames": float("nan")}])
def test_bad_rules_are_refused_by_the_class_too(changes):
    with pytest.raises(OptionError, match="Invalid"):
        Sampling(**changes)
