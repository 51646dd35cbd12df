"""Vectors of motion."""

from __future__ import annotations

import numpy as np
import pytest
from known_cameras import FPS, SIZE, camera_clips, described, drifting_tracks, true_tracks

from point_tracking.tracker.motion.embedding import LENGTH, _directions
from point_tracking.tracker.synthetic_video.camera_moves import CameraMove
from point_tracking.tracker.types import Tracks


def test_length_size_and_rate_change_nothing():
    tracks = drifting_tracks((1.0, 0.2), object_by=(0, 0.6))
    plain = described(tracks).embedding
    half = described(Tracks(tracks.xy[::2], tracks.visible[::2], tracks.confidence[::2]), fps=FPS / 2).embedding
    large = described(Tracks(tracks.xy * 3, tracks.visible, tracks.confidence), (SIZE[0] * 3, SIZE[1] * 3)).embedding
    short = described(Tracks(tracks.xy[:25], tracks.visible[:25], tracks.confidence[:25])).embedding
    other = described(drifting_tracks((-1.0, 0.2), object_by=(0, 0.6))).embedding
    assert plain.shape == (LENGTH,)
    assert max(np.linalg.norm(plain - vector) for vector in (half, large, short)) < 0.1 * np.linalg.norm(plain - other)


def test_nearest_neighbours_share_the_motion():
    rng = np.random.default_rng(5)
    kinds = ["pan", "tilt", "roll", "zoom", "static", "handheld"] * 3
    rates = {"static": (0, 0), "handheld": (0.003, 0.008), "roll": (0.2, 0.5)}
    moves = [CameraMove(kind, float(rng.uniform(*rates.get(kind, (0.08, 0.25))))) for kind in kinds]
    clips = camera_clips(moves, seed=5, num_frames=30)
    vectors = np.array([described(true_tracks(clips, k, frame_index=15)).embedding for k in range(len(moves))])
    distance = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert np.mean([kinds[k] == kinds[n] for k, n in enumerate(distance.argmin(1))]) >= 0.9


def test_directions_are_shared_out_between_neighbours():
    assert _directions(np.array([1 + 0j])).tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    assert _directions(np.exp(1j * np.pi / 8 * np.ones(3))) == pytest.approx([0.5, 0.5, 0, 0, 0, 0, 0, 0])
    assert _directions(np.empty(0, complex)).sum() == 0
