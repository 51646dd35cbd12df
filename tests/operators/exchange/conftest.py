"""What the tests of these operators work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import random_tracks

import point_tracking as pt


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two clips with tracks; points are hidden at times."""
    (tmp_path / "in").mkdir()
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / "in" / f"{k}.mp4", num_frames=8) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    for sample in dataset:
        tracks = random_tracks(np.random.default_rng(0), 8, 3, media.SIZE)
        pt.write_tracks(sample, "tracks", tracks, keep_hidden=True)
    yield dataset
    dataset.delete()
