"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from known_cameras import SIZE, drifting_ground, drifting_tracks

import point_tracking as pt

MOTIONS = [(-1.0, 0.0), (-0.9, 0.0), (0.0, 0.0), (0.0, 1.5)]


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two pans, a still camera and a tilt."""
    dataset = fo.Dataset()
    paths = [
        media.video(tmp_path / f"{k}.mp4", num_frames=40, size=SIZE, fps=25, draw=drifting_ground(by))
        for k, by in enumerate(MOTIONS)
    ]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    for sample, by in zip(dataset, MOTIONS, strict=True):
        pt.write_tracks(sample, "tracks", drifting_tracks(by))
    yield dataset
    dataset.delete()
