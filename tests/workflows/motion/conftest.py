"""The dataset that tests of motion describe."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from known_cameras import SIZE, drifting_ground, drifting_tracks

import point_tracking as pt


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two videos of what the tracks below go along with, and one of other content."""
    draws = [drifting_ground((-1.0, 0.0)), drifting_ground((0.0, 0.0)), media.picture]
    return [
        media.video(tmp_path / f"{k}.mp4", num_frames=40, size=SIZE, fps=25, draw=draw) for k, draw in enumerate(draws)
    ]


@pytest.fixture
def dataset(make_dataset: Callable[..., fo.Dataset], files: list[Path]) -> fo.Dataset:
    """A pan with a thing of its own, a still camera, and a video without tracks."""
    dataset = make_dataset(*files)
    first, second, _ = dataset
    pt.write_tracks(first, "tracks", drifting_tracks((-1.0, 0.0), object_by=(0.0, 1.0)))
    pt.write_tracks(second, "tracks", drifting_tracks((0.0, 0.0)), layout="frame")
    return dataset
