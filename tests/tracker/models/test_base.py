"""What every tracker inherits: checks before the work, progress, cancelling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import Cancelled, OptionError, QueryError, ShapeError
from point_tracking.tracker.models.base import RunHooks, StreamingSession, capped_where_hidden, check_option_names
from point_tracking.tracker.video.frames import ArrayFrames

CLIP = np.zeros((5, 20, 30, 3), np.uint8)


@given(st.lists(st.floats(-1, 2, allow_nan=False), max_size=20))
def test_progress_is_told_rising_and_within_its_bounds(shares: list[float]):
    told: list[float] = []
    hooks = RunHooks(told.append)
    for share in shares:
        hooks.report(share)
    assert all(0 <= share <= 1 for share in told)
    positive = [share for share in told if share > 0]
    assert positive == sorted(set(positive))
    assert max([0.0, *told]) == min(max([0.0, *shares]), 1.0)


def test_a_cancelled_run_ends_before_it_tells_progress():
    told: list[float] = []
    with pytest.raises(Cancelled):
        RunHooks(told.append, lambda: True).report(0.5)
    assert told == []


def test_hidden_points_are_never_as_sure_as_seen_ones():
    found = capped_where_hidden(np.array([0.9, 0.9, 0.2, 0.2]), np.array([True, False, True, False]))
    np.testing.assert_array_equal(found, [0.9, 0.49, 0.2, 0.2])


def test_queries_are_checked_before_the_work():
    tracker = DriftTracker()
    for bad in [(5, 1, 1), (0, 30, 1), (0, -1, 1)]:
        with pytest.raises(QueryError):
            tracker.track(CLIP, pt.point_queries([bad]))
    with pytest.raises(ShapeError):
        tracker.track(CLIP.astype(float), pt.point_queries([(0, 1, 1)]))
    assert tracker.clips == 0


def test_queries_in_the_first_frame_need_no_count_of_frames():
    class Uncounted(ArrayFrames):
        @property
        def num_frames(self) -> int:
            raise AssertionError("decoded to its end to be counted")

        @property
        def num_frames_hint(self) -> int:
            return 5

    tracks = DriftTracker().track(Uncounted(CLIP), pt.point_queries([(0, 1, 1)]))
    assert tracks.num_frames == 5


def test_progress_goes_from_zero_to_one():
    told: list[float] = []
    DriftTracker().track(CLIP, pt.point_queries([(0, 1, 1)]), progress=told.append)
    assert (told[0], told[-1]) == (0, 1)


def test_a_tracker_without_sessions_says_so():
    with pytest.raises(OptionError, match="'drift' has no streaming session"):
        DriftTracker().open_session((30, 20))
    assert not isinstance(DriftTracker(), StreamingSession)


@dataclass
class Options:
    resolution: int = 1
    device: str = "cpu"


def test_names_of_options_are_those_of_their_dataclass():
    check_option_names("drift", ["device"], Options)
    with pytest.raises(OptionError, match=r"'drift' .'devise'.. Supported values are resolution, device$"):
        check_option_names("drift", ["device", "devise"], Options)
    with pytest.raises(OptionError, match="resolution, device; besides these, grid_size"):
        check_option_names("drift", ["zoom"], Options, besides=["grid_size"])
