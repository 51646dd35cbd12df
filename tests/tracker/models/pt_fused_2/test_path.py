"""The best path through candidates, against all paths tried one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.models.pt_fused_2.path import BestPath

WEIGHT, CAP_PX = 0.5, 6.0


def cost_of(path: tuple[int, ...], estimate: np.ndarray, leaps: np.ndarray) -> float:
    cost = -np.log(np.clip(estimate[0, path[0]], 0.02, 1))
    for t in range(1, len(path)):
        cost += -np.log(np.clip(estimate[t, path[t]], 0.02, 1))
        cost += WEIGHT * min(leaps[t, path[t - 1], path[t]] / CAP_PX, 1)
    return float(cost)


def decided(estimate: np.ndarray, leaps: np.ndarray, look_ahead: int, fresh: np.ndarray | None = None) -> np.ndarray:
    """(T, N) choices of (T, N, K) estimates."""
    path, chosen = BestPath(estimate.shape[2], WEIGHT, CAP_PX), []
    for t in range(len(estimate)):
        none = np.zeros(estimate.shape[1], bool)
        path.push(estimate[t], leaps[t], none if fresh is None else fresh[t])
        if len(path) > look_ahead:
            chosen.append(path.pop())
    while len(path):
        chosen.append(path.pop())
    return np.stack(chosen)


@given(seed=st.integers(0, 2**32 - 1), num_frames=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_with_all_frames_ahead_no_path_is_cheaper(seed: int, num_frames: int):
    rng = np.random.default_rng(seed)
    estimate = rng.random((num_frames, 2, 3))
    leaps = rng.random((num_frames, 2, 3, 3)) * 12
    leaps[0] = 0
    chosen = decided(estimate, leaps, look_ahead=num_frames)
    for n in range(2):
        cheapest = min(cost_of(path, estimate[:, n], leaps[:, n]) for path in product(range(3), repeat=num_frames))
        assert cost_of(tuple(chosen[:, n]), estimate[:, n], leaps[:, n]) <= cheapest + 1e-5


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_without_leaps_each_frame_chooses_for_itself(seed: int):
    estimate = np.random.default_rng(seed).uniform(0.05, 1, (5, 3, 3))
    chosen = decided(estimate, np.zeros((5, 3, 3, 3)), look_ahead=2)
    np.testing.assert_array_equal(chosen, estimate.argmax(axis=2))


def test_a_candidate_that_does_not_exist_is_not_chosen():
    estimate = np.full((3, 1, 3), 0.05)
    estimate[:, 0, 2] = np.nan
    assert (decided(estimate, np.zeros((3, 1, 3, 3)), look_ahead=1) != 2).all()


def test_what_later_frames_tell_changes_the_choice_within_the_look_ahead():
    """The second candidate looks slightly worse now, and far better in the next frames; to change over costs."""
    estimate = np.array([[[0.6, 0.5, np.nan]], [[0.1, 0.9, np.nan]], [[0.1, 0.9, np.nan]]])
    leaps = np.full((3, 1, 3, 3), 12.0)
    leaps[:, :, [0, 1, 2], [0, 1, 2]] = 0
    assert decided(estimate, leaps, look_ahead=0)[:, 0].tolist() == [0, 1, 1]
    assert decided(estimate, leaps, look_ahead=2)[:, 0].tolist() == [1, 1, 1]


def test_paths_begin_where_points_are_given():
    estimate = np.array([[[0.02, 1.0, 0.02]], [[1.0, 0.9, 0.02]]])
    leaps = np.full((2, 1, 3, 3), 12.0)
    leaps[:, :, [0, 1, 2], [0, 1, 2]] = 0
    fresh = np.array([[True], [False]])
    assert decided(estimate, leaps, look_ahead=2, fresh=fresh)[1, 0] == 0, "what was before costs nothing"


def test_points_may_be_added_on_the_way():
    path = BestPath(3, WEIGHT, CAP_PX)
    path.push(np.array([[0.1, 0.9, 0.1]]), np.zeros((1, 3, 3)), np.array([False]))
    path.push(np.array([[0.1, 0.9, 0.1], [0.9, 0.1, 0.1]]), np.zeros((2, 3, 3)), np.array([False, True]))
    assert path.pop().tolist() == [1]
    assert len(path.pop()) == 2
    assert len(path) == 0


def test_the_memory_is_that_of_the_frames_ahead():
    path = BestPath(3, WEIGHT, CAP_PX)
    for _ in range(1000):
        path.push(np.full((4, 3), 0.5), np.full((4, 3, 3), 3.0), np.zeros(4, bool))
        if len(path) > 8:
            path.pop()
    assert len(path) == 8
    assert np.isfinite(path._cost).all()
    assert path._cost.max() < 100
