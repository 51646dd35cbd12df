"""Instance masks go with the points on them, and lie between each other."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.propagation import Box, MaskedBox, seed_points
from point_tracking.tracker.propagation.masks import blend_masks, warp_mask

SIZE_PX = (320, 240)
YY, XX = np.mgrid[:60, :80]
DISC = (XX - 40) ** 2 / 38**2 + (YY - 30) ** 2 / 28**2 < 1


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def test_a_mask_that_only_slides_stays_as_it_is():
    shape = MaskedBox([100, 100, 180, 160], DISC)
    start = seed_points(shape, SIZE_PX).xy
    warped = warp_mask(shape, Box([110, 95, 190, 155]), start, start + np.array([10, -5]))
    assert iou(warped, DISC) > 0.98


def test_a_mask_bends_with_its_points():
    shape = MaskedBox([100, 100, 180, 160], np.ones((60, 80), bool))
    start = seed_points(shape, SIZE_PX).xy
    shear = (start[:, 1] - 130) * 0.5
    warped = warp_mask(shape, Box([85, 100, 195, 160]), start, start + np.stack([shear, 0 * shear], axis=1))
    yy, xx = np.mgrid[: warped.shape[0], : warped.shape[1]] + 0.5
    x = 85 + xx / warped.shape[1] * 110 - (100 + yy / warped.shape[0] * 60 - 130) * 0.5
    assert iou(warped, (x > 100) & (x < 180)) > 0.9
    assert iou(warped, np.ones_like(warped)) < 0.8


def test_a_mask_that_would_be_lost_is_the_keyframe_s():
    shape = MaskedBox([100, 100, 180, 160], DISC)
    start = seed_points(shape, SIZE_PX).xy
    assert warp_mask(shape, Box([0, 0, 5, 5]), start, start + 300) is shape.mask


def test_the_mask_between_two_is_between_their_sizes():
    small = ((XX - 40) ** 2 + (YY - 30) ** 2) < 10**2
    large = ((XX - 40) ** 2 + (YY - 30) ** 2) < 20**2
    between = blend_masks([small, large], [0.5, 0.5])
    assert iou(between, ((XX - 40) ** 2 + (YY - 30) ** 2) < 15**2) > 0.95


def test_a_mask_of_all_the_weight_is_the_answer():
    assert blend_masks([DISC, ~DISC], [1.0, 0.0]) is DISC


def test_masks_of_other_resolutions_are_blended_in_the_larger():
    assert iou(blend_masks([DISC, DISC[::2, ::2]], [0.5, 0.5]), DISC) > 0.93


def test_masks_with_nothing_in_common_leave_the_heavier():
    left, right = np.zeros((50, 90), bool), np.zeros((50, 90), bool)
    left[:, :4], right[:, -4:] = True, True
    assert blend_masks([left, right], [0.55, 0.45]).any()


@pytest.mark.parametrize("weight", [0.2, 0.8])
def test_weights_move_the_outline(weight: float):
    large = np.ones((60, 80), bool)
    areas = [blend_masks([DISC, large], [1 - w, w]).sum() for w in (weight, weight + 0.1)]
    assert DISC.sum() <= areas[0] < areas[1] <= large.sum()
