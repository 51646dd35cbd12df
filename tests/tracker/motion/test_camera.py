"""What the camera did: its kind, how much, and when."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from known_cameras import FPS, camera_clips, described, drifting_tracks, true_tracks

from point_tracking.tracker.motion.camera import runs_of, smoothed
from point_tracking.tracker.synthetic_video.camera_moves import CameraMove, true_rates
from point_tracking.tracker.types import Tracks

MOVES = [
    CameraMove("static"),
    CameraMove("pan", 0.12),
    CameraMove("pan", -0.25),
    CameraMove("tilt", 0.1),
    CameraMove("roll", -0.3),
    CameraMove("zoom", 0.2),
    CameraMove("zoom", -0.2),
    CameraMove("handheld", 0.004),
    CameraMove("pan", 0.2, shake=0.002),
]


@pytest.fixture(scope="module")
def clips():
    return camera_clips(MOVES, seed=3)


@pytest.mark.parametrize("clip", range(len(MOVES)))
def test_the_kind_of_camera_is_told_and_how_fast_it_is(clips, clip):
    camera = described(true_tracks(clips, clip, frame_index=20)).camera
    assert camera.kind == MOVES[clip].kind
    true = np.abs(true_rates(clips, fps=FPS)[clip].numpy()).mean(0)
    found = {"pan": camera.pan, "tilt": camera.tilt, "roll": np.radians(camera.roll), "zoom": np.log1p(camera.zoom)}
    if MOVES[clip].kind in found and not MOVES[clip].shake:
        axis = list(found).index(MOVES[clip].kind)
        assert found[MOVES[clip].kind] == pytest.approx(true[axis], rel=0.1)


@pytest.mark.parametrize(
    ("by", "label"),
    [((-2, 0), "pan right"), ((2, 0), "pan left"), ((0, 2), "tilt up"), ((0, -2), "tilt down"), ((0, 0), "static")],
)
def test_directions_are_those_of_the_camera(by, label):
    assert set(described(drifting_tracks(by, frames=30)).camera.labels) == {label}


def test_a_pause_in_a_pan_is_a_span_of_its_own():
    parts = [drifting_tracks((2, 0), frames=20).xy, drifting_tracks((0, 0), frames=20).xy + np.array([38, 0])]
    xy = np.concatenate(parts)
    visible = (xy[..., 0] <= 191) & (xy[..., 0] >= 0)
    labels = described(Tracks(xy, visible, visible.astype(float))).camera.labels
    assert labels[:15].tolist() == ["pan left"] * 15
    assert labels[-12:].tolist() == ["static"] * 12


@given(slope=st.floats(-5, 5), rows=st.integers(1, 30), length=st.integers(1, 40))
def test_smoothing_leaves_a_straight_path_as_it_is(slope, rows, length):
    path = slope * np.arange(length, dtype=float)[:, None]
    assert smoothed(path, rows) == pytest.approx(path, abs=1e-6)


@given(st.lists(st.sampled_from("ab"), max_size=20))
def test_runs_are_the_labels_again(labels):
    given_labels = np.array(labels, dtype=object)
    again = [given_labels[a] for a, b in runs_of(given_labels) for _ in range(b - a)]
    assert again == labels
