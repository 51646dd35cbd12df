"""Tracks out of the database, of ours and of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.tracks.reader import read_tracks_at
from point_tracking.tracker.errors import FieldError, OptionError

SIZE = media.SIZE


MakeDataset = Callable[..., fo.Dataset]


def _shown(tracks: pt.Tracks) -> np.ndarray:
    x, y = tracks.xy[..., 0], tracks.xy[..., 1]
    return tracks.visible & (x >= 0) & (y >= 0) & (x <= SIZE[0] - 1) & (y <= SIZE[1] - 1)


@pytest.mark.parametrize(("layout", "keep_hidden"), [("points", False), ("points", True), ("frame", False)])
def test_tracks_come_back_as_written(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, layout: str, keep_hidden: bool
) -> None:
    tracks = random_tracks(rng, 12, 23, SIZE, share_visible=0.5)
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks, layout=layout, keep_hidden=keep_hidden)
    back = pt.read_tracks(sample, "tracks")
    shown = _shown(tracks)
    np.testing.assert_array_equal(back.visible, shown)
    kept = np.isfinite(tracks.xy).all(axis=2) if keep_hidden else shown
    np.testing.assert_allclose(back.xy[kept], tracks.xy[kept], atol=1e-4)
    assert np.isnan(back.xy[~kept]).all()
    np.testing.assert_array_equal(back.confidence, np.where(kept, tracks.confidence, 0))


NAMES: dict[str, Any] = {"labels": ["goat", "goat", "kid", None, "kid"], "objects": [1, 1, 1, 2, None]}


@pytest.mark.parametrize("layout", ["points", "objects"])
def test_tracks_keep_what_they_are_called(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, layout: str
) -> None:
    tracks = replace(random_tracks(rng, 12, 5, SIZE), **NAMES)
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks, layout=layout)
    back = pt.read_tracks(sample, "tracks")
    assert back.labels is not None
    assert back.objects is not None
    assert back.labels.tolist() == ["goat", "goat", "kid", "point", "kid"]
    assert back.objects.tolist() == NAMES["objects"]
    shown = _shown(tracks)
    np.testing.assert_array_equal(back.visible, shown)
    np.testing.assert_allclose(back.xy[shown], tracks.xy[shown], atol=1e-4)
    np.testing.assert_array_equal(back.confidence, np.where(shown, tracks.confidence, 0))


def test_of_objects_each_has_one_keypoint_per_frame_with_all_its_points(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator
) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    pt.write_tracks(sample, "tracks", replace(random_tracks(rng, 12, 5, SIZE), **NAMES), layout="objects")
    for frame in sample.frames.values():
        keypoints = frame["tracks"].keypoints
        assert [(k.label, k.index, k.track_numbers) for k in keypoints] == [
            ("goat", 1, [1, 2]),
            ("kid", 1, [3]),
            ("point", 2, [4]),
            ("kid", None, [5]),
        ]
        assert [len(k.points) for k in keypoints] == [2, 1, 1, 1]
    assert isinstance(dataset.get_field("frames.tracks.keypoints.track_numbers"), fo.ListField)


def test_a_keypoint_that_does_not_say_whose_points_it_has_is_named(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator
) -> None:
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", replace(random_tracks(rng, 12, 5, SIZE), **NAMES), layout="objects")
    sample.frames[2]["tracks"].keypoints.append(fo.Keypoint(points=[(0.5, 0.5)]))
    sample.save()
    with pytest.raises(FieldError, match="frame 2 has 1 points and 0 track_numbers"):
        pt.read_tracks(sample, "tracks")


def test_without_names_there_are_no_objects_to_store(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    tracks = random_tracks(np.random.default_rng(0), 12, 5, SIZE)
    with pytest.raises(OptionError, match="neither labels nor objects"):
        pt.write_tracks(sample, "tracks", tracks, layout="objects")
    pt.write_tracks(sample, "tracks", tracks)
    back = pt.read_tracks(sample, "tracks")
    assert (back.labels, back.objects) == (None, None)


def test_an_attribute_of_others_that_is_no_index_is_no_object(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    keypoint = fo.Keypoint(points=[(0.5, 0.25)], index=1, label="nose", object="goat")
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[keypoint])
    sample.save()
    tracks = pt.read_tracks(sample, "joints")
    assert tracks.labels is not None
    assert (tracks.labels.tolist(), tracks.objects) == (["nose"], None)


def test_the_number_of_points_is_remembered_where_none_is_visible(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    hidden = pt.Tracks(xy=np.zeros((12, 5, 2)), visible=np.zeros((12, 5), dtype=bool), confidence=np.zeros((12, 5)))
    pt.write_tracks(sample, "tracks", hidden)
    assert pt.read_tracks(sample, "tracks").xy.shape == (12, 5, 2)
    assert sample["tracks_info"].state == "done"
    assert sample["tracks_info"].num_keypoints == 0


def test_keypoints_of_others_are_read_by_their_index(make_dataset: MakeDataset, clip: Path) -> None:
    sample = make_dataset(clip).first()
    sample.frames[2]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)], index=3)])
    sample.save()
    tracks = pt.read_tracks(sample, "joints")
    assert tracks.xy.shape == (12, 3, 2)
    np.testing.assert_allclose(tracks.xy[1, 2], [0.5 * SIZE[0], 0.25 * SIZE[1]])
    assert tracks.visible.sum() == 1
    sample.frames[3]["joints"] = fo.Keypoints(keypoints=[fo.Keypoint(points=[(0.5, 0.25)])])
    sample.save()
    with pytest.raises(FieldError, match="no index"):
        pt.read_tracks(sample, "joints")
    with pytest.raises(FieldError, match="no frame field"):
        pt.read_tracks(sample, "nothing")


@pytest.mark.parametrize("layout", ["points", "frame", "objects"])
def test_of_some_frames_the_same_comes_back_as_of_all(
    make_dataset: MakeDataset, clip: Path, rng: np.random.Generator, layout: str
) -> None:
    tracks = replace(random_tracks(rng, 12, 5, SIZE, share_visible=0.5), **(NAMES if layout != "frame" else {}))
    sample = make_dataset(clip).first()
    pt.write_tracks(sample, "tracks", tracks, layout=layout)
    whole, frames = pt.read_tracks(sample, "tracks"), [0, 3, 4, 11]
    some = read_tracks_at(sample, "tracks", frames)
    np.testing.assert_array_equal(some.xy, whole.xy[frames])
    np.testing.assert_array_equal(some.visible, whole.visible[frames])
    np.testing.assert_array_equal(some.confidence, whole.confidence[frames])
    assert read_tracks_at(sample, "tracks", []).xy.shape == (0, 5, 2)
    every = read_tracks_at(sample, "tracks", range(12))
    assert (every.labels is None) == (whole.labels is None)
    assert every.labels is None or every.labels.tolist() == whole.labels.tolist()  # type: ignore


def test_of_some_frames_only_tracks_of_ours_are_read(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    with pytest.raises(FieldError, match="no frame field 'tracks'"):
        read_tracks_at(dataset.first(), "tracks", [0])
    sample = dataset.first()
    sample.frames[1] = fo.Frame(tracks=fo.Keypoints(keypoints=[fo.Keypoint(points=[[0.5, 0.5]], index=1)]))
    sample.save()
    with pytest.raises(FieldError, match="no tracks of this video"):
        read_tracks_at(sample, "tracks", [0])
