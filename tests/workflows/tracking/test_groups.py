"""Grouped datasets whose active slice is another one than the videos'."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import FieldExistsError
from point_tracking.workflows.tracking.delete_tracks import delete_tracks, samples_of_run


@pytest.fixture
def grouped(make_dataset: Callable[..., fo.Dataset], tmp_path: Path) -> fo.Dataset:
    """Two groups of a picture, which is the active slice, and a video."""
    dataset = make_dataset()
    dataset.add_group_field("group", default="picture")
    (tmp_path / "in").mkdir()
    mask = np.zeros((media.SIZE[1], media.SIZE[0]), dtype=np.uint8)
    mask[:, : media.SIZE[0] // 2] = 1
    for k in range(2):
        group = fo.Group()
        picture = media.picture_file(tmp_path / "in" / f"{k}.png")
        video = media.video(tmp_path / "in" / f"{k}.mp4", num_frames=6 + k)
        dataset.add_samples(
            [
                fo.Sample(filepath=str(picture), group=group.element("picture")),
                fo.Sample(filepath=str(video), group=group.element("video"), mask=fo.Segmentation(mask=mask)),
            ]
        )
    return dataset


@pytest.mark.parametrize("prompt", [{"grid_size": 3}, {"grid_size": 4, "mask_field": "mask"}])
def test_tracks_of_videos_in_groups_are_written_and_read(
    grouped: fo.Dataset, drift: DriftTracker, prompt: dict[str, Any]
) -> None:
    videos = grouped.select_group_slices("video")
    report = pt.track_dataset(videos, tracker=drift, **prompt)
    assert (report.num_samples, report.failures) == (2, [])
    assert videos.values("metadata.frame_width") == [media.SIZE[0]] * 2
    for sample, num_frames in zip(videos, (6, 7), strict=True):
        tracks = pt.read_tracks(sample, "tracks")
        assert tracks.visible.shape == (num_frames, report.num_points // 2)
        assert tracks.visible[0].all()
    with pytest.raises(FieldExistsError, match="2 of the samples"):
        pt.track_dataset(videos, tracker=drift, **prompt)
    assert pt.track_dataset(videos, tracker=drift, skip_existing=True, **prompt).num_skipped == 2
    assert pt.track_dataset(videos, tracker=drift, overwrite=True, **prompt).num_samples == 2
    pt.write_tracks(videos.first(), "mine", pt.read_tracks(videos.first(), "tracks"))
    with pytest.raises(FieldExistsError):
        pt.write_tracks(videos.first(), "mine", pt.read_tracks(videos.first(), "tracks"))
    assert grouped.group_slice == "picture"


@pytest.mark.parametrize("target", ["dataset", "media_field"])
def test_tracks_find_their_way_back_into_groups(
    grouped: fo.Dataset, drift: DriftTracker, tmp_path: Path, target: str
) -> None:
    videos = grouped.select_group_slices("video")
    report = pt.preprocess_dataset(videos, tmp_path / "out", every_nth=2, target=target, media_field="small")
    assert report.failures == []
    samples = report.dataset if target == "dataset" else grouped.select_group_slices("video")
    where = {} if target == "dataset" else {"media_field": "small"}
    tracked = pt.track_dataset(
        samples, tracker=drift, points=[(0, 40, 40)], write_to="source", interpolate=True, **where
    )
    assert (tracked.num_samples, tracked.failures) == (2, [])
    for sample, num_tracked in zip(videos, (5, 7), strict=True):
        assert pt.read_tracks(sample, "tracks").visible.all(axis=1).sum() == num_tracked


def test_deleting_a_run_sees_all_slices(grouped: fo.Dataset, tmp_path: Path) -> None:
    for group in grouped.distinct("group.id"):
        path = media.video(tmp_path / f"second-{group}.mp4", num_frames=5)
        grouped.add_sample(fo.Sample(filepath=str(path), group=fo.Group(id=group).element("other")))
    for name in ("video", "other"):
        pt.track_dataset(grouped.select_group_slices(name), tracker=DriftTracker(), grid_size=2, run_key=name)
    assert len(samples_of_run(grouped, "other")) == 2
    stored = grouped.select_group_slices("video").count("frames.tracks.keypoints")
    for name, left in (("other", 2), ("video", 0)):
        assert delete_tracks(grouped, name) == 2
        grouped.reload()
        assert grouped.has_frame_field("tracks") is grouped.has_sample_field("tracks_info") is bool(left)
        if left:
            assert grouped.select_group_slices("video").values("tracks_info.run_key") == ["video", "video"]
            assert grouped.select_group_slices("video").count("frames.tracks.keypoints") == stored > 0
