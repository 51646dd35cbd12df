"""Which track is which named point of which individual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_clips import LABELS, corner_clip, empty_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.pose.poses import FoundPoses, clip_of_poses, poses_of, shown_xy
from point_tracking.tracker.types import Tracks


def named(labels: list[str | None], **more):
    clip = corner_clip()
    tracks = clip.tracks
    return replace(clip, tracks=Tracks(tracks.xy, tracks.visible, tracks.confidence, labels=labels), **more)  # type: ignore[arg-type]


def test_labels_are_names_and_unnamed_points_have_their_numbers():
    assert poses_of(corner_clip(), "labels").nodes == LABELS
    assert poses_of(named([None, "b", "point", None]), "labels").nodes == ("point_1", "b", "point_3", "point_7")
    assert poses_of(corner_clip(), "index").nodes == ("point_1", "point_2", "point_3", "point_7")
    assert poses_of(empty_clip(), "labels").nodes == ()


def test_names_that_are_not_unique_are_refused_with_what_to_do():
    with pytest.raises(FormatError, match=r"called 'a'.*names='index'"):
        poses_of(named(["a", "b", "a", "c"]), "labels")
    assert len(poses_of(named(["a", "b", "a", "c"]), "index").nodes) == 4
    with pytest.raises(FormatError, match="Two tracks of 'mouse' are the point 'nose'"):
        poses_of(replace(mice(), nodes=np.array(["nose", "nose", "nose", "tail"], dtype=object)), "labels")


def test_individuals_are_told_by_label_and_object():
    poses = poses_of(mice(), "labels")
    assert (poses.individuals, poses.nodes) == (("mouse_1", "mouse_2"), ("nose", "tail"))
    assert poses.columns.tolist() == [[0, 1], [2, 3]]
    fewer = poses_of(mice().chosen(np.array([0, 2, 3])), "labels")
    assert fewer.columns.tolist() == [[0, -1], [1, 2]]
    assert np.isnan(shown_xy(mice().chosen(np.array([0, 2, 3])), fewer)[:, 0, 1]).all()


def found(**more) -> FoundPoses:
    values = {"individuals": [""], "nodes": ["a", "b"], "xy": np.ones((2, 1, 2, 2)), "score": np.full((2, 1, 2), 0.4)}
    return FoundPoses(**{**values, **more})


def test_frames_come_in_order_with_the_scores_as_confidence():
    clip = clip_of_poses(found(), np.array([3, 1]), "a")
    assert (clip.frames.tolist(), clip.known.all(), clip.tracks.visible.all()) == ([1, 3], True, True)
    np.testing.assert_allclose(clip.tracks.confidence, 0.4)


def test_points_that_are_called_by_number_come_back_without_names():
    clip = clip_of_poses(found(nodes=["point_3", "point_8"]), np.arange(2), "a")
    assert (clip.indices.tolist(), clip.nodes) == ([3, 8], None)
    assert clip_of_poses(found(nodes=["point_3", "point_03"]), np.arange(2), "a").nodes is not None


def test_what_is_wrong_is_told():
    for values, words in (
        ({"nodes": ["a", "a"]}, "two points of one name"),
        ({"xy": np.full((2, 1, 2, 2), np.inf)}, "frame 0: point 1 is at"),
        ({"score": np.full((2, 1, 2), 1.5)}, "confidence 1.5"),
    ):
        with pytest.raises(FormatError, match=words):
            clip_of_poses(found(**values), np.arange(2), "a")
    with pytest.raises(FormatError, match="frame 4 twice"):
        clip_of_poses(found(), np.array([4, 4]), "a")
