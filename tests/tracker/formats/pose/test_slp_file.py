"""SLEAP's files, as sleap-io reads them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_clips import assert_seen_alike, corner_clip, mice

from point_tracking.tracker.errors import FormatError
from point_tracking.tracker.formats.options import ReadOptions, WriteOptions
from point_tracking.tracker.formats.pose.slp_file import read_clips, read_keys, write_clips

sio = pytest.importorskip("sleap_io", reason="sleap-io is not installed")


def test_sleap_io_reads_individuals_nodes_and_who_placed_them(tmp_path: Path):
    path = tmp_path / "a.slp"
    write_clips(path, [mice()], WriteOptions())
    labels = sio.load_slp(str(path), open_videos=False)
    assert [track.name for track in labels.tracks] == ["mouse_1", "mouse_2"]
    assert labels.skeletons[0].node_names == ["nose", "tail"]
    assert labels.skeletons[0].edge_names == [("nose", "tail")]
    kinds = [[type(one).__name__ for one in frame.instances] for frame in labels.labeled_frames[:2]]
    assert kinds == [["PredictedInstance", "PredictedInstance"], ["Instance", "PredictedInstance"]]
    np.testing.assert_allclose(labels.labeled_frames[0].instances[0].numpy(), [[0, 0], [159, 0]], atol=1e-5)
    assert read_keys(path) == [("", "/videos/mice.mp4")]


def test_individuals_and_what_a_person_placed_come_back(tmp_path: Path):
    write_clips(tmp_path / "a.slp", [mice()], WriteOptions(first_frame=2))
    (clip,) = read_clips(tmp_path / "a.slp", ReadOptions(first_frame=2))
    assert_seen_alike(clip, mice(), atol=1e-5)
    assert clip.labels() == ["mouse_1", "mouse_1", "mouse_2", "mouse_2"]
    assert clip.edges == (("nose", "tail"),)
    assert clip.keyframes is not None
    assert np.argwhere(clip.keyframes).tolist() == [[1, 0], [1, 1]]


def test_instances_without_a_track_are_refused(tmp_path: Path):
    skeleton = sio.Skeleton(nodes=["a"])
    video = sio.Video("a.mp4", backend_metadata={"shape": (3, 120, 160, 3)}, open_backend=False)
    two = [sio.Instance.from_numpy(np.ones((1, 2)) * k, skeleton=skeleton) for k in (1, 2)]
    sio.Labels([sio.LabeledFrame(video=video, frame_idx=0, instances=two)]).save(str(tmp_path / "a.slp"), verbose=False)
    with pytest.raises(FormatError, match="without a track"):
        list(read_clips(tmp_path / "a.slp", ReadOptions()))


def test_an_empty_file_is_fine(tmp_path: Path):
    write_clips(tmp_path / "a.slp", [corner_clip().chosen(np.zeros(4, bool))], WriteOptions())
    (clip,) = read_clips(tmp_path / "a.slp", ReadOptions())
    assert clip.tracks.num_points == 0
