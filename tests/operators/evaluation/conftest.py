"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two clips with truth; the first is tracked perfectly, the second loses half of its points."""
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=5) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path), kind=f"k{n}") for n, path in enumerate(paths)])
    xy = np.tile(np.array([[20.0, 30.0], [100.0, 60.0]]), (5, 1, 1))
    visible = np.ones((5, 2), bool)
    for k, sample in enumerate(dataset):
        pt.write_tracks(sample, "ground_truth", pt.Tracks(xy, visible, visible.astype(float)))
        found = xy.copy()
        found[1:, 1, 1] += 50 * k
        pt.write_tracks(sample, "tracks", pt.Tracks(found, visible, visible.astype(float)))
    yield dataset
    dataset.delete()
