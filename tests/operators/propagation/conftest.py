"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from drawn_labels import box

import point_tracking as pt


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """Two clips; in the first a box was drawn in three frames."""
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=12, size=(160, 96)) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    pt.fill_metadata(dataset)
    sample = dataset.first()
    for number, x in ((1, 0.1), (6, 0.2), (12, 0.3)):
        sample.frames[number]["box"] = box(x)
    sample.save()
    yield dataset
    dataset.delete()
