"""The sizes in which tracks are refined."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.shared.independent_points.model_sizes import refinement_sizes

SIDES = st.integers(32, 128).map(lambda units: 8 * units)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((256, 256), [(256, 256)]),
        ((320, 320), [(256, 256), (320, 320)]),
        ((512, 512), [(256, 256), (512, 512)]),
        ((256, 384), [(256, 256), (256, 384)]),
        ((480, 854), [(256, 256), (344, 464), (480, 848)]),
    ],
)
def test_sizes_are_the_published_ones(size, expected):
    assert refinement_sizes(size) == expected


@given(st.tuples(SIDES, SIDES))
def test_sizes_grow_from_the_first_to_that_of_the_frame(size):
    sizes = refinement_sizes(size)
    assert (sizes[0], sizes[-1]) == ((256, 256), size)
    assert sizes == sorted(sizes)
