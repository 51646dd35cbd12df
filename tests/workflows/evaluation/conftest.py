"""The dataset that most tests of evaluation judge."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from judged_clips import NUM_FRAMES, PX, tracks_of, truth_xy

import point_tracking as pt


@pytest.fixture
def dataset(make_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """Two clips with truth; the first is tracked perfectly, the second three pixels (of 256) off."""
    dataset = make_dataset(*(media.video(tmp_path / f"{k}.mp4", num_frames=NUM_FRAMES) for k in range(2)))
    for sample, error in zip(dataset, (0.0, 3 * PX), strict=True):
        found = truth_xy()
        found[1:, :, 0] += error
        pt.write_tracks(sample, "truth", tracks_of(truth_xy()))
        pt.write_tracks(sample, "tracks", tracks_of(found))
    return dataset
