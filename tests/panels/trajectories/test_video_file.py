"""What is said of files that are not as they were when they were tracked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import pytest

import point_tracking as pt
from point_tracking.panels.trajectories.video_file import told_of_file

MakeDataset = Callable[..., fo.Dataset]


@pytest.fixture
def sample(make_dataset: MakeDataset, tmp_path: Path) -> fo.Sample:
    dataset = make_dataset(media.video(tmp_path / "clip.mp4", num_frames=12))
    pt.fill_metadata(dataset)
    return dataset.first()


@pytest.mark.parametrize("num_frames", [11, 12, 13])
def test_of_the_video_that_was_tracked_nothing_is_said(sample: fo.Sample, num_frames: int) -> None:
    assert told_of_file(sample, num_frames) == []


def test_a_turned_video_whose_size_was_stored_before_rotation_is_the_same(
    make_dataset: MakeDataset, tmp_path: Path
) -> None:
    dataset = make_dataset(media.rotated_video(tmp_path / "turned.mp4", 90, 5))
    pt.fill_metadata(dataset)
    metadata = dataset.first().metadata
    metadata.frame_width, metadata.frame_height = metadata.frame_height, metadata.frame_width
    assert told_of_file(dataset.first(), 5) == []


def test_another_length_or_size_is_told(sample: fo.Sample) -> None:
    media.video(Path(sample.filepath), num_frames=5, size=(200, 100))
    (told,) = told_of_file(sample, 12)
    assert "the file has 5 frames, the tracks are of 12 and it is 200 x 100 pixels, not 160 x 120" in told
    (told,) = told_of_file(sample, 5)
    assert "frames" not in told
    sample.metadata = None
    assert told_of_file(sample, 5) == []


def test_a_file_that_is_gone_or_broken_is_told(sample: fo.Sample) -> None:
    path = Path(sample.filepath)
    for spoil in (media.text_file, lambda path: path.unlink()):
        spoil(path)
        (told,) = told_of_file(sample, 12)
        assert "cannot be read, so nothing can be followed again" in told
        assert str(path) in told
