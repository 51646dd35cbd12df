"""From files on disk to keypoints in FiftyOne; the numbers of random weights mean nothing, the path does."""

from __future__ import annotations

import os
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.engine.pinning import pin_queries
from point_tracking.tracker.models.cotracker.weights.checkpoint import save_network

VIDEO_DIR = "POINT_TRACKING_VIDEO_DIR"


@pytest.fixture
def checkpoint(tmp_path, small_model):
    def write(kind: str) -> Path:
        path, model = tmp_path / f"{kind}.safetensors", small_model(kind)
        if kind != "v2":
            model.updateformer.vis_conf_head.bias.data += 1.0  # or hardly any point would be visible
        save_network(model, path)
        return path

    return write


@pytest.mark.parametrize(
    ("name", "kind"), [("cotracker3-offline", "offline"), ("cotracker3-online", "online"), ("cotracker2", "v2")]
)
def test_from_a_checkpoint_and_a_video_to_keypoints(tmp_path, checkpoint, name, kind):
    video = media.video(tmp_path / "clip.mp4", num_frames=12)
    tracker = pt.load_tracker(name, checkpoint=checkpoint(kind), device="cpu")
    queries = pt.grid_queries(3, height=120, width=160)
    found = tracker.track(pt.VideoFrames(video), queries)
    expected = pin_queries(found, queries, (160, 120), tracker.capabilities)  # the streaming model moves them
    dataset = fo.Dataset()
    try:
        dataset.add_sample(fo.Sample(filepath=str(video)))
        report = pt.track_dataset(dataset, label_field="tracks", tracker=tracker, grid_size=3)
        assert not report.failures
        read = pt.read_tracks(dataset.first(), "tracks")
    finally:
        dataset.delete()
    visible = expected.visible & read.visible
    assert read.xy.shape[0] == 12
    assert visible.any()
    np.testing.assert_allclose(read.xy[visible], expected.xy[visible], atol=0.01)
    np.testing.assert_allclose(read.xy[0], queries.xy, atol=0.01)


def real_videos() -> list[Path]:
    folder = os.environ.get(VIDEO_DIR)
    return sorted(Path(folder).glob("*.mp4")) if folder else []


@pytest.mark.slow
@pytest.mark.skipif(not real_videos(), reason=f"{VIDEO_DIR} names no folder of clips")
@pytest.mark.parametrize("kind", ["offline", "online"])
def test_a_real_clip_runs_end_to_end_at_900_points(checkpoint, kind):
    video = min(real_videos(), key=lambda path: path.stat().st_size)
    tracker = pt.load_tracker(f"cotracker3-{kind}", checkpoint=checkpoint(kind), device="cpu", iterations=1)
    frames = pt.VideoFrames(video)
    width, height = frames.size_px
    tracks = tracker.track(frames, pt.grid_queries(30, height=height, width=width))
    assert tracks.xy.shape == (frames.num_frames, 900, 2)
    assert np.isfinite(tracks.xy).all()
