"""Windows over videos: hand-over, late points, short ends, sessions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.models.cotracker.running.online import WindowedPoints, window_starts
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

KINDS = ["online", "guided", "v2"]
QUERIES = pt.point_queries([(0, 5, 5), (3, 20, 30), (9, 40, 10), (17, 11.5, 8.25), (19, 30, 20)])

QUERIES_AT_0 = pt.point_queries([(0, 5, 5)])


def track(model, frames, queries=QUERIES, **options):
    return CoTrackerTracker.from_model(model, device="cpu", **options).track(frames, queries)


@given(num_frames=st.integers(1, 200), window=st.integers(1, 12).map(lambda n: 2 * n))
def test_windows_cover_every_frame_once_started(num_frames, window):
    starts = window_starts(num_frames, window)
    assert starts[0] == 0
    assert starts[-1] + window >= num_frames
    assert len(starts) == 1 or starts[-2] + window < num_frames, "no window without a new frame"


@pytest.mark.parametrize("kind", KINDS)
def test_templates_of_late_points_are_zero_until_their_frame_comes(small_model, random_maps, kind):
    model = small_model(kind)
    maps = random_maps(model, 20)
    points = WindowedPoints(model, torch.tensor([[0, 9, 15]]), torch.rand(1, 3, 2) * 10)
    known = []
    with torch.inference_mode():
        for start in (0, 4, 8):
            for _ in points.refine_window(maps.clip(start, 8), iterations=1):
                pass
            known.append((points._templates != 0).flatten(2).any(-1)[0].tolist())
    assert known == [[True, False, False], [True, True, False], [True, True, True]]


def test_a_late_point_takes_part_before_its_frame(small_model, clip):
    # published behaviour: its tokens, with an empty template, reach the other points
    model, frames = small_model("online"), clip(20)
    without = track(model, frames, pt.point_queries([(0, 5, 5)]), support_grid=0)
    with_late = track(model, frames, pt.point_queries([(0, 5, 5), (19, 30, 20)]), support_grid=0)
    assert np.abs(without.xy[:4, 0] - with_late.xy[:4, 0]).max() > 1e-4


def test_masked_late_points_leave_the_others_alone_in_cotracker2(small_model, clip):
    model, frames = small_model("v2"), clip(20)
    without = track(model, frames, pt.point_queries([(0, 5, 5)]), support_grid=0)
    with_late = track(model, frames, pt.point_queries([(0, 5, 5), (19, 30, 20)]), support_grid=0)
    np.testing.assert_allclose(without.xy[:12, 0], with_late.xy[:12, 0], atol=1e-3)


@pytest.mark.parametrize("num_frames", [1, 2, 4, 5, 7, 8, 9, 12, 13, 16, 17, 23])
@pytest.mark.parametrize("kind", KINDS)
def test_any_length_is_tracked(small_model, clip, kind, num_frames):
    queries = pt.point_queries([(0, 5, 5), (num_frames - 1, 20, 30)])
    tracks = track(small_model(kind), clip(num_frames), queries)
    assert tracks.xy.shape == (num_frames, 2, 2)
    assert np.isfinite(tracks.xy).all()
    assert (np.ptp(tracks.confidence, axis=0) > 0).all() or num_frames == 1, "every frame was looked at"


@pytest.mark.parametrize("kind", KINDS)
def test_a_short_last_window_equals_repeating_the_last_frame(small_model, clip, kind):
    model, frames = small_model(kind), clip(14)
    padded = np.concatenate([frames, np.repeat(frames[-1:], 2, axis=0)])
    queries = pt.point_queries([(0, 5, 5), (13, 20, 30)])
    np.testing.assert_allclose(track(model, frames, queries).xy, track(model, padded, queries).xy[:14], atol=2e-3)
