"""Collages: their tracks are exact, and the same seed makes the same clip."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from point_tracking.tracker.errors import OptionError, ShapeError
from point_tracking.tracker.synthetic_video.collages import Collage, make_collage

SIZE_PX = (160, 120)


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [cv2.GaussianBlur(rng.integers(0, 255, (150, 200, 3), dtype=np.uint8), (0, 0), 2) for _ in range(3)]


@pytest.fixture(scope="module")
def collage(pictures: list[np.ndarray]) -> Collage:
    return make_collage(pictures, 5, num_frames=12, size_px=SIZE_PX, num_points=60)


def test_shapes_and_queries(collage: Collage):
    assert collage.video.shape == (12, 120, 160, 3)
    assert collage.video.dtype == np.uint8
    assert collage.xy.shape == (12, 60, 2)
    assert collage.visible[collage.query_t, np.arange(60)].all()
    assert (collage.query_t < 6).all()
    inside = ((collage.xy >= 0) & (collage.xy <= np.array(SIZE_PX) - 1)).all(axis=2)
    assert not (collage.visible & ~inside).any()


def test_points_look_the_same_in_all_frames_they_are_seen_in(collage: Collage):
    """Grey patches under true positions correlate; under positions a few pixels off they do so less."""

    def patches(offset: float) -> np.ndarray:
        found = []
        for t, frame in enumerate(collage.video):
            grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
            found.append([cv2.getRectSubPix(grey, (7, 7), tuple(xy + offset)).ravel() for xy in collage.xy[t]])
        patch = np.array(found)  # (T, N, 49)
        patch -= patch.mean(axis=2, keepdims=True)
        return patch / np.maximum(np.linalg.norm(patch, axis=2, keepdims=True), 1e-3)

    exact, query = patches(0), patches(0)[collage.query_t, np.arange(60)]
    mask = collage.visible & (np.arange(12)[:, None] != collage.query_t)
    true = np.median((exact * query).sum(axis=2)[mask])
    off = np.median((patches(4) * query).sum(axis=2)[mask])
    assert true > 0.8
    assert off < true - 0.3


def test_points_move_smoothly(collage: Collage):
    step = np.linalg.norm(np.diff(collage.xy, axis=0), axis=2)
    assert np.median(step) > 0.1
    assert step.max() < 60


def test_the_seed_makes_the_clip(pictures: list[np.ndarray], collage: Collage):
    again = make_collage(pictures, 5, num_frames=12, size_px=SIZE_PX, num_points=60)
    np.testing.assert_array_equal(again.video, collage.video)
    np.testing.assert_array_equal(again.xy, collage.xy)
    other = make_collage(pictures, 6, num_frames=12, size_px=SIZE_PX, num_points=60)
    assert (other.video != collage.video).any()


def test_bad_input_is_refused(pictures: list[np.ndarray]):
    with pytest.raises(ShapeError, match="pictures"):
        make_collage([], 0)
    with pytest.raises(ShapeError, match="pictures"):
        make_collage([pictures[0][..., 0]], 0)
    with pytest.raises(OptionError, match="Supported"):
        make_collage(pictures, 0, size_px=(20, 200))
