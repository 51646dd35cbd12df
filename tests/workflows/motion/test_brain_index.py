"""Like motion, found by FiftyOne's own brain."""

from __future__ import annotations

import fiftyone as fo
import pytest
from known_cameras import drifting_tracks

import point_tracking as pt
from point_tracking.tracker.errors import FieldError, MotionError


def test_samples_are_sorted_by_like_motion_and_have_a_place_on_the_map(dataset: fo.Dataset):
    pt.write_tracks(dataset.last(), "tracks", drifting_tracks((-0.9, 0.0), object_by=(0.0, 1.1)))
    report = pt.describe_motion(dataset, "tracks", find_similar=True, texture=False)
    assert report.brain_keys == ["tracks_motion_similarity", "tracks_motion_embeddings"]
    pan, still, other_pan = dataset.values("id")
    assert dataset.sort_by_similarity(pan, brain_key=report.brain_keys[0]).values("id") == [pan, other_pan, still]  # type: ignore
    assert dataset.load_brain_results(report.brain_keys[1]).points.shape == (3, 2)  # type: ignore
    assert pt.index_motion(dataset, "tracks") == tuple(report.brain_keys)  # made anew


def test_what_was_not_described_is_refused(dataset: fo.Dataset):
    with pytest.raises(FieldError, match="Describe the motion"):
        pt.index_motion(dataset, "tracks")
    report = pt.describe_motion(dataset, "tracks", texture=False, find_similar=True)
    assert "2 samples are described" in report.notes[0]  # and what was described is stored
    with pytest.raises(MotionError, match="2 samples are described"):
        pt.index_motion(dataset, "tracks")
