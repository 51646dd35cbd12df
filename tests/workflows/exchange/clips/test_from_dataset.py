"""The tracks of a sample as a clip: of the video, of its source, of what a view shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest
from exchanged import random_tracks
from fiftyone import ViewField

import point_tracking as pt
from point_tracking.tracker.errors import FieldError
from point_tracking.workflows.exchange.clips.from_dataset import read_clip
from point_tracking.workflows.exchange.targets import export_targets

MakeDataset = Callable[..., fo.Dataset]


def test_what_is_stored_is_what_is_read(make_dataset: MakeDataset, tmp_path: Path, rng: np.random.Generator):
    dataset = make_dataset(media.rotated_video(tmp_path / "a.mp4", 90, num_frames=5))
    made = random_tracks(rng, 5, 3, media.SIZE[::-1], labels=["ä", None, "b"], objects=[4, None, None])
    pt.write_tracks(dataset.first(), "tracks", made, keep_hidden=True)
    (target,) = export_targets(dataset, "video")
    clip = read_clip(dataset, target, "tracks")
    np.testing.assert_allclose(clip.tracks.xy, made.xy, atol=1e-4)
    assert (clip.labels(), clip.object_list()) == (["ä", "point", "b"], [4, None, None])
    assert (clip.size_px, clip.fps, clip.num_frames) == (media.SIZE[::-1], 10.0, 5)
    assert clip.media["rotation"] == 90
    with pytest.raises(FieldError, match="no frame field"):
        read_clip(dataset, target, "nothing")


def test_a_view_chooses_tracks(make_dataset: MakeDataset, clip: Path, rng: np.random.Generator):
    dataset = make_dataset(clip)
    pt.write_tracks(dataset.first(), "tracks", random_tracks(rng, 12, 4, media.SIZE))
    view = dataset.filter_labels("frames.tracks", ViewField("index") > 2)
    found = read_clip(view, export_targets(view, "video")[0], "tracks")
    assert found.indices.tolist() == [3, 4]


def test_tracks_of_a_copy_are_told_in_frames_and_pixels_of_its_source(
    make_dataset: MakeDataset, tmp_path: Path, rng: np.random.Generator
):
    (tmp_path / "in").mkdir()
    source = make_dataset(media.video(tmp_path / "in" / "source.mp4", num_frames=12))
    report = pt.preprocess_dataset(source, output_dir=tmp_path / "copies", every_nth=3, longest_side=80)
    copies = fo.load_dataset(str(report.dataset_name))
    try:
        pt.write_tracks(copies.first(), "tracks", random_tracks(rng, 4, 2, (80, 60)))
        (target,) = export_targets(copies, "source")
        clip = read_clip(copies, target, "tracks")
        assert clip.frames.tolist() == [0, 3, 6, 9]
        assert (clip.size_px, clip.num_frames, clip.sample_id) == ((160, 120), 12, source.first().id)
        read = pt.read_tracks(copies.first(), "tracks")
        np.testing.assert_allclose(clip.tracks.xy[0, 0], (read.xy[0, 0] + 0.5) * 2 - 0.5, atol=1e-4)
    finally:
        copies.delete()
