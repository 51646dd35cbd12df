"""Skeletons of keypoint fields."""

from __future__ import annotations

from collections.abc import Iterator

import fiftyone as fo
import pytest

from point_tracking.store.labels.skeletons import copy_skeleton, node_names, skeleton_of

ANIMAL = fo.KeypointSkeleton(labels=["nose", "tail"], edges=[[0, 1]])
HAND = fo.KeypointSkeleton(labels=["thumb"], edges=[[0]])


@pytest.fixture
def dataset() -> Iterator[fo.Dataset]:
    dataset = fo.Dataset()
    dataset.media_type = "video"
    dataset.add_frame_field("joints", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    yield dataset
    dataset.delete()


def test_it_is_found_with_and_without_the_prefix_else_the_default_counts(dataset: fo.Dataset) -> None:
    assert skeleton_of(dataset, "frames.joints") is None
    dataset.default_skeleton = HAND
    assert skeleton_of(dataset, "frames.joints") == HAND
    dataset.skeletons = {"joints": ANIMAL}
    assert skeleton_of(dataset, "frames.joints") == ANIMAL


def test_points_beyond_it_have_no_name(dataset: fo.Dataset) -> None:
    assert node_names(dataset, "frames.joints", 2) == [None, None]
    dataset.skeletons = {"frames.joints": ANIMAL}
    assert node_names(dataset, "frames.joints", 3) == ["nose", "tail", None]


def test_a_copy_is_stored_and_takes_no_other_one_away(dataset: fo.Dataset) -> None:
    copy_skeleton(dataset, "joints", dataset, "tracks")
    assert dataset.skeletons == {}
    dataset.skeletons = {"frames.joints": ANIMAL}
    copy_skeleton(dataset, "joints", dataset, "tracks")
    dataset.reload()
    assert dataset.skeletons == {"frames.joints": ANIMAL, "frames.tracks": ANIMAL}
    dataset.skeletons = {"frames.joints": ANIMAL, "frames.tracks": HAND}
    copy_skeleton(dataset, "joints", dataset, "tracks")
    assert dataset.skeletons["frames.tracks"] == HAND
