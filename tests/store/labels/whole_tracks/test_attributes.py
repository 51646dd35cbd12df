"""What is told of whole tracks, on their keypoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np

import point_tracking as pt
from point_tracking.store.labels.whole_tracks.attributes import has_attributes, set_track_attribute


def test_all_keypoints_of_a_track_are_told_and_others_are_not(make_dataset: Callable[..., fo.Dataset], tmp_path: Path):
    dataset = make_dataset(media.video(tmp_path / "a.mp4", num_frames=4))
    visible = np.ones((4, 3), bool)
    tracks = pt.Tracks(np.full((4, 3, 2), 20.0), visible, visible.astype(float))
    pt.write_tracks(dataset.first(), "tracks", tracks)
    pt.write_tracks(dataset.first(), "together", tracks, layout="frame")
    sample_id = dataset.first().id
    assert has_attributes(dataset, sample_id, "tracks")
    assert not has_attributes(dataset, sample_id, "together")
    dataset.add_frame_field("tracks.keypoints.group", fo.IntField)
    set_track_attribute(dataset, sample_id, "tracks", "group", {7: [0, 2], 8: []})
    assert dataset.first().frames[3].tracks.keypoints[2].group == 7
    assert dataset.values("frames.tracks.keypoints.group")[0] == [[7, None, 7]] * 4
    assert np.array_equal(pt.read_tracks(dataset.first(), "tracks").xy, tracks.xy)
