"""Collections that cannot be tracked are refused with words that fit them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import fiftyone as fo
import media
import pytest
from trackers import DriftTracker

import point_tracking as pt
from point_tracking.tracker.errors import CollectionError

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def grouped() -> Iterator[Callable[..., fo.Dataset]]:
    """A function that makes a grouped dataset of slices."""
    dataset = fo.Dataset()
    dataset.add_group_field("group", default="left")

    def make(**slices: Path) -> fo.Dataset:
        group = fo.Group()
        dataset.add_samples([fo.Sample(filepath=str(path), group=group.element(name)) for name, path in slices.items()])
        return dataset

    yield make
    dataset.delete()


@pytest.mark.parametrize("ending", ["ts", "mts", "m2ts", "3gp", "h264"])
def test_files_that_fiftyone_knows_no_videos_by(
    make_dataset: MakeDataset, tmp_path: Path, drift: DriftTracker, ending: str
) -> None:
    container = {"h264": "h264", "3gp": "mp4"}.get(ending, "mpegts")
    path = media.video(tmp_path / f"clip.{ending}", 12, container_format=container)
    with pytest.raises(CollectionError, match=rf"\(\.{ending}\).*rename.*media_type='video'.*preprocess_dataset"):
        pt.track_dataset(make_dataset(path), tracker=drift, grid_size=2)
    dataset = make_dataset()
    dataset.add_sample(fo.Sample(filepath=str(path), media_type="video"))
    report = pt.track_dataset(dataset, tracker=drift, grid_size=2)
    assert report.failures == []
    assert dataset.count("frames") == 12
    assert dataset.values("metadata.total_frame_count") == [12]
    # FiftyOne cannot delete a dataset of such files while a sample of it is held: its `Sample.copy` goes by the ending
    gc.collect()


def test_dynamic_groups_are_told_to_be_flattened(
    make_dataset: MakeDataset, clip: Path, tmp_path: Path, drift: DriftTracker
) -> None:
    dataset = make_dataset(clip, media.video(tmp_path / "b.mp4", 4))
    dataset.set_values("scene", ["a", "a"])
    view = dataset.group_by("scene")
    for call in (pt.track_dataset, pt.evaluate_dataset):
        with pytest.raises(CollectionError, match=r"group_by.*view\.flatten\(\)"):
            call(view)
    assert pt.track_dataset(view.flatten(), tracker=drift, grid_size=2).num_samples == 2


def test_groups_name_their_video_slices(grouped: Callable[..., fo.Dataset], clip: Path, tmp_path: Path) -> None:
    dataset = grouped(left=clip, right=clip, still=media.picture_file(tmp_path / "a.png"))
    with pytest.raises(CollectionError, match=r"select_group_slices\('left'\), or one of 'right'"):
        pt.track_dataset(dataset)


def test_groups_without_videos_say_what_they_hold(grouped: Callable[..., fo.Dataset], tmp_path: Path) -> None:
    dataset = grouped(left=media.picture_file(tmp_path / "a.png"), raw=media.video(tmp_path / "a.ts", 3))
    with pytest.raises(CollectionError, match=r"'left' holds 'image', 'raw' holds 'unknown'.*media_type='video'"):
        pt.track_dataset(dataset)


def test_pictures_are_refused(make_dataset: MakeDataset, tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="'image'"):
        pt.track_dataset(make_dataset(media.picture_file(tmp_path / "a.png")))
