"""Datasets of real clips, trackers whose answers a test knows, and runs in processes of their own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from dataset_fixtures import clip, discard, drift, make_dataset, rng, untouched
from killable import start_run

__all__ = ["clip", "drift", "make_dataset", "rng", "untouched"]


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """8 small clips of 6, 7, 8, ... frames."""
    return [media.video(tmp_path / f"{k}.mp4", num_frames=6 + k, size=(64, 48)) for k in range(8)]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A folder for videos, beside which copies may lie."""
    folder = tmp_path / "sources"
    folder.mkdir()
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for copies; does not exist yet."""
    return tmp_path / "out"


@pytest.fixture
def two_clips(make_dataset: Callable[..., fo.Dataset], sources: Path) -> fo.Dataset:
    """A clip of 45 frames at 30 per second, and one of 20 at 10 per second."""
    return make_dataset(media.video(sources / "a.mp4", 45, fps=30), media.video(sources / "b.mp4", 20))


@pytest.fixture
def no_datasets_stay() -> Iterator[None]:
    """Removes the datasets that a test makes."""
    before = set(fo.list_datasets())
    yield
    for name in set(fo.list_datasets()) - before:
        discard(fo.load_dataset(name))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """A function that starts a run in a process of its own."""
    with start_run(tmp_path) as begin:
        yield begin
