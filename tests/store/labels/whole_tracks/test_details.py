"""What point tracks say besides where they are, in every layout, and what a view shows of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest
from exchanged import random_tracks
from fiftyone import ViewField

import point_tracking as pt
from point_tracking.store.labels.skeletons import give_skeleton
from point_tracking.store.labels.whole_tracks.details import read_track_details

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def dataset(make_dataset: MakeDataset, clip: Path, rng) -> fo.Dataset:
    made = make_dataset(clip)
    tracks = random_tracks(rng, 12, 4, media.SIZE, labels=["a", "a", "b", "b"], objects=[1, 1, 2, 2])
    pt.write_tracks(made.first(), "tracks", tracks, keep_hidden=True)
    pt.write_tracks(made.first(), "objects", tracks, layout="objects")
    return made


def test_nodes_come_from_labels_or_the_skeleton(dataset: fo.Dataset):
    sample = dataset.first()
    for keypoint in sample.frames[1].tracks.keypoints:
        keypoint["node"] = "nose" if keypoint.index == 1 else None
        keypoint["keyframe"] = keypoint.index == 1
    sample.save()
    details = read_track_details(dataset, sample.id, "tracks")
    assert (details.nodes, details.keyframes, details.shown) == ({0: "nose"}, [(0, 0)], None)
    assert give_skeleton(dataset, "objects", ["nose", "tail"], [("nose", "tail")])
    nodes = read_track_details(dataset, sample.id, "objects").nodes
    assert nodes == {0: "nose", 1: "tail", 2: "nose", 3: "tail"}


def test_a_skeleton_that_is_there_stays(dataset: fo.Dataset):
    assert give_skeleton(dataset, "objects", ["nose", "tail"], [])
    assert not give_skeleton(dataset, "objects", ["other"], [])
    assert dataset.skeletons["frames.objects"].labels == ["nose", "tail"]


def test_a_view_chooses_what_is_shown(dataset: fo.Dataset):
    view = dataset.filter_labels("frames.tracks", ViewField("index") == 2)
    shown = read_track_details(view, dataset.first().id, "tracks").shown
    assert shown
    assert {column for _, column in shown} == {1}


def test_a_sample_without_frames_has_none(make_dataset: MakeDataset, clip: Path):
    empty = make_dataset(clip)
    empty.add_frame_field("tracks", fo.EmbeddedDocumentField, embedded_doc_type=fo.Keypoints)
    assert read_track_details(empty, empty.first().id, "tracks").nodes == {}
