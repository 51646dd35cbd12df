"""What the tests of these operators work on: a tracked clip that is open, with some of its points selected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt

SIZE = (160, 96)


@pytest.fixture
def dataset(tmp_path: Path) -> Iterator[fo.Dataset]:
    """A clip of 12 frames with 9 tracks that stand in a grid."""
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=12, size=SIZE))))
    pt.fill_metadata(dataset)
    at = pt.grid_queries(3, height=SIZE[1], width=SIZE[0]).xy
    seen = np.ones((12, 9), bool)
    pt.write_tracks(dataset.first(), "tracks", pt.Tracks(np.repeat(at[None], 12, axis=0), seen, seen.astype(float)))
    yield dataset
    dataset.delete()


@pytest.fixture
def opened(dataset: fo.Dataset) -> Callable[..., dict[str, Any]]:
    """A function that makes the context of the App: (frame number, index of a track) of points that are selected."""

    def context(*points: tuple[int, int], field: str = "tracks") -> dict[str, Any]:
        sample = dataset.first()
        labels = []
        for number, index in points:
            (keypoint,) = [k for k in sample.frames[number][field].keypoints if k.index == index]
            place = {"sample_id": sample.id, "frame_number": number}
            labels.append({"field": f"frames.{field}", "label_id": keypoint.id, **place})
        return {"dataset": dataset, "current_sample": sample.id, "selected_labels": labels}

    return context
