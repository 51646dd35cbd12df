"""The shapes of an object's prompts."""

from __future__ import annotations

from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from propagation_labels import CLIP, box

from point_tracking.tracker.propagation import Box, MaskedBox, Polyline
from point_tracking.workflows.propagation.options import PropagateOptions
from point_tracking.workflows.propagation.planning.prompts import frames_to_fill, keyframes_of

MASK = np.ones((4, 4), bool)


def _keyframes(*labels: tuple[int, fo.Label], warnings: list[str] | None = None) -> list[Any]:
    return keyframes_of(
        {t: label.to_dict() for t, label in labels}, "goat 3", CLIP, [] if warnings is None else warnings
    )


def test_shapes_are_in_pixels_and_in_order_of_time() -> None:
    last, first = _keyframes((9, box(0.5)), (3, box(0.25)))[::-1]
    assert (first.t, last.t) == (3, 9)
    np.testing.assert_allclose(first.shape.xyxy, [40, 36, 80, 66])


def test_an_object_that_is_outside_has_no_shape() -> None:
    (one,) = _keyframes((3, box(outside=True)))
    assert one.shape is None


def test_what_is_left_out_is_said() -> None:
    warnings: list[str] = []
    labels = [(3, box(bounding_box=[0, 0, 0, 0])), (40, box()), (5, fo.Polyline(points=[[[0, 0]]])), (7, box())]
    (one,) = _keyframes(*labels, warnings=warnings)
    assert one.t == 7
    for warning, words in zip(warnings, ("frame 4 ", "frame 6 ", "ends with frame 40"), strict=True):
        assert "'goat 3'" in warning
        assert words in warning


def test_masks_in_all_keyframes_are_kept_and_those_in_some_are_not() -> None:
    assert [type(one.shape) for one in _keyframes((3, box(mask=MASK)), (5, box(mask=MASK)))] == [MaskedBox] * 2
    warnings: list[str] = []
    labels = [(3, box(mask=MASK)), (5, box()), (6, box(outside=True))]
    kinds = [type(one.shape) for one in _keyframes(*labels, warnings=warnings)]
    assert kinds == [Box, Box, type(None)]
    assert "1 of its 3 keyframes have no instance mask" in warnings[0]


def test_other_shapes_are_read_too() -> None:
    (one,) = _keyframes((3, fo.Polyline(points=[[[0, 0], [0.5, 1]]], closed=True)))
    assert isinstance(one.shape, Polyline)
    np.testing.assert_allclose(one.shape.lines[0], [[0, 0], [80, 120]])


@pytest.mark.parametrize(("frames", "expected"), [(None, (0, 39)), ((2, 5), (1, 4)), ((30, 90), (29, 39))])
def test_frames_are_counted_from_one_and_end_with_the_video(frames: Any, expected: tuple[int, int]) -> None:
    assert frames_to_fill(PropagateOptions(field="box", frames=frames), CLIP) == expected
