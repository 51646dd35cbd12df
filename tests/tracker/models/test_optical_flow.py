from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from point_tracking import Queries, load_tracker
from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.metrics.tap_vid import tap_vid_scores
from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.optical_flow import OpticalFlowOptions, OpticalFlowTracker, working_size
from point_tracking.tracker.video.frames import VideoFrames

from .clips import occluded_clip, shifted_clip, still_clip, texture


def test_options_have_their_defaults_in_one_place():
    options = load_tracker("optical-flow").options
    assert options == {field.name: field.default for field in fields(OpticalFlowOptions)}
    assert json.loads(json.dumps(options)) == options


@pytest.mark.parametrize(
    "option",
    [
        {"resolution": 16},
        {"resolution": 320.5},
        {"resolution": True},
        {"preset": "slow"},
        {"consistency_px": 0},
        {"consistency_px": float("nan")},
        {"consistency_px": "2"},
        {"match": 1.5},
        {"recover": 1},
        {"chunk_frames": 0},
    ],
)
def test_unsupported_options_are_refused(option: dict):
    (name,) = option
    with pytest.raises(OptionError, match=f"Invalid {name} .*[Ss]upported"):
        OpticalFlowTracker(**option)


@pytest.mark.parametrize(
    ("size_px", "expected"),
    [
        ((1280, 720), (569, 320)),
        ((720, 1280), (320, 569)),
        ((320, 200), (320, 200)),
        ((16, 12), (32, 32)),
        ((640, 1), (640, 32)),
    ],
)
def test_working_size_keeps_the_aspect_and_enlarges_only_what_is_tiny(size_px, expected):
    assert working_size(size_px, 320) == expected


@pytest.mark.parametrize("backward", [False, True])
def test_chunks_do_not_matter(backward: bool):
    frames, _ = occluded_clip(12)
    queries = Queries(np.array([0, 5, 11]), np.array([[60.0, 60.0], [100.0, 40.0], [30.0, 30.0]]))
    results = [OpticalFlowTracker(chunk_frames=n).track(frames, queries, backward) for n in (1, 5, 64)]
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].xy, other.xy)
        np.testing.assert_array_equal(results[0].visible, other.visible)
        np.testing.assert_array_equal(results[0].confidence, other.confidence)


def test_points_come_back_from_behind_an_occluder():
    frames, covered = occluded_clip(16)
    queries = Queries([0, 0], [[60.0, 60.0], [80.0, 90.0]])
    tracks = OpticalFlowTracker().track(frames, queries)
    for n, (x, y) in enumerate(queries.xy.astype(int)):
        free_again = np.flatnonzero(covered[:, y, x])[-1] + 2
        assert tracks.visible[free_again:, n].all()
        np.testing.assert_allclose(tracks.xy[free_again:, n], np.broadcast_to((x, y), (16 - free_again, 2)), atol=0.5)
    lost_for_good = OpticalFlowTracker(recover=False).track(frames, queries)
    assert not lost_for_good.visible[-1].any()


def test_a_point_comes_back_into_the_frame():
    there = shifted_clip((5, 0), num_frames=8)
    frames = np.concatenate([there, there[-2::-1]])
    tracks = OpticalFlowTracker().track(frames, Queries([0, 0], [[140.0, 60.0], [60.0, 60.0]]))
    assert not tracks.visible[5:10, 0].any()
    assert np.isfinite(tracks.xy).all()
    assert tracks.visible[-1].all()
    np.testing.assert_allclose(tracks.xy[-1], [[140, 60], [60, 60]], atol=0.5)


def test_a_cut_loses_all_points_and_leaves_no_doubt_about_it():
    frames = np.concatenate([still_clip(4), np.repeat(texture(120, 160, seed=9)[None], 4, axis=0)])
    xy = np.array([[40.0, 30.0], [80.0, 60.0], [110.0, 90.0], [60.0, 85.0], [30.0, 100.0]])
    tracks = OpticalFlowTracker().track(frames, Queries(np.zeros(5), xy))
    assert tracks.visible[:4].all()
    assert tracks.visible[4:].mean() < 0.3
    assert tracks.confidence[4:].mean() < 0.3 < 0.9 < tracks.confidence[:4].mean()


def test_confidence_decides_visibility():
    frames, _ = occluded_clip(16)
    rng = np.random.default_rng(0)
    queries = Queries(np.zeros(50), rng.uniform([0, 0], [159, 119], (50, 2)))
    tracks = OpticalFlowTracker().track(frames, queries)
    assert 0.1 < tracks.visible.mean() < 0.95
    assert tracks.confidence[tracks.visible].min() >= 0.5
    assert tracks.confidence[~tracks.visible].max() < 0.5


def test_many_points_pass_what_opencv_takes_in_one_go():
    xy = np.stack(np.meshgrid(np.linspace(0, 159, 200), np.linspace(0, 119, 200)), axis=-1).reshape(-1, 2)
    tracks = OpticalFlowTracker(recover=False).track(shifted_clip((2, 0), num_frames=2), Queries(np.zeros(40_000), xy))
    inside = xy[:, 0] < 150
    np.testing.assert_allclose(np.median(tracks.xy[1, inside] - xy[inside], axis=0), [2, 0], atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clip", "delta_avg", "average_jaccard"), [("composite_0", 0.5, 0.5), ("kitchen_rgbd_0", 0.874, 0.81)]
)
def test_real_clips_with_known_tracks(eval_dir: Path, clip: str, delta_avg: float, average_jaccard: float):
    truth = np.load(eval_dir / f"{clip}.npz")
    height, width = (int(side) for side in truth["hw"])
    tracks = OpticalFlowTracker().track(
        VideoFrames(eval_dir / f"{clip}.mp4"), Queries(truth["query_t"], truth["query_xy"])
    )
    scores = tap_vid_scores(
        tracks,
        TrackTruth(
            truth["query_t"],
            truth["tracks"].transpose(1, 0, 2),
            truth["visible"].T,
            (width, height),
            truth["valid"].T,
        ),
    )
    assert scores.delta_avg >= delta_avg
    assert scores.average_jaccard >= average_jaccard
