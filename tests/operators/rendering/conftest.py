"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt

SIZE = (160, 96)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two clips with tracks."""
    (tmp_path / "in").mkdir()
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / "in" / f"{k}.mp4", num_frames=8, size=SIZE) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    for k, sample in enumerate(dataset):
        pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(k), 8, 6, SIZE))
    yield dataset
    dataset.delete()
