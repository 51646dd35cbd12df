"""What is to be seen in the demo clips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.demo.layers import FRAME_SIZE, NUM_FRAMES, PhotoScene, render
from point_tracking.demo.scenes import Motion, demo_scenes

SEED = 3


@pytest.fixture(scope="module")
def scenes() -> list[PhotoScene]:
    return demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)


angles = st.floats(-180, 180)


scales = st.floats(0.2, 5)


places = st.floats(-500, 500)


@given(places, places, scales, angles, st.floats(0, 1))
def test_a_motion_without_squeeze_keeps_shapes(x, y, scale, angle, progress):
    position, linear = Motion((x, x), (y, y), (scale, scale), (angle, angle)).at(progress)
    np.testing.assert_allclose(position, [x, y])
    np.testing.assert_allclose(linear.T @ linear, scale**2 * np.eye(2), atol=1e-9 * scale**2)


def test_the_seed_decides_everything(scenes):
    again = demo_scenes(seed=SEED, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)
    other = demo_scenes(seed=SEED + 1, num_frames=NUM_FRAMES, frame_size=FRAME_SIZE)
    for first, second, third in zip(scenes, again, other, strict=True):
        for a, b, c in zip(first.layers, second.layers, third.layers, strict=True):
            np.testing.assert_array_equal(a.maps, b.maps)
            assert not np.array_equal(a.maps, c.maps)
        np.testing.assert_array_equal(render(first, 5), render(second, 5))
