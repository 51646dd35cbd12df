"""What the tests of this operator work on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    paths = [media.video(tmp_path / f"{k}.mp4", num_frames=5) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()
