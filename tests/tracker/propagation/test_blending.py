"""Two paths made one: bent to what was drawn, weighed by trust, and straight where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from moving_points import as_kind

from point_tracking.tracker.propagation import Box, MaskedBox, PointSet, Rules
from point_tracking.tracker.propagation.blending import blend_paths, shape_at, straight_vectors
from point_tracking.tracker.propagation.carrying import Carried

S = 11
FIRST, LAST = Box([0, 0, 40, 40]), Box([100, 0, 140, 80])
ENDS = (0, S - 1)
AFTER = np.linspace(0, 1, S)[:, None]


def carried(vectors: np.ndarray, t: int = 0, enough: np.ndarray | None = None) -> Carried:
    enough = np.ones(S, bool) if enough is None else enough
    seen = np.where(enough, 1.0, 0.0)
    return Carried(t, np.where(enough[:, None], vectors, np.nan), enough, seen, seen)


def curve(height_px: float) -> np.ndarray:
    """The straight way, raised by an arc that begins and ends in the keyframes."""
    vectors = straight_vectors((FIRST, LAST), AFTER)
    vectors[:, 1] += height_px * np.sin(np.pi * AFTER[:, 0])
    return vectors


def test_the_straight_way_moves_the_sides_of_a_box_evenly():
    middle = FIRST.with_vector(straight_vectors((FIRST, LAST), AFTER)[5])
    np.testing.assert_allclose(middle.xyxy, [50, 0, 90, 60], atol=1e-9)


def test_without_paths_it_is_straight_and_nothing_was_seen():
    path = blend_paths((FIRST, LAST), ENDS, (None, None), Rules())
    np.testing.assert_allclose(path.vectors, straight_vectors((FIRST, LAST), AFTER))
    assert not path.enough.any()
    assert not path.confidence.any()


def test_a_path_that_both_sides_agree_on_is_followed():
    path = blend_paths((FIRST, LAST), ENDS, (carried(curve(30)), carried(curve(30), S - 1)), Rules())
    np.testing.assert_allclose(path.vectors, curve(30), atol=1)
    assert path.enough.all()


def test_a_path_that_drifts_is_bent_to_the_keyframe_and_trusted_less():
    drifting = curve(30)
    drifting[:, 0] -= 20 * AFTER[:, 0]
    bent = blend_paths((FIRST, LAST), ENDS, (carried(drifting), None), Rules(straight_weight=0))
    np.testing.assert_allclose(bent.vectors, curve(30), atol=1e-9)
    sure = blend_paths((FIRST, LAST), ENDS, (carried(curve(30)), None), Rules())
    less = blend_paths((FIRST, LAST), ENDS, (carried(drifting), None), Rules())
    assert less.weights[5, 0] < sure.weights[5, 0]
    assert less.confidence[5] < sure.confidence[5]


def test_paths_that_are_wrong_altogether_leave_the_straight_one():
    away = curve(0) + np.array([1000, 0, 0, 0])
    paths = (carried(away), carried(away, S - 1))
    path = blend_paths((FIRST, LAST), ENDS, paths, Rules(straight_weight=0, disagreement_weight=0))
    assert np.isfinite(path.vectors).all()
    np.testing.assert_allclose(path.weights[1:-1], np.repeat([[0, 0, 1]], S - 2, axis=0))


def test_a_path_that_stands_still_becomes_the_straight_one():
    still = np.repeat(FIRST.vector[None], S, axis=0)
    path = blend_paths((FIRST, LAST), ENDS, (carried(still), None), Rules())
    np.testing.assert_allclose(path.vectors[:, :2], straight_vectors((FIRST, LAST), AFTER)[:, :2], atol=1e-9)


def test_a_path_that_loses_its_points_goes_straight_on():
    enough = np.arange(S) <= 5
    path = blend_paths((FIRST, LAST), ENDS, (carried(curve(30), enough=enough), None), Rules(straight_weight=0))
    np.testing.assert_allclose(path.vectors[:6], curve(30)[:6], atol=1e-9)
    rest = path.vectors[5:, 1] - straight_vectors((FIRST, LAST), AFTER)[5:, 1]
    np.testing.assert_allclose(rest, np.linspace(rest[0], 0, len(rest)), atol=1e-9)
    np.testing.assert_array_equal(path.enough, enough)


def test_the_nearer_keyframe_counts_more():
    paths = (carried(curve(20)), carried(curve(-20), S - 1))
    above = blend_paths((FIRST, LAST), ENDS, paths, Rules(disagreement_weight=0)).vectors - curve(0)
    assert above[2, 1] > 0 > above[8, 1]
    assert above[5, 1] == pytest.approx(0, abs=1e-9)


def test_the_straight_way_counts_more_where_the_sides_disagree():
    paths = (carried(curve(60)), carried(curve(-20), S - 1))
    apart = blend_paths((FIRST, LAST), ENDS, paths, Rules())
    alike = blend_paths((FIRST, LAST), ENDS, (paths[0], carried(curve(60), S - 1)), Rules())
    assert apart.weights[5, 2] > 2 * alike.weights[5, 2]


@pytest.mark.parametrize("side", [0, 1])
def test_a_point_that_one_keyframe_does_not_know_comes_from_the_other(side: int):
    known, half = PointSet([[0, 0], [10, 10]]), PointSet([[0, 0], [np.nan, 0]])
    drawn = (known, half) if side == 0 else (half, known)
    vectors = np.repeat([[0.0, 0, 10, 10]], S, axis=0)
    one = carried(vectors, ENDS[side], enough=np.abs(np.arange(S) - ENDS[side]) <= 6)
    path = blend_paths(drawn, ENDS, (one, None) if side == 0 else (None, one), Rules())
    rows = path.vectors if side == 0 else path.vectors[::-1]
    np.testing.assert_allclose(rows[:7, 2:], 10)
    assert np.isnan(rows[7:, 2:]).all()
    np.testing.assert_allclose(path.vectors[:, :2], 0)


def test_masks_change_from_one_to_the_other():
    small, large = np.zeros((40, 40), bool), np.ones((40, 40), bool)
    small[10:30, 10:30] = True
    drawn = (MaskedBox(FIRST.xyxy, small), MaskedBox(LAST.xyxy, large))
    path = blend_paths(drawn, ENDS, (None, None), Rules())
    areas = [as_kind(MaskedBox, shape_at(path, row, drawn, (None, None), row)).mask.mean() for row in range(S)]
    assert areas == sorted(areas)
    assert areas[0] == small.mean()
    assert areas[-1] == 1
    assert small.mean() < areas[5] < 1
