"""From checkpoint files of published families to keypoints in FiftyOne and back; the path counts, not the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fiftyone as fo
import media
import numpy as np
import pytest

import point_tracking as pt
from point_tracking.tracker.engine.pinning import pin_queries
from point_tracking.tracker.models.base import Tracker

from .shallow import load_shallow

SIZE_PX = (160, 120)
QUERIES = pt.grid_queries(3, height=SIZE_PX[1], width=SIZE_PX[0])


@pytest.fixture
def sample(tmp_path: Path) -> Iterator[fo.Sample]:
    dataset = fo.Dataset()
    dataset.add_sample(fo.Sample(filepath=str(media.video(tmp_path / "clip.mp4", num_frames=5))))
    yield dataset.first()
    dataset.delete()


def check_stored(sample: fo.Sample, field: str, tracks: pt.Tracks, tracker: Tracker) -> None:
    """Compares what is stored with what a tracker says once its queries are in their frames."""
    expected = pin_queries(tracks, QUERIES, SIZE_PX, tracker.capabilities)
    read = pt.read_tracks(sample, field)
    np.testing.assert_array_equal(read.visible, expected.visible)
    np.testing.assert_allclose(read.xy[read.visible], expected.xy[read.visible], atol=0.01)
    assert read.visible[1:].any(), "nothing seen proves nothing"


@pytest.mark.parametrize("name", ["alltracker-tiny", "bootstapir", "locotrack-small", "tapir"])
def test_runs_and_models_store_what_the_tracker_says(name: str, tmp_path: Path, sample: fo.Sample) -> None:
    tracker = load_shallow(name, tmp_path)
    dataset = sample._dataset
    report = pt.track_dataset(dataset, "tracks", tracker=name, tracker_options=tracker.options, grid_size=3)
    assert not report.failures
    dataset.apply_model(pt.load_model(name, grid_size=3, **tracker.options), label_field="applied")
    tracks = tracker.track(pt.VideoFrames(sample.filepath), QUERIES)
    for field in ("tracks", "applied"):
        check_stored(dataset.first(), field, tracks, tracker)


def test_a_session_is_stored_as_it_goes(tmp_path: Path, sample: fo.Sample) -> None:
    tracker = load_shallow("bootstapir-online", tmp_path)
    frames = np.concatenate(list(pt.VideoFrames(sample.filepath).chunks()))
    session = tracker.open_session(SIZE_PX)
    session.add(QUERIES)
    parts = [session.push(frames[i : i + 2]) for i in range(0, len(frames), 2)]
    xy, visible, confidence = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("xy", "visible", "confidence")
    )
    session.close()
    tracks = pt.Tracks(xy, visible, confidence)
    pt.write_tracks(sample, "session", pin_queries(tracks, QUERIES, SIZE_PX, tracker.capabilities))
    check_stored(sample, "session", tracks, tracker)
