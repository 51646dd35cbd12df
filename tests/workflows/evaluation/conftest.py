"""The dataset that most tests of evaluation judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from judged_clips import NUM_FRAMES, PX, tracks_of, truth_xy

import point_tracking as pt


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two clips; nothing is written to them."""
    folder = tmp_path_factory.mktemp("judged")
    return [media.video(folder / f"{k}.mp4", num_frames=NUM_FRAMES) for k in range(2)]


@pytest.fixture
def dataset(make_dataset: Callable[..., fo.Dataset], files: list[Path]) -> fo.Dataset:
    """Two clips with truth; the first is tracked perfectly, the second three pixels (of 256) off."""
    dataset = make_dataset(*files)
    return _judged(dataset)


@pytest.fixture(scope="module")
def refusing(files: list[Path]) -> Iterator[fo.Dataset]:
    """The same, with a frame field of numbers; shared by tests that leave it as it is."""
    dataset = fo.Dataset()
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in files])
    _judged(dataset).add_frame_field("numbers", fo.IntField)
    yield dataset
    dataset.delete()


def _judged(dataset: fo.Dataset) -> fo.Dataset:
    for sample, error in zip(dataset, (0.0, 3 * PX), strict=True):
        found = truth_xy()
        found[1:, :, 0] += error
        pt.write_tracks(sample, "truth", tracks_of(truth_xy()))
        pt.write_tracks(sample, "tracks", tracks_of(found))
    return dataset
