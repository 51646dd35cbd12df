"""Cameras that do one known thing."""

from __future__ import annotations

import numpy as np
import pytest
from known_cameras import FPS, SIZE, camera_clips, true_tracks

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.synthetic_video.camera_moves import CameraMove, true_rates


@pytest.mark.parametrize(("kind", "axis"), [("pan", 0), ("tilt", 1), ("roll", 2), ("zoom", 3)])
def test_a_camera_does_what_it_is_told_and_nothing_else(kind, axis):
    rates = true_rates(camera_clips([CameraMove(kind, 0.1)]), fps=FPS)[0].numpy()
    assert rates[:, axis] == pytest.approx(0.1, rel=0.1)
    assert np.abs(np.delete(rates, axis, axis=1)).max() < 0.01


def test_a_pan_to_the_right_moves_the_picture_to_the_left():
    tracks = true_tracks(camera_clips([CameraMove("pan", 0.2)], layers=1), 0)
    moved = np.diff(tracks.xy[:, :, 0], axis=0)
    expected = -0.2 * np.hypot(*SIZE) / FPS
    assert np.median(moved) == pytest.approx(expected, rel=0.05)


def test_a_still_camera_sees_the_same_place():
    assert np.abs(true_rates(camera_clips([CameraMove("static")])).numpy()).max() < 1e-5


def test_an_unknown_move_is_refused():
    with pytest.raises(OptionError, match="Supported values are static, pan"):
        CameraMove("dolly")
