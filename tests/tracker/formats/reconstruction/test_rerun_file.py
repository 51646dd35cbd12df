"""rerun's recordings, as its own reader has them."""

from __future__ import annotations

from pathlib import Path

import media
import numpy as np
import pytest
from made_clips import corner_clip

from point_tracking.tracker.formats.options import WriteOptions
from point_tracking.tracker.formats.reconstruction.rerun_file import write_clips

chunks = pytest.importorskip("rerun.chunk", reason="rerun-sdk is not installed")


def test_reruns_own_reader_finds_video_points_and_trails(tmp_path: Path):
    video = media.video(tmp_path / "clip.mp4", num_frames=6)
    write_clips(tmp_path / "a.rrd", [corner_clip(str(video))], WriteOptions(first_frame=10))
    found: dict[str, list] = {}
    for chunk in chunks.RrdReader(str(tmp_path / "a.rrd")).stream():
        found.setdefault(chunk.entity_path, []).append(chunk.to_record_batch())
    assert {"/video", "/video/points", "/video/trails"} <= set(found)
    frames: dict[int, np.ndarray] = {}
    for batch in found["/video/points"]:
        (place,) = (name for name in batch.schema.names if name.endswith(":positions"))
        for frame, points in zip(batch.column("frame").to_pylist(), batch.column(place).to_pylist(), strict=True):
            frames[frame] = np.array(points)
    assert sorted(frames) == list(range(10, 16))
    np.testing.assert_allclose(frames[10], [[0.5, 0.5], [159.5, 0.5], [0.5, 119.5], [159.5, 119.5]])
    assert len(frames[12]) == 1
