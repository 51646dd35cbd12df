"""Tracked clips, and a server to send them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import moving_object
import numpy as np
import pytest
from dataset_fixtures import clip, make_dataset, rng
from fake_cvat import FakeCvat, fake_cvat

import point_tracking as pt

__all__ = ["clip", "make_dataset", "rng"]
NUM_FRAMES = moving_object.NUM_FRAMES


@pytest.fixture
def server() -> Iterator[FakeCvat]:
    with fake_cvat([NUM_FRAMES, NUM_FRAMES], media.SIZE) as state:
        yield state


@pytest.fixture
def login(server: FakeCvat) -> dict[str, str]:
    """How the server is reached."""
    return {"url": server.url, "username": "u", "password": "p"}


@pytest.fixture
def tracked(make_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """A clip of a thing that moves in a straight line, with three points on it.

    The second is not there in frames 8 to 10, the third is hidden in frames 5 to 6.
    """
    dataset = make_dataset(moving_object.clip(tmp_path / "clip.mp4"))
    corners = [[40.3, 40.2], [50.0, 50.0], [60.25, 45.75]]
    xy = np.stack([moving_object.moved(corners, t) for t in range(NUM_FRAMES)]).astype(np.float32)  # (T, 3, 2)
    visible, known = np.ones(xy.shape[:2], dtype=bool), np.ones(xy.shape[:2], dtype=bool)
    visible[8:11, 1] = known[8:11, 1] = False
    visible[5:7, 2] = False
    tracks = pt.Tracks(np.where(known[..., None], xy, np.nan), visible, known.astype(np.float32))
    pt.write_tracks(dataset.first(), "tracks", tracks, keep_hidden=True)
    return dataset
