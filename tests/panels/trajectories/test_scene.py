"""What the browser is sent: of tracks of all kinds, thinned where there are too many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from packed_positions import unpack
from trackers import random_tracks

import point_tracking as pt
from point_tracking.panels.trajectories import scene as scenes
from point_tracking.panels.trajectories import thinning
from point_tracking.panels.trajectories.scene import Choice, build_scene, build_window, opened_scene
from point_tracking.tracker.errors import FieldError

MakeDataset = Callable[..., fo.Dataset]
SIZE = media.SIZE


def _tracks(num_frames: int = 12, num_points: int = 5, share: float = 0.6) -> pt.Tracks:
    found = random_tracks(np.random.default_rng(0), num_frames, num_points, SIZE, share_visible=share)
    inside = np.clip(np.nan_to_num(found.xy), 0, np.array(SIZE) - 1)
    return pt.Tracks(np.where(found.visible[..., None], inside, np.nan), found.visible, found.visible * 0.5)


@pytest.fixture
def sample(make_dataset: MakeDataset, clip: Path) -> fo.Sample:
    return make_dataset(clip).first()


@pytest.mark.parametrize("layout", ["points", "frame"])
def test_positions_and_figures_are_those_that_are_stored(sample: fo.Sample, layout: str) -> None:
    tracks = _tracks()
    pt.write_tracks(sample, "tracks", tracks, layout=layout)
    scene = build_scene(sample, Choice("tracks"))
    xy, visible = unpack(scene["xy"], 5, SIZE)
    frames = np.array(scene["frames"]) - 1
    np.testing.assert_array_equal(visible, tracks.visible[frames])
    np.testing.assert_allclose(xy[visible], tracks.xy[frames][visible], atol=0.1)
    assert [row["index"] for row in scene["tracks"]] == [1, 2, 3, 4, 5]
    assert scene["tracks"][0]["confidence"] == 0.5
    assert (scene["num_frames"], scene["size"], scene["thinned"]) == (12, list(SIZE), False)
    assert (scene["told"], scene["left_out"], scene["parts"]) == ([], [], 1)
    assert (scene["locked"] is None) == (layout == "points")
    assert "write_tracks" not in (scene["locked"] or ""), "it is for people, not for Python"


def test_tracks_of_one_label_or_object_alone(sample: fo.Sample) -> None:
    tracks = replace(_tracks(), labels=["cat", "dog", "cat", "dog", None], objects=[1, 2, 3, 2, None])
    pt.write_tracks(sample, "tracks", tracks)
    whole = build_scene(sample, Choice("tracks"))
    assert (whole["labels"], whole["objects"]) == (["cat", "dog", "point"], [1, 2, 3])
    assert [row["index"] for row in build_scene(sample, Choice("tracks", label="cat"))["tracks"]] == [1, 3]
    dogs = build_scene(sample, Choice("tracks", object=2))
    assert [row["index"] for row in dogs["tracks"]] == [2, 4]
    assert dogs["labels"] == ["cat", "dog", "point"], "another one can be chosen"
    assert build_scene(sample, Choice("tracks", "cat", 2))["told"] == ["This video has no such tracks"]


def test_what_is_never_visible_has_no_figures(sample: fo.Sample) -> None:
    pt.write_tracks(sample, "tracks", _tracks(share=0.0))
    scene = build_scene(sample, Choice("tracks"))
    row = scene["tracks"][0]
    assert (row["first"], row["length"], row["speed"], row["suspicion"]) == (None, 0, None, None)
    assert scene["told"] == ["No point is visible in any frame of this video"]


@pytest.mark.parametrize(("num_frames", "num_points"), [(1, 1), (1, 4), (12, 1), (12, 0)])
def test_few_frames_and_points(make_dataset: MakeDataset, tmp_path: Path, num_frames: int, num_points: int) -> None:
    sample = make_dataset(media.video(tmp_path / "short.mp4", num_frames=num_frames)).first()
    pt.write_tracks(sample, "tracks", _tracks(num_frames, num_points, share=1.0))
    scene = build_scene(sample, Choice("tracks"))
    assert len(scene["tracks"]) == num_points
    if not num_points:
        assert scene["told"] == ["This video was tracked without points"]


def test_a_video_without_tracks_says_so(make_dataset: MakeDataset, tmp_path: Path, clip: Path) -> None:
    dataset = make_dataset(clip, media.video(tmp_path / "other.mp4", num_frames=3))
    with pytest.raises(FieldError, match="no tracks in 'tracks'"):
        build_scene(dataset.first(), Choice("tracks"))
    pt.write_tracks(dataset.first(), "tracks", _tracks())
    with pytest.raises(FieldError, match="no tracks in 'tracks'"):
        build_scene(dataset.last(), Choice("tracks"))


def test_too_many_frames_and_tracks_are_thinned_and_it_is_said(
    sample: fo.Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thinning, "MAX_POSITIONS", 59)
    monkeypatch.setattr(thinning, "OVERVIEW_POSITIONS", 25)
    monkeypatch.setattr(scenes, "MAX_TRACKS", 3)
    tracks = _tracks(share=1.0)
    pt.write_tracks(sample, "tracks", tracks)
    scene = build_scene(sample, Choice("tracks"))
    assert scene["thinned"]
    assert (len(scene["frames"]), scene["frames"][0], scene["frames"][-1]) == (5, 1, 12)
    assert [row["index"] for row in scene["tracks"]] == [1, 3, 5]
    assert [row["suspicion"] for row in scene["tracks"]] == [None] * 3
    assert [row["length"] for row in scene["tracks"]] == [12] * 3
    text = " ".join(scene["left_out"])
    assert "3 of 5 tracks are shown" in text
    assert "5 of 12 frames were read" in text
    # all frames are exact near the playhead
    window = build_window(sample, "tracks", [1, 3, 5], 7)
    assert (window["first"], window["last"]) == (1, 300)
    assert window["frames"] == list(range(1, 13))
    xy, visible = unpack(window["xy"], 3, SIZE)
    assert visible.all()
    np.testing.assert_allclose(xy, tracks.xy[:, ::2], atol=0.1)


def test_frames_that_were_not_tracked_are_left_out(sample: fo.Sample) -> None:
    pt.track_dataset(
        sample._dataset, "tracks", grid_size=2, tracker="optical-flow", sampling={"every_nth": 3}, progress=False
    )
    scene = build_scene(sample._dataset.first(), Choice("tracks"))
    assert scene["frames"] == [1, 4, 7, 10]
    assert not scene["thinned"]


def test_corrections_are_told_and_change_the_stamp(sample: fo.Sample) -> None:
    pt.write_tracks(sample, "tracks", _tracks(share=1.0))
    before = build_scene(sample, Choice("tracks"))
    pt.correct_tracks(sample, "tracks", [(2, 5, 10.0, 20.0)], retrack=False)
    after = build_scene(sample, Choice("tracks"))
    assert after["corrected"] == [[2, 6]]
    assert after["stamp"] != before["stamp"]


def test_a_read_only_field_is_locked(sample: fo.Sample) -> None:
    pt.write_tracks(sample, "tracks", _tracks())
    dataset = sample._dataset
    field = dataset.get_field("frames.tracks")
    field.read_only = True
    field.save()
    assert "read-only" in build_scene(dataset.first(), Choice("tracks"))["locked"]


def test_a_panel_that_opens_reads_once_until_tracks_change(sample: fo.Sample) -> None:
    pt.write_tracks(sample, "tracks", _tracks(share=1.0))
    first = opened_scene(sample, Choice("tracks"))
    assert opened_scene(sample, Choice("tracks")) is first
    assert opened_scene(sample, Choice("tracks", label="cat")) is not first
    pt.hide_tracks(sample, "tracks", [1])
    assert opened_scene(sample, Choice("tracks"))["tracks"][0]["length"] == 0
