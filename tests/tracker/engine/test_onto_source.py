"""Tracks of a copy on the frames of its source."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from trackers import random_tracks

from point_tracking import Tracks
from point_tracking.tracker.engine.onto_source import onto_source

COPY, SOURCE = (64, 48), (320, 240)


def test_positions_are_scaled_from_edge_to_edge():
    tracks = Tracks(np.array([[[0.0, 0.0], [31.5, 23.5]]]), np.ones((1, 2), bool), np.ones((1, 2)))
    moved = onto_source(tracks, np.array([4]), COPY, SOURCE, interpolate=True)
    np.testing.assert_allclose(moved.tracks.xy, [[[2.0, 2.0], [159.5, 119.5]]])
    assert moved.frame_numbers.tolist() == [4]
    assert moved.interpolated is None


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_frames_in_between_lie_on_the_line_where_both_sides_are_seen(seed: int, gaps: list[int]):
    numbers = 3 + np.concatenate([[0], np.cumsum(gaps)])
    tracks = random_tracks(np.random.default_rng(seed), len(numbers), 5, COPY)
    plain = onto_source(tracks, numbers, COPY, SOURCE, interpolate=False).tracks
    filled = onto_source(tracks, numbers, COPY, SOURCE, interpolate=True)
    every = filled.frame_numbers
    assert every.tolist() == list(range(numbers[0], numbers[-1] + 1))
    assert filled.interpolated is not None
    assert (filled.interpolated == ~np.isin(every, numbers)).all()
    for row, number in enumerate(every):
        after = int(np.searchsorted(numbers, number))
        if numbers[after] == number:  # what was tracked stays to the last bit
            for name in ("xy", "visible", "confidence"):
                np.testing.assert_array_equal(getattr(filled.tracks, name)[row], getattr(plain, name)[after])
            continue
        share = (number - numbers[after - 1]) / (numbers[after] - numbers[after - 1])
        both = plain.visible[after - 1] & plain.visible[after]
        np.testing.assert_array_equal(filled.tracks.visible[row], both)
        expected = plain.xy[after - 1] * (1 - share) + plain.xy[after] * share
        np.testing.assert_allclose(filled.tracks.xy[row][both], expected[both], rtol=1e-4, atol=1e-4)
        assert np.isnan(filled.tracks.xy[row][~both]).all()
        lower = np.minimum(plain.confidence[after - 1], plain.confidence[after])
        np.testing.assert_array_equal(filled.tracks.confidence[row], np.where(both, lower, 0))


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_filling_keeps_what_was_tracked_and_adds_only_between_visible_points(seed: int, gaps: list[int]) -> None:
    numbers = np.cumsum([1, *gaps])
    tracks = random_tracks(np.random.default_rng(seed), len(numbers), 5, COPY)
    moved = onto_source(tracks, numbers, COPY, COPY, interpolate=True)
    np.testing.assert_array_equal(moved.frame_numbers, np.arange(numbers[0], numbers[-1] + 1))
    assert moved.interpolated is not None
    kept = ~moved.interpolated
    np.testing.assert_array_equal(moved.frame_numbers[kept], numbers)
    np.testing.assert_allclose(moved.tracks.xy[kept], tracks.xy, atol=1e-3)
    np.testing.assert_array_equal(moved.tracks.visible[kept], tracks.visible)
    np.testing.assert_array_equal(moved.tracks.confidence[kept], tracks.confidence)
    for row in np.flatnonzero(moved.interpolated):
        after = int(np.searchsorted(numbers, moved.frame_numbers[row]))
        before = after - 1
        both = tracks.visible[before] & tracks.visible[after]
        np.testing.assert_array_equal(moved.tracks.visible[row], both)
        low, high = np.sort(tracks.xy[[before, after]], axis=0)
        xy = moved.tracks.xy[row]
        assert ((xy >= low - 1e-3) & (xy <= high + 1e-3))[both].all()
        lower = np.minimum(tracks.confidence[before], tracks.confidence[after])
        np.testing.assert_array_equal(moved.tracks.confidence[row], np.where(both, lower, 0))
