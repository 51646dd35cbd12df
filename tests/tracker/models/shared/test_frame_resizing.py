"""Frames in a model's size: as OpenCV and as antialiased resizing give them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.shared.frame_resizing import frames_to_device, resize_frames

CPU = torch.device("cpu")
SIDES = st.integers(1, 90)


@given(before=st.tuples(SIDES, SIDES), after=st.tuples(SIDES, SIDES), seed=st.integers(0, 9))
def test_bilinear_is_that_of_opencv(before, after, seed):
    frame = np.random.default_rng(seed).integers(0, 256, (*before, 3), np.uint8)
    expected = cv2.resize(frame, after[::-1], interpolation=cv2.INTER_LINEAR).reshape(*after, 3)
    found = resize_frames(frames_to_device(frame[None], CPU), after, "bilinear")[0].permute(1, 2, 0).numpy()
    assert (found == np.round(found)).all()
    assert np.abs(found - expected).max() <= 1, "OpenCV's fixed-point weights round a little differently"


def test_antialiasing_averages_where_it_shrinks():
    stripes = np.zeros((1, 64, 64, 3), np.uint8)
    stripes[:, :, ::2] = 200
    smooth = resize_frames(frames_to_device(stripes, CPU), (16, 16), "antialias")
    assert smooth[..., 2:-2].sub(100).abs().max() < 1
    aliased = resize_frames(frames_to_device(stripes, CPU), (64, 32), "bilinear")
    assert aliased.shape == (1, 3, 64, 32)


@pytest.mark.parametrize("resize", ["antialias", "bilinear"])
def test_frames_of_the_right_size_stay_as_they_are(resize):
    x = frames_to_device(np.random.default_rng(0).integers(0, 256, (2, 9, 7, 3), np.uint8)[::-1], CPU)
    assert resize_frames(x, (9, 7), resize) is x
