"""How a cloud of points moved, as most of its points have it."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.propagation.motion import median_scale, moved_positions

CLOUD = np.random.default_rng(0).uniform(0, 100, (60, 2))


def test_the_scale_is_that_of_most_points():
    now = CLOUD * 1.5 + [7, -3]
    now[:8] = [500, 500]  # an eighth of the points is wrong
    assert median_scale(CLOUD, now) == pytest.approx(1.5, rel=0.03)


def test_points_without_a_pair_tell_no_scale():
    assert median_scale(CLOUD[:1], CLOUD[:1] + 5) == 1
    assert median_scale(np.zeros((3, 2)), np.ones((3, 2))) == 1


def test_places_go_with_the_points_around_them():
    start = np.concatenate([CLOUD, CLOUD + np.array([500, 0])])
    now = start.copy()
    now[: len(CLOUD)] += [10, 0]
    now[len(CLOUD) :] += [0, 10]
    places = np.array([[50.0, 50], [550, 50]])
    np.testing.assert_allclose(moved_positions(places, start, now), [[60, 50], [550, 60]], atol=1.5)


def test_thousands_of_points_and_places_take_no_thousands_of_megabytes():
    cloud = np.random.default_rng(1).uniform(0, 100, (6000, 2))
    assert median_scale(cloud, cloud * 2 + 1) == pytest.approx(2)
    np.testing.assert_allclose(moved_positions(cloud, cloud, cloud + 3), cloud + 3)
    assert moved_positions(np.empty((0, 2)), cloud, cloud).shape == (0, 2)
