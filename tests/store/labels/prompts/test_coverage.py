"""Points on one label's shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone as fo
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.store.labels.prompts.coverage import BAD_MASK, OUTSIDE, NoPlace, joints_of, points_on
from point_tracking.store.tracks.track_names import TrackNames
from point_tracking.tracker.types import Queries

SIZE_PX = (100, 50)
Read = Callable[..., tuple[Queries, TrackNames, list[str]]]


def box(*place: float, **facts: Any) -> fo.Detection:
    return fo.Detection(bounding_box=list(place), **facts)


@settings(max_examples=50)
@given(
    place=st.tuples(*[st.floats(-1, 1)] * 2, *[st.floats(0.001, 1.5)] * 2),
    number=st.integers(1, 60),
)
def test_every_point_lies_in_the_box_and_in_the_frame(place: tuple[float, ...], number: int) -> None:
    first, last = np.array(place[:2]) * SIZE_PX, (np.array(place[:2]) + place[2:]) * SIZE_PX
    if (np.minimum(last, SIZE_PX) <= np.maximum(first, 0)).any():
        with pytest.raises(NoPlace) as caught:
            points_on(box(*place), number, SIZE_PX)
        assert caught.value.reason == OUTSIDE
        return
    xy = points_on(box(*place), number, SIZE_PX)
    assert ((xy >= 0) & (xy <= np.array(SIZE_PX) - 1)).all()
    assert ((xy >= first - 1) & (xy <= last + 0.5)).all()


def test_joints_marked_as_hidden_one_by_one_or_all_are_not_known() -> None:
    points = [(0.1, 0.2), (np.nan, np.nan), (0.3, 0.4)]
    xy, known = joints_of(fo.Keypoint(points=points), SIZE_PX)
    assert known.tolist() == [True, False, True]
    np.testing.assert_allclose(xy[2], [30, 20])
    assert not joints_of(fo.Keypoint(points=points, occluded=True), SIZE_PX)[1].any()
    one_by_one = fo.Keypoint(points=points, occluded=[True])
    assert joints_of(one_by_one.to_dict(), SIZE_PX)[1].tolist() == [False, False, True]
    assert joints_of(fo.Keypoint(), SIZE_PX)[0].shape == (0, 2)


@pytest.mark.parametrize("mask", [np.zeros((0, 4), dtype=bool), np.zeros((4, 4, 7), dtype=bool)])
def test_a_mask_that_is_none_cannot_be_read(mask: np.ndarray) -> None:
    with pytest.raises(NoPlace) as caught:
        points_on(box(0.1, 0.1, 0.2, 0.2, mask=mask), 4, SIZE_PX)
    assert caught.value.reason == BAD_MASK


def test_damaged_bytes_of_a_mask_cannot_be_read() -> None:
    document = {**box(0.1, 0.1, 0.2, 0.2, mask=np.ones((4, 4), dtype=bool)).to_dict(), "mask": b"nothing"}
    with pytest.raises(NoPlace) as caught:
        points_on(document, 4, SIZE_PX)
    assert caught.value.reason == BAD_MASK
