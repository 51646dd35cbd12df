"""A clip out of a file as the tracks of a sample: whole, where it fits, and never over hand labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import numpy as np
import pytest
from made_clips import corner_clip, mice

import point_tracking as pt
from point_tracking.store.tracks.sample_status import read_marks
from point_tracking.tracker.errors import FieldExistsError, FormatError
from point_tracking.workflows.exchange.clips.from_dataset import read_clip
from point_tracking.workflows.exchange.clips.to_dataset import (
    default_layout,
    store_clip,
    unsure_warning,
    without_unsure,
)
from point_tracking.workflows.exchange.targets import export_targets

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path) -> fo.Dataset:
    """One clip of 12 frames."""
    return make_dataset(clip)


def store(dataset: fo.Dataset, clip, layout: str = "points", **more):
    return store_clip(dataset, dataset.first().id, clip, "tracks", layout, "a.csv", **{"overwrite": False, **more})


def read(dataset: fo.Dataset):
    return read_clip(dataset, export_targets(dataset, "video")[0], "tracks")


def test_tracks_keep_numbers_names_hidden_points_and_what_was_asked(dataset: fo.Dataset):
    clip = replace(corner_clip(), num_frames=None, query_t=np.array([0, 1, 2, 0]))
    stored = store(dataset, clip)
    assert (stored.num_tracks, stored.num_labels, stored.warnings) == (4, 17, [])
    found = read(dataset)
    rows, columns = np.arange(6), np.array([0, 1, 2, 6])
    np.testing.assert_array_equal(found.tracks.visible[rows][:, columns], clip.tracks.visible)
    np.testing.assert_allclose(found.tracks.xy[rows][:, columns], clip.tracks.xy, atol=1e-5)
    assert [found.labels()[k] for k in columns] == clip.labels()
    assert found.query_t is not None
    assert found.query_t[columns].tolist() == [0, 1, 2, 0]
    assert read_marks(dataset, [dataset.first().id], "tracks")[dataset.first().id].layout == "points"


def test_individuals_become_keypoints_with_a_skeleton(dataset: fo.Dataset):
    clip = replace(mice(), num_frames=None, indices=np.arange(1, 5))
    assert default_layout(clip, pose=True) == "objects"
    assert default_layout(corner_clip(), pose=True) == default_layout(clip, pose=False) == "points"
    stored = store(dataset, clip, "objects")
    assert stored.left_out == {"hidden positions": 2}
    assert dataset.skeletons["frames.tracks"].labels == ["nose", "tail"]
    first = dataset.first().frames[1].tracks.keypoints
    assert [(one.label, one.index, len(one.points)) for one in first] == [("mouse", 1, 2), ("mouse", 2, 2)]
    found = read(dataset)
    assert found.node_list() == ["nose", "tail", "nose", "tail"]
    assert found.edges == (("nose", "tail"),)
    assert found.keyframes is not None


def test_a_skeleton_that_is_there_gives_the_order_and_refuses_other_points(dataset: fo.Dataset):
    clip = replace(mice(), num_frames=None, indices=np.arange(1, 5))
    dataset.skeletons = {"frames.tracks": fo.KeypointSkeleton(labels=["ear", "tail", "nose"], edges=[[0, 2]])}
    store(dataset, clip, "objects")
    first = dataset.first().frames[1].tracks.keypoints[0]
    assert np.isnan(first.points[0]).all()
    assert first.points[2] == [0, 0]
    assert read(dataset).chosen(np.arange(4)).node_list() == ["nose", "tail", "nose", "tail"]
    dataset.skeletons = {"frames.tracks": fo.KeypointSkeleton(labels=["ear", "nose"], edges=[[0, 1]])}
    with pytest.raises(FormatError, match=r"'tail'.*ear, nose.*layout='points'"):
        store(dataset, clip, "objects", overwrite=True)


def test_a_file_of_another_video_is_refused(dataset: fo.Dataset):
    with pytest.raises(FormatError, match="320 x 120 pixels"):
        store(dataset, replace(corner_clip(), size_px=(320, 120)))
    with pytest.raises(FormatError, match=r"has frame 17 .*frame_offset"):
        store(dataset, replace(corner_clip(), frames=np.arange(12, 18)))
    with pytest.raises(FormatError, match="a video of 6 frames, and this sample's has 12"):
        store(dataset, corner_clip(), own_frames=True)
    assert not dataset.has_frame_field("tracks")
    assert store(dataset, corner_clip()).warnings == ["the file says 6 frames, and the video has 12"]


def test_numbers_with_large_gaps_are_given_anew(dataset: fo.Dataset):
    (told,) = store(dataset, replace(corner_clip(), num_frames=None, indices=np.array([1, 2, 3, 10**8]))).warnings
    assert "numbered anew" in told
    assert pt.read_tracks(dataset.first(), "tracks").num_points == 4


def test_only_tracks_of_this_package_are_replaced(dataset: fo.Dataset):
    clip = replace(corner_clip(), num_frames=None)
    store(dataset, clip)
    with pytest.raises(FieldExistsError, match="overwrite=True"):
        store(dataset, clip)
    store(dataset, clip.chosen(np.array([0])), overwrite=True)
    assert pt.read_tracks(dataset.first(), "tracks").num_points == 1


def test_low_likelihoods_are_told_where_nothing_hides_them():
    clip = corner_clip()
    low = replace(clip, tracks=replace(clip.tracks, confidence=clip.tracks.confidence / 4))
    assert "min_confidence=0.6" in unsure_warning(low, 0.0)[0]
    assert unsure_warning(low, 0.6) == unsure_warning(clip, 0.0) == []
    assert without_unsure(clip, 0.0) is clip
    hidden = without_unsure(clip, 0.7).tracks
    np.testing.assert_array_equal(hidden.visible, clip.tracks.visible & (clip.tracks.confidence >= 0.7))
    np.testing.assert_array_equal(hidden.xy, clip.tracks.xy)
