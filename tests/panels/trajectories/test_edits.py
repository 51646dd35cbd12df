"""Keypoints of tracks, and back, in all layouts; what follows tracks again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.panels.trajectories.edits import following_again, keypoint_id_of, track_of_keypoint
from point_tracking.tracker.errors import OptionError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def tracks() -> pt.Tracks:
    seen = np.ones((12, 3), bool)
    xy = np.tile([[20.0, 10.0], [30.0, 40.0], [60.0, 20.0]], (12, 1, 1))
    return pt.Tracks(xy, seen, seen * 1.0)


def test_of_points_each_track_has_its_keypoint(make_dataset: MakeDataset, clip: Path, tracks: pt.Tracks) -> None:
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks)
    for index in (1, 2, 3):
        found = keypoint_id_of(sample, "tracks", index, 4)
        assert found is not None
        assert track_of_keypoint(sample, "tracks", found, 4) == index
        assert track_of_keypoint(sample, "tracks", found, 5) is None
    assert keypoint_id_of(sample, "tracks", 4, 4) is None
    assert keypoint_id_of(sample, "tracks", 1, 13) is None


@pytest.mark.parametrize("layout", ["frame", "objects"])
def test_of_objects_and_frames_a_keypoint_has_several_tracks(
    make_dataset: MakeDataset, clip: Path, tracks: pt.Tracks, layout: str
) -> None:
    sample = make_dataset(clip).first()
    named: dict[str, Any] = {"labels": ["cat", "cat", "dog"], "objects": [1, 1, 2]} if layout == "objects" else {}
    pt.write_tracks(sample, "tracks", replace(tracks, **named), layout=layout)
    first, second, third = (keypoint_id_of(sample, "tracks", index, 4) for index in (1, 2, 3))
    assert first is not None
    assert third is not None
    assert first == second
    assert (first == third) == (layout == "frame")
    assert track_of_keypoint(sample, "tracks", first, 4) is None, "it is of two tracks"
    assert track_of_keypoint(sample, "tracks", third, 4) == (3 if layout == "objects" else None)


def test_only_tracks_that_were_corrected_are_followed_again(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    pt.track_dataset(dataset, "tracks", grid_size=2, tracker="optical-flow", progress=False)
    sample = dataset.first()
    pt.correct_tracks(sample, "tracks", [(1, 3, 25.0, 12.0), (2, 4, 33.0, 41.0)], retrack=False)
    with pytest.raises(OptionError, match="No point of this video was corrected yet"):
        following_again(sample, "tracks", [3])
    report = following_again(sample, "tracks", [2, 3])(progress=None)
    assert "Tracked 1 track again from 1 correction" in str(report)
    assert "Tracked 2 tracks again from 2 corrections" in str(following_again(sample, "tracks", [])(progress=None))
