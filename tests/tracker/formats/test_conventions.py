"""Where each format counts from: a point in the corner, by hand, and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.formats.conventions import CONVENTIONS
from point_tracking.tracker.formats.registry import FORMATS

SIZE = (640, 360)
# where the centres of the top-left and the bottom-right pixel are
CORNERS = {
    **dict.fromkeys(
        ("npz", "csv", "parquet", "dlc", "lightning-pose", "slp", "coco", "cvat"), ((0.0, 0.0), (639.0, 359.0))
    ),
    "tapvid": ((0.5 / 640, 0.5 / 360), (639.5 / 640, 359.5 / 360)),
    "mot": ((1.0, 1.0), (640.0, 360.0)),
    **dict.fromkeys(("colmap", "rerun", "after-effects"), ((0.5, 0.5), (639.5, 359.5))),
    **dict.fromkeys(("nuke", "3de"), ((0.5, 359.5), (639.5, 0.5))),
    "blender": ((0.5 / 640, 1 - 0.5 / 360), (639.5 / 640, 0.5 / 360)),
}


@pytest.mark.parametrize("name", sorted(CORNERS))
def test_corners_are_where_the_format_has_them(name: str):
    made = CONVENTIONS[name].to_file(np.array([[0, 0], [639, 359]]), SIZE)
    np.testing.assert_allclose(made, CORNERS[name], rtol=0, atol=1e-12)


def test_every_format_says_where_it_counts_from():
    assert set(CONVENTIONS) == set(FORMATS) == set(CORNERS)
    first = {name: one.first_frame for name, one in CONVENTIONS.items() if one.first_frame}
    assert first == {"mot": 1, "nuke": 1, "blender": 1, "3de": 1}


@given(st.sampled_from(sorted(CONVENTIONS)), st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_positions_come_back(name: str, x: float, y: float):
    one = CONVENTIONS[name]
    np.testing.assert_allclose(one.from_file(one.to_file(np.array([x, y]), SIZE), SIZE), [x, y], rtol=0, atol=1e-6)
