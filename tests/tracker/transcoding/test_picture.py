"""Frames as they are encoded."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from point_tracking.tracker.transcoding.picture import fit_size


@settings(deadline=None)  # other work on the machine is no failure
@given(st.tuples(st.integers(2, 5000), st.integers(2, 5000)), st.one_of(st.none(), st.integers(16, 4000)))
def test_sizes_fit(size, longest):
    width, height = fit_size(size, longest)
    assert width % 2 == height % 2 == 0
    assert 2 <= width <= size[0]
    assert 2 <= height <= size[1]
    assert max(width, height) <= (longest or max(size))
    if longest is None:
        assert (width, height) == (size[0] // 2 * 2, size[1] // 2 * 2)
