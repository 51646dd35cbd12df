"""One sample, described."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
from known_cameras import drifting_tracks

import point_tracking as pt
from point_tracking.workflows.motion.describe_sample import digest_of
from point_tracking.workflows.motion.options import MotionOptions


def test_a_digest_tells_other_tracks_and_other_wishes_apart():
    tracks, options = drifting_tracks((1.0, 0.0)), MotionOptions(label_field="tracks")
    seen = tracks.visible.copy()
    seen[3, 4] = False
    others = [digest_of(drifting_tracks((1.0, 0.1)), options), digest_of(replace(tracks, visible=seen), options)]
    others.append(digest_of(tracks, MotionOptions(label_field="tracks", texture=False)))
    assert digest_of(tracks, options) == digest_of(drifting_tracks((1.0, 0.0)), options)
    assert len({digest_of(tracks, options), *others}) == 4


def test_layouts_tell_the_same(dataset: fo.Dataset):
    tracks = drifting_tracks((-1.0, 0.0), object_by=(0.0, 1.0))
    named = replace(tracks, labels=["a"] * 144, objects=[1] * 144)
    for sample, layout in zip(dataset, ("points", "frame", "objects"), strict=True):
        pt.write_tracks(sample, "tracks", named, layout=layout, overwrite=True)
    pt.describe_motion(dataset, "tracks", texture=False)
    assert dataset.values("tracks_motion.camera") == ["pan"] * 3
    assert len(set(np.round(dataset.values("tracks_motion.moving_share"), 3))) == 1


def test_the_videos_of_a_group_are_described_slice_by_slice(make_dataset: Callable[..., fo.Dataset], tmp_path: Path):
    dataset = make_dataset()
    dataset.add_group_field("group", default="left")
    group = fo.Group()
    for name in ("left", "right"):
        path = media.video(tmp_path / f"{name}.mp4", num_frames=40, size=(192, 144), fps=25)
        dataset.add_sample(fo.Sample(filepath=str(path), group=group.element(name)))
    right = dataset.select_group_slices("right")
    pt.write_tracks(right.first(), "tracks", drifting_tracks((0.0, 2.0)))
    report = pt.describe_motion(right, "tracks", texture=False)
    assert [outcome.camera for outcome in report.outcomes] == ["tilt"]
    assert dataset.select_group_slices("right").values("tracks_motion.camera") == ["tilt"]
