"""What the frame shows of a shape that reaches beyond it."""

from __future__ import annotations

import numpy as np

from point_tracking.tracker.propagation import Box, MaskedBox, PointSet
from point_tracking.tracker.propagation.clipping import clip_to_frame

SIZE_PX = (320, 240)


def test_boxes_are_cut_at_the_border_and_gone_beyond_it():
    inside = Box([0, 0, 320, 240])
    assert clip_to_frame(inside, SIZE_PX) is inside
    np.testing.assert_array_equal(clip_to_frame(Box([-9, 200, 50, 300]), SIZE_PX).xyxy, [0, 200, 50, 240])
    assert clip_to_frame(Box([320, 0, 400, 100]), SIZE_PX) is None
    assert clip_to_frame(Box([319.5, 0, 400, 100]), SIZE_PX) is None


def test_the_mask_is_cut_with_its_box():
    mask = np.zeros((10, 20), bool)
    mask[:, 10:] = True
    cut = clip_to_frame(MaskedBox([-50, 0, 50, 100], mask), SIZE_PX)
    np.testing.assert_array_equal(cut.xyxy, [0, 0, 50, 100])
    assert cut.mask.shape == (10, 10)
    assert cut.mask.all()
    assert clip_to_frame(MaskedBox([-50, 0, 50, 100], mask[:, ::-1]), SIZE_PX) is None


def test_points_keep_their_positions():
    points = PointSet([[-5, 300]])
    assert clip_to_frame(points, SIZE_PX) is points
