"""A sample as a video."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from trackers import random_tracks

import point_tracking as pt
from point_tracking.store.tracks.videos import opened_video
from point_tracking.tracker.errors import (
    CollectionError,
)

SIZE = media.SIZE


MakeDataset = Callable[..., fo.Dataset]


def _shown(tracks: pt.Tracks) -> np.ndarray:
    x, y = tracks.xy[..., 0], tracks.xy[..., 1]
    return tracks.visible & (x >= 0) & (y >= 0) & (x <= SIZE[0] - 1) & (y <= SIZE[1] - 1)


def test_frame_documents_are_those_that_decode_not_those_declared(make_dataset: MakeDataset, tmp_path: Path) -> None:
    path = media.overdeclared_video(tmp_path / "over.mp4", num_frames=10, num_empty=2)
    sample = make_dataset(path).first()
    assert pt.probe(path).declared_frames == 12
    pt.write_tracks(sample, "tracks", random_tracks(np.random.default_rng(0), 10, 4, SIZE))
    assert sorted(sample.frames) == list(range(1, 11))


def test_samples_outside_a_video_data_set_are_refused(clip: Path, tmp_path: Path, make_dataset: MakeDataset) -> None:
    tracks = random_tracks(np.random.default_rng(0), 3, 4, SIZE)
    with pytest.raises(CollectionError, match="dataset"):
        pt.write_tracks(fo.Sample(filepath=str(clip)), "tracks", tracks)
    dataset = make_dataset(clip)
    video = dataset.first()
    video["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="run", support=[2, 5])])
    video.save()
    with pytest.raises(CollectionError, match="This is a clip"):
        pt.write_tracks(dataset.to_clips("events").first(), "tracks", tracks)
    image = make_dataset(media.picture_file(tmp_path / "picture.png")).first()
    with pytest.raises(CollectionError, match="image"):
        pt.write_tracks(image, "tracks", tracks)


def test_a_moved_file_is_written_by_its_metadata(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    tracks = random_tracks(np.random.default_rng(0), 12, 4, SIZE)
    sample = dataset.first()
    sample.metadata = fo.VideoMetadata(frame_width=SIZE[0], frame_height=SIZE[1], total_frame_count=12)
    sample.save()
    clip.unlink()
    pt.write_tracks(sample, "tracks", tracks)
    np.testing.assert_array_equal(pt.read_tracks(sample, "tracks").visible, _shown(tracks))


def test_rotated_video_is_normalised_to_the_displayed_frame(make_dataset: MakeDataset, tmp_path: Path) -> None:
    path = media.rotated_video(tmp_path / "rotated.mp4", 90)
    width, height = pt.probe(path).size_px
    assert (width, height) == SIZE[::-1]
    sample = make_dataset(path).first()
    tracks = pt.Tracks(xy=[[[width - 1, height - 1]]], visible=[[True]], confidence=[[1.0]])
    pt.write_tracks(sample, "tracks", tracks)
    (point,) = sample.frames[1]["tracks"].keypoints[0].points
    assert tuple(point) == pytest.approx(((width - 1) / width, (height - 1) / height))


def test_the_opened_video_is_the_whole_one_of_a_clip_or_a_group(make_dataset: MakeDataset, clip: Path) -> None:
    dataset = make_dataset(clip)
    sample = dataset.first()
    sample["events"] = fo.TemporalDetections(detections=[fo.TemporalDetection(label="run", support=[2, 5])])
    sample.save()
    clips = dataset.to_clips("events")
    assert opened_video(dataset, clips, clips.first().id).id == sample.id
    assert opened_video(dataset, None, sample.id) is sample
    with pytest.raises(CollectionError, match="No video is open"):
        opened_video(dataset, clips, None)
    with pytest.raises(CollectionError, match="is no video"):
        opened_video(dataset, dataset, clips.first().id)
    sample.frames[2]["boxes"] = fo.Detections(detections=[fo.Detection(bounding_box=[0, 0, 0.5, 0.5])])
    sample.save()
    frames = dataset.to_frames(sample_frames="dynamic")
    for view in (frames, frames.to_patches("boxes")):
        with pytest.raises(CollectionError, match="is a frame of a video, or a part of one"):
            opened_video(dataset, view, view.first().id)
