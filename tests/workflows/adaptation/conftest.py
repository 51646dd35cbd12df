"""Videos that a tracker can be adapted on in seconds, and a folder of their own for what comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import adaptable
import fiftyone as fo
import pytest
import torch


@pytest.fixture(autouse=True)
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def videos(tmp_path: Path) -> list[Path]:
    return [adaptable.textured_video(tmp_path / f"{k}.mp4", k) for k in range(3)]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Iterator[fo.Dataset]:
    """Two videos, shared by tests that leave the dataset as it is."""
    folder = tmp_path_factory.mktemp("videos")
    dataset = fo.Dataset()
    paths = [adaptable.textured_video(folder / f"{k}.mp4", k) for k in range(2)]
    dataset.add_samples([fo.Sample(filepath=str(path)) for path in paths])
    yield dataset
    dataset.delete()
