"""The whole path from a published checkpoint file on disk to keypoints in a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.models.cotracker.network.config import COTRACKER3_OFFLINE, CoTrackerConfig
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker
from point_tracking.tracker.models.cotracker.weights.checkpoint import CoTracker


def test_a_checkpoint_file_becomes_keypoints(
    tmp_path: Path, published_checkpoint: Callable[[CoTrackerConfig], Path]
) -> None:
    options = {"checkpoint": str(published_checkpoint(COTRACKER3_OFFLINE)), "device": "cpu", "iterations": 2}
    clip = media.video(tmp_path / "clip.mp4", num_frames=4)
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(clip)))
    report = pt.track_dataset(
        dataset, tracker="cotracker3-offline", tracker_options=options, grid_size=3, keep_hidden=True
    )
    assert report.failures == []
    stored = pt.read_tracks(dataset.first(), "tracks")
    width, height = media.SIZE
    direct = pt.load_tracker("cotracker3-offline", **options).track(
        pt.VideoFrames(clip), pt.grid_queries(3, width=width, height=height)
    )
    np.testing.assert_allclose(stored.xy, direct.xy, atol=1e-3)
    np.testing.assert_allclose(stored.confidence, direct.confidence, atol=1e-6)
    x, y = direct.xy[..., 0], direct.xy[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    np.testing.assert_array_equal(stored.visible, direct.visible & inside)
    plan = report.outcomes[0].plan
    assert plan["window_frames"] == 4
    config = dataset.get_run_info(report.run_key).config
    assert config.weights["license"] == "CC-BY-NC-4.0"
    assert config.tracker_options["iterations"] == 2
    dataset.delete()


def test_what_a_run_stores_about_its_plan_is_small(tmp_path: Path, small_model: Callable[..., CoTracker]) -> None:
    # arrays once were among it, and a run with many points could not store its report
    clip = media.video(tmp_path / "clip.mp4", num_frames=12)
    tracker = CoTrackerTracker.from_model(small_model("offline"), device="cpu", memory_limit_gb=0.0012)
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(clip)))
    report = pt.track_dataset(dataset, tracker=tracker, grid_size=12)
    assert report.failures == []
    loaded: Any = pt.load_report(dataset, report.run_key)
    (outcome,) = loaded.to_dict()["outcomes"]
    assert outcome["plan"]["points_per_pass"] == 72
    assert all(isinstance(value, bool | int) for value in outcome["plan"].values())
    assert len(json.dumps(loaded.to_dict())) < 4000, "144 points x 12 frames are more in any form"
    passes = [text for _, text in loaded.warnings if "tracked 72 at a time" in text]
    assert len(passes) == 1, "that memory was scarce and changed the tracks reaches the user"
    dataset.delete()


def test_without_weights_the_run_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POINT_TRACKING_WEIGHTS_DIR", str(tmp_path))
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=2))))
    with pytest.raises(pt.PointTrackingError, match=r"scaled_offline\.pth.*CC-BY-NC.*accept_license=True"):
        pt.track_dataset(dataset, tracker="cotracker3-offline")
    assert dataset.list_runs() == []
    assert not dataset.has_frame_field("tracks")
    dataset.delete()
