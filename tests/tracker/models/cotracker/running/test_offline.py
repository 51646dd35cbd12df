"""Whole clips, and clips in a chain of windows."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import point_tracking as pt
from point_tracking.tracker.models.cotracker.network.model import TrackState
from point_tracking.tracker.models.cotracker.running.offline import ChainedPoints, chain_starts, refine_clip
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker

QUERIES = pt.point_queries([(0, 5, 5), (3, 20, 30), (39, 40, 10)])


def chain(model, num_points=2, window=8, starts=(0, 6), t=(0, 0)):
    xy = torch.tensor([[[3.0, 4.0], [8.0, 6.0]]])[:, :num_points]
    return ChainedPoints(model, torch.tensor([t]), xy, window, starts)


@given(frames=st.integers(1, 300), window=st.integers(2, 80), data=st.data())
def test_windows_of_a_chain_cover_the_clip_and_share_enough(frames, window, data):
    overlap = data.draw(st.integers(1, window - 1))
    starts = chain_starts(frames, window, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(frames - window, 0), "the last is as long as the others"
    gaps = np.diff(starts)
    assert (gaps > 0).all()
    assert (gaps <= window - overlap).all()
    assert len(starts) == 1 + -(-max(frames - window, 0) // (window - overlap)), "no more than are needed"


def test_the_last_window_of_a_chain_is_not_short():
    assert chain_starts(61, 60, 15) == [0, 1]
    assert chain_starts(150, 60, 15) == [0, 45, 90]


def test_a_chain_of_one_window_is_the_whole_clip(small_model, random_maps):
    model = small_model("offline")
    maps = random_maps(model, 8)
    points = chain(model, t=(2, 5))
    with torch.inference_mode():
        *_, chained = points.refine_window(maps)
        *_, whole = refine_clip(model, maps, points.t, points.xy)
    torch.testing.assert_close(chained.xy, whole.xy)
    torch.testing.assert_close(chained.visibility, whole.visibility)
    assert points.write_from == 0


@pytest.mark.parametrize("num_frames", [9, 20, 61, 65])
def test_long_clips_are_tracked_whole_where_memory_allows(small_model, clip, num_frames):
    tracks = CoTrackerTracker.from_model(small_model("offline"), device="cpu").track(
        clip(num_frames, 20, 30), pt.point_queries([(num_frames - 1, 20, 10)])
    )
    assert tracks.info["plan"]["window_frames"] == num_frames
    assert tracks.xy.shape == (num_frames, 1, 2)


def test_clips_that_do_not_fit_are_chained(small_model, clip):
    model, frames = small_model("offline"), clip(40)
    tight = CoTrackerTracker.from_model(model, device="cpu", memory_limit_gb=0.0012)
    tracks = tight.track(frames, QUERIES)
    plan = tracks.info["plan"]
    assert plan["window_frames"] < 40
    assert any("overlapping windows of" in warning for warning in tracks.info["warnings"])
    assert tracks.xy.shape == (40, 3, 2)
    assert np.isfinite(tracks.xy).all()
    # a point whose window has not come rests at its query, hidden
    np.testing.assert_allclose(tracks.xy[0, 2], [40, 10], atol=1e-3)
    assert not tracks.visible[0, 2]
    both = tight.track(frames, QUERIES, backward=True)
    assert np.abs(both.xy[0, 2] - [40, 10]).max() > 1e-3, "backwards, it is tracked there"
    np.testing.assert_allclose(both.xy[:, 0], tracks.xy[:, 0], atol=1e-3)


class ScriptedModel:
    """Says in each window what a script says, to see what is handed over."""

    def __init__(self, model, script) -> None:
        self.config, self.template_shape = model.config, model.template_shape
        self.script, self.starts = list(script), []

    def support(self, maps, t, xy):
        self.sampled_from = (t.clone(), xy.clone())
        return torch.ones(*t.shape, *self.template_shape)

    def refine(self, maps, queries, state, iterations, chunks):
        self.starts.append(state.xy.clone())
        xy, seen = self.script.pop(0)
        logits = torch.where(seen, 5.0, -5.0)
        yield TrackState(xy, logits, logits)


def scripted_window(positions, seen):
    xy = torch.tensor(positions, dtype=torch.float32)[None, None, :, None].expand(1, 1, -1, 2)
    return xy, torch.tensor(seen, dtype=torch.bool)[None, None]


def test_the_next_window_starts_where_the_point_was_seen_last(small_model, random_maps):
    model = small_model("offline")
    lost = scripted_window([1, 2, 3, 4, 50, 60], [1, 1, 1, 1, 0, 0])  # drifts off after it is hidden
    hidden = scripted_window([70, 70, 70, 70, 70, 70], [0, 0, 0, 0, 0, 0])
    found = scripted_window([70, 70, 70, 9, 10, 11], [0, 0, 0, 1, 1, 1])
    script = ScriptedModel(model, [lost, hidden, found, hidden])
    windows = [0, 4, 8, 12]
    points = ChainedPoints(script, torch.tensor([[1]]), torch.tensor([[[2.0, 2.0]]]), 6, windows)  # type: ignore[arg-type]
    for start in windows:
        assert points.start == start
        list(points.refine_window(random_maps(model, 20).clip(start, 6)))
        assert points.write_from == (1 if start else 0), "the seam is in the middle of two shared frames"
    starts = [start[0, 0, :, 0].tolist() for start in script.starts]
    assert starts[0] == [2] * 6, "from its query"
    assert starts[1] == [4] * 6, "not from the drift while it was hidden"
    assert starts[2] == [4] * 6, "still searched for where it was seen last"
    assert starts[3] == [10, 11, 11, 11, 11, 11], "in the overlap where it was, then where it was last"
    assert points._sampled.all()
    assert script.sampled_from[0].tolist() == [[1]], "the template comes from the query, once"


def test_what_windows_hand_over_follows_how_much_they_share(small_model, random_maps):
    model = small_model("offline")
    first = scripted_window([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0])
    script = ScriptedModel(model, [first, scripted_window([7] * 6, [1] * 6)])
    points = ChainedPoints(script, torch.tensor([[0]]), torch.tensor([[[2.0, 2.0]]]), 6, [0, 1])  # type: ignore[arg-type]
    for start in (0, 1):
        list(points.refine_window(random_maps(model, 7).clip(start, 6)))
    assert script.starts[1][0, 0, :, 0].tolist() == [2, 2, 4, 5, 5, 5], "five shared frames, hidden ones as seen last"
    assert points.write_from == 2


def test_a_point_never_seen_is_searched_for_at_its_query(small_model, random_maps):
    model = small_model("offline")
    never = scripted_window([9] * 6, [0] * 6)
    script = ScriptedModel(model, [never, never])
    points = ChainedPoints(script, torch.tensor([[0]]), torch.tensor([[[2.0, 2.0]]]), 6, [0, 4])  # type: ignore[arg-type]
    for start in (0, 4):
        list(points.refine_window(random_maps(model, 10).clip(start, 6)))
    assert script.starts[1][0, 0, :, 0].tolist() == [2] * 6


def test_points_of_later_windows_do_not_take_part(small_model, random_maps):
    model = small_model("offline")
    maps = random_maps(model, 8)
    with torch.inference_mode():
        late = chain(model, t=(0, 12))
        *_, with_late = late.refine_window(maps)
        *_, alone = chain(model, num_points=1, t=(0,)).refine_window(maps)
    torch.testing.assert_close(with_late.xy[:, :1], alone.xy)
    torch.testing.assert_close(with_late.xy[0, 1], late.xy[0, 1].expand(8, 2))
    assert with_late.visibility[0, 1].sigmoid().max() == 0


@pytest.mark.parametrize("num_frames", [8, 9, 13, 14, 15, 31])
def test_no_frame_is_dropped_at_seams(small_model, clip, num_frames, monkeypatch):
    from point_tracking.tracker.models.cotracker.running import run_context

    real = run_context.make_plan

    def plan_with_windows_of_eight(config, work, device, budget, **options):
        import dataclasses

        return dataclasses.replace(real(config, work, device, budget, **options), window_frames=8, overlap=2)

    monkeypatch.setattr(run_context, "make_plan", plan_with_windows_of_eight)
    tracks = CoTrackerTracker.from_model(small_model("offline"), device="cpu").track(clip(num_frames), QUERIES_AT_0)
    assert len(tracks.xy) == num_frames
    assert (tracks.confidence > 0).all(), "every frame got the model's answer"


QUERIES_AT_0 = pt.point_queries([(0, 5, 5), (0, 20, 30)])
