"""Datasets of real clips, and trackers whose answers a test knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker


def discard(dataset: fo.Dataset) -> None:
    """Deletes a dataset; FiftyOne alone would first copy all that a test's objects hold of it, which takes seconds."""
    fo.Sample._instances.pop(dataset._sample_collection_name, None)
    fo.Frame._instances.pop(dataset._frame_collection_name, None)
    dataset.delete()


@pytest.fixture
def make_dataset(tmp_path: Path) -> Iterator[Callable[..., fo.Dataset]]:
    """A function that makes a dataset of video files; deletes it afterwards."""
    made: list[fo.Dataset] = []

    def make(*paths: Path | str) -> fo.Dataset:
        dataset = fo.Dataset()
        dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
        made.append(dataset)
        return dataset

    yield make
    for dataset in made:
        if not dataset.deleted:
            discard(dataset)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip of 12 frames."""
    return media.video(tmp_path / "clip.mp4", num_frames=12)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    """A dataset of a clip of 12 frames, shared by tests that leave it as it is."""
    dataset = fo.Dataset()
    path = media.video(tmp_path_factory.mktemp("untouched") / "clip.mp4", num_frames=12)
    dataset.add_sample(fo.Sample(filepath=str(path)))
    yield dataset
    dataset.delete()


@pytest.fixture
def drift() -> DriftTracker:
    return DriftTracker()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)
