"""Finding points anywhere in a frame by the encoder's features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.pt_fused_2.matching import GlobalMatcher, in_turn

GRID, CHANNELS, SIZE_PX = (12, 20), 24, (77, 45)  # cells lie 4 px apart: corner centres coincide
TO_CELLS = np.array([0.25, 0.25])
BUDGET = 2**20


def noise(seed: int, grid: tuple[int, int] = GRID) -> torch.Tensor:
    """Features of unit length that are all unlike."""
    made = torch.randn(*grid, CHANNELS, generator=torch.Generator().manual_seed(seed))
    return made / made.norm(dim=-1, keepdim=True)


def matcher(query_xy: list[tuple[float, float]], features: torch.Tensor) -> GlobalMatcher:
    """Of points given in frame 0."""
    made = GlobalMatcher(SIZE_PX, TO_CELLS, BUDGET)
    made.add(np.zeros(len(query_xy), np.int64), np.array(query_xy, np.float64))
    made.learn(np.arange(len(query_xy)), 0, features)
    return made


@given(x=st.integers(3, 14), y=st.integers(3, 8), dx=st.integers(-2, 2), dy=st.integers(-2, 2))
@settings(max_examples=30, deadline=None)
def test_a_point_is_found_where_its_surroundings_went(x: int, y: int, dx: int, dy: int):
    first = noise(0)
    found = matcher([(4 * x, 4 * y)], first).match(np.array([0]), torch.roll(first, (dy, dx), (0, 1)))
    np.testing.assert_allclose(found.xy[0], (4 * (x + dx), 4 * (y + dy)), atol=0.5)
    assert found.likeness[0] > 0.99
    assert found.lead[0] > 0.1
    assert found.way_back_px[0] < 1


def test_the_way_back_ends_elsewhere_where_another_point_looks_more_alike():
    first, second = noise(0), noise(1)
    third = 0.8 * first[5, 6] + 0.6 * noise(2)[0, 0]
    second[3, 3] = third / third.norm()  # the best there is for the point at (24, 20) ..
    first[9, 15] = second[3, 3]  # .. but its own origin is here
    found = matcher([(24, 20)], first).match(np.array([0]), second)
    np.testing.assert_allclose(found.xy[0], (12, 12), atol=1.5)
    expected = np.hypot((60 - 24) * 256 / 77, (36 - 20) * 256 / 45)
    assert found.way_back_px[0] == pytest.approx(expected, abs=15)


def test_twins_have_no_lead():
    first = noise(0)
    second = noise(1)
    second[2, 4] = second[9, 16] = first[5, 6]
    found = matcher([(24, 20)], first).match(np.array([0]), second)
    assert found.likeness[0] > 0.99
    assert found.lead[0] == pytest.approx(0, abs=1e-5)


def test_beyond_the_budget_the_way_back_is_not_known():
    first = noise(0)
    one_map = first.numel() * 2
    made = GlobalMatcher(SIZE_PX, TO_CELLS, map_budget_bytes=one_map)
    made.add(np.array([0, 1]), np.array([[24.0, 20.0], [40.0, 24.0]]))
    made.learn(np.array([0]), 0, first)
    made.learn(np.array([1]), 1, noise(1))
    found = made.match(np.array([0, 1]), first)
    assert found.way_back_px[0] < 1
    assert np.isnan(found.way_back_px[1])
    assert made._map_bytes == one_map


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch):
    first = noise(0)
    made = matcher([(4 * i, 20) for i in range(15)], first)
    whole = made.match(np.arange(15), noise(1))
    monkeypatch.setattr("point_tracking.tracker.models.pt_fused_2.matching._BLOCK_VALUES", 3 * GRID[0] * GRID[1])
    parts = made.match(np.arange(15), noise(1))
    np.testing.assert_allclose(whole.xy, parts.xy, atol=1e-4)
    np.testing.assert_allclose(whole.way_back_px, parts.way_back_px, atol=1e-3)


def test_likeness_is_that_of_the_place():
    first = noise(0)
    made = matcher([(24, 20)], first)
    assert made.likeness(np.array([0]), np.array([[24.0, 20.0]]), first)[0] == pytest.approx(1, abs=1e-5)
    assert made.likeness(np.array([0]), np.array([[60.0, 36.0]]), first)[0] < 0.8
    assert len(made.likeness(np.zeros(0, int), np.zeros((0, 2)), first)) == 0


def test_points_may_be_added_later():
    first = noise(0)
    made = matcher([(24, 20)], first)
    made.add(np.array([5]), np.array([[40.0, 24.0]]))
    made.learn(np.array([1]), 5, first)
    found = made.match(np.array([0, 1]), first)
    np.testing.assert_allclose(found.xy, [[24, 20], [40, 24]], atol=0.5)


@pytest.mark.parametrize("grid", [(1, 1), (1, 6), (6, 1), (2, 2)])
def test_tiny_maps(grid: tuple[int, int]):
    features = noise(0, grid)
    made = GlobalMatcher((grid[1], grid[0]), np.array([1.0, 1.0]), BUDGET)
    made.add(np.array([0]), np.array([[0.0, 0.0]]))
    made.learn(np.array([0]), 0, features)
    found = made.match(np.array([0]), features)
    assert np.isfinite(found.xy).all()
    assert found.likeness[0] == pytest.approx(1, abs=1e-3)


@given(count=st.integers(0, 40), most=st.integers(1, 12))
def test_of_many_points_each_comes_up_in_turn(count: int, most: int):
    points, seen = np.arange(count) * 3, set()
    for frame_index in range(-(-count // most)):
        some = in_turn(points, frame_index, most)
        assert len(some) == min(count, most) == len(set(some.tolist()))
        seen |= set(some.tolist())
    assert seen == set(points.tolist())
