"""What the published predictors do around the network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.models.cotracker.running import passes

from ..cases import POINTS


@pytest.mark.parametrize(
    ("origin", "option", "expected"),
    [
        ("points", "auto", 36),
        ("masked_grid", "auto", 36),
        ("grid", "auto", 0),
        ("dense", "auto", 0),
        ("points", 0, 0),
        ("grid", 3, 9),
    ],
)
def test_support_points_follow_the_published_rules(make, clip, monkeypatch, origin, option, expected):
    seen = []
    real = passes.TrackArrays.from_state.__func__
    monkeypatch.setattr(
        passes.TrackArrays,
        "from_state",
        classmethod(lambda cls, state, *rest: seen.append(state.xy.shape[1]) or real(cls, state, *rest)),
    )
    queries = pt.Queries(t=[0, 2], xy=[[5, 5], [20, 30]], origin=origin)
    tracks = make(support_grid=option).track(clip(5), queries)
    assert set(seen) == {2 + expected}
    assert tracks.num_points == 2, "support points are removed"


def test_visibility_follows_the_thresholds_of_each_predictor(make, clip):
    frames = clip(10)
    for tracker, threshold, with_confidence in [
        (make("offline"), 0.9, False),
        (make("online", windowed=True), 0.9, False),
        (make("online"), 0.6, True),
        (make("v2"), 0.9, False),
        (make("v2", windowed=False), 0.6, False),
    ]:
        tracks = tracker.track(frames, POINTS)
        score = tracks.confidence if with_confidence else tracks.info["visibility"]
        expected = score > threshold
        if tracker.context.rules.keep_queries:
            expected[POINTS.t, np.arange(3)] = True
        np.testing.assert_array_equal(tracks.visible, expected)


def test_confidence_is_visibility_times_certainty(make):
    arrays = passes.TrackArrays(
        np.zeros((1, 1, 2), np.float32), np.full((1, 1), 1.0, np.float32), np.full((1, 1), -0.5, np.float32)
    )
    sigmoid = 1 / (1 + np.exp(-np.array([1.0, -0.5])))
    for kind, expected in (("offline", sigmoid.prod()), ("v2", sigmoid[0])):
        tracker = make(kind)
        frame = passes.ModelFrame(tracker.model.config, (53, 37), torch.device("cpu"))
        tracks = tracker.context.rules.tracks(arrays, frame, {})
        np.testing.assert_allclose(tracks.confidence, [[expected]], rtol=1e-5)
