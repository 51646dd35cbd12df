"""Leaving out evenly."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.panels.trajectories.thinning import (
    MAX_POSITIONS,
    OVERVIEW_POSITIONS,
    even_choice,
    even_part,
    frames_at_most,
    parts_of,
)


@given(st.integers(0, 3000), st.integers(1, 600))
def test_a_choice_is_even_and_has_both_ends(number: int, at_most: int) -> None:
    chosen = even_choice(number, at_most)
    assert len(chosen) == min(number, at_most)
    assert (np.diff(chosen) > 0).all()
    assert number == 0 or chosen[0] == 0
    assert at_most == 1 or number == 0 or chosen[-1] == number - 1
    if len(chosen) > 2:
        assert np.ptp(np.diff(chosen)) <= 1


@given(st.integers(0, 3000), st.integers(1, 600))
def test_parts_hold_everything_once_and_are_even(number: int, at_most: int) -> None:
    num_parts = parts_of(number, at_most)
    parts = [even_part(number, num_parts, part) for part in range(num_parts)]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(number))
    assert max(map(len, parts)) <= at_most
    assert all((np.diff(part) == num_parts).all() for part in parts)
    np.testing.assert_array_equal(even_part(number, num_parts, num_parts + 3), parts[-1])


@given(st.integers(0, 30_000), st.integers(0, 5_000))
def test_frames_of_many_positions_are_fewer(num_frames: int, num_tracks: int) -> None:
    frames = frames_at_most(num_frames, num_tracks)
    assert frames >= 2
    if num_frames * num_tracks <= MAX_POSITIONS:
        assert frames >= num_frames, "nothing is left out"
    else:
        assert frames == 2 or frames * num_tracks <= OVERVIEW_POSITIONS
        assert frames < max(num_frames, 3)
