"""Positions as text, and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from packed_positions import unpack

from point_tracking.panels.trajectories.packing import pack_positions


@given(st.integers(0, 999), st.integers(0, 5), st.integers(1, 4), st.integers(1, 4096), st.integers(1, 2304))
def test_positions_come_back_to_a_tenth_of_a_pixel(
    seed: int, num_frames: int, num_tracks: int, width: int, height: int
) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(-0.4, 1.4, (num_frames, num_tracks, 2)) * (width, height)
    visible = rng.uniform(size=xy.shape[:2]) < 0.7
    back, shown = unpack(
        pack_positions(np.where(visible[..., None], xy, np.nan), visible, (width, height)), num_tracks, (width, height)
    )
    np.testing.assert_array_equal(shown, visible)
    np.testing.assert_allclose(back[shown], xy[visible], atol=0.1)


def test_what_lies_far_outside_stays_outside() -> None:
    back, shown = unpack(pack_positions(np.array([[[-1e6, 1e6]]]), np.ones((1, 1), bool), (100, 50)), 1, (100, 50))
    assert shown.all()
    np.testing.assert_allclose(back[0, 0], (-50, 75))
