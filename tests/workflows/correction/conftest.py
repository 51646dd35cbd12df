"""Tracked samples to correct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import pytest
from trackers import DriftTracker

import point_tracking as pt


@pytest.fixture
def tracked(make_dataset: Callable[..., fo.Dataset], clip: Path, drift: DriftTracker) -> fo.Dataset:
    """A clip of 12 frames with 9 tracks in a grid, each moving one pixel to the right a frame."""
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, tracker=drift, grid_size=3, progress=False)
    return dataset


@pytest.fixture
def of_objects(make_dataset: Callable[..., fo.Dataset], clip: Path, drift: DriftTracker) -> fo.Dataset:
    """The same clip with a keypoint of two points per frame for an object, and one of a point for another."""
    dataset = make_dataset(clip)
    sample = dataset.first()
    prompts = [
        fo.Keypoint(label="arm", index=4, points=[(0.1, 0.2), (0.2, 0.2)]),
        fo.Keypoint(label="nose", index=7, points=[(0.5, 0.5)]),
    ]
    sample.frames[1]["joints"] = fo.Keypoints(keypoints=prompts)
    sample.save()
    pt.track_dataset(dataset, tracker=drift, points="frames.joints", layout="objects", progress=False)
    return dataset
