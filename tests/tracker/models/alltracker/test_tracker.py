"""AllTracker behind the contract: passes, directions, sizes, memory, and being followed or stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from plain_alltracker import PlainAllTracker

from point_tracking import Queries, Tracks
from point_tracking.tracker.coordinates import edge_aligned
from point_tracking.tracker.errors import Cancelled, OutOfMemoryError
from point_tracking.tracker.models.alltracker import tracker as tracker_module
from point_tracking.tracker.models.alltracker.options import AllTrackerOptions
from point_tracking.tracker.models.alltracker.tracker import VISIBLE_FROM, AllTrackerTracker
from point_tracking.tracker.models.shared.frame_resizing import frames_to_device, resize_frames
from point_tracking.tracker.video.frames import ArrayFrames

from ..contract import least_limit_gb

SIZE = (70, 100)  # padded to 128 x 128


@pytest.fixture(scope="module")
def load(shallow) -> Callable[..., AllTrackerTracker]:
    """Makes a tracker of a shallow model; one iteration and the video's own size unless told otherwise."""

    def make(kind: str = "tiny", **options) -> AllTrackerTracker:
        options = {"device": "cpu", "resolution": None, "iterations": 1, **options}
        return AllTrackerTracker(shallow[kind], AllTrackerOptions(**options))

    return make


def moving(num_frames: int, size: tuple[int, int] = SIZE, seed: int = 0) -> np.ndarray:
    """Smooth noise that moves: uint8 (T, H, W, 3)."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.uniform(0, 255, (num_frames, 3, 6, 8))).float()
    coarse = 0.7 * coarse[:1] + 0.3 * coarse
    full = torch.nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 255)
    return full.permute(0, 2, 3, 1).to(torch.uint8).numpy()


def some_queries(num_frames: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(N, 3) whole t, x, y: corners, borders, and points between, in up to three frames."""
    height, width = size
    places = [(0, 0), (width - 1, height - 1), (0, height // 2), (31, 17), (width // 2, height - 1), (40, 40)]
    frames = sorted({0, num_frames // 2, num_frames - 1})
    return np.array([(frames[i % len(frames)], *xy) for i, xy in enumerate(places)])


def as_queries(rows: np.ndarray) -> Queries:
    return Queries(t=rows[:, 0].astype(int), xy=rows[:, 1:])


def check_equal(tracks: Tracks, xy: np.ndarray, scores: np.ndarray, queries: np.ndarray) -> None:
    """Compares with what the plain form says; where it says nothing the query stands in its frame, or nothing."""
    known = ~np.isnan(scores[..., 0])
    np.testing.assert_allclose(tracks.xy[known], xy[known], atol=2e-3)
    np.testing.assert_allclose(tracks.info["visibility"][known], scores[known][:, 0], atol=2e-4)
    np.testing.assert_allclose(tracks.info["certainty"][known], scores[known][:, 1], atol=2e-4)
    own = np.arange(len(xy))[:, None] == queries[:, 0]
    np.testing.assert_array_equal(tracks.xy[own & ~known], queries[np.nonzero(own & ~known)[1], 1:])
    assert tracks.visible[own & ~known].all()
    assert np.isnan(tracks.xy[~own & ~known]).all()
    assert not tracks.visible[~own & ~known].any()


@pytest.mark.parametrize(
    ("num_frames", "backward"), [(1, True), (2, False), (2, True), (3, True), (4, True), (6, True)]
)
def test_tracks_equal_the_plain_form(load, num_frames, backward):
    iterations = 2 if num_frames < 4 else 1
    tracker, frames, queries = load(iterations=iterations), moving(num_frames), some_queries(num_frames)
    expected = PlainAllTracker(tracker.model).track(frames, queries, iterations, "last", backward)
    check_equal(tracker.track(frames, as_queries(queries), backward), *expected, queries)


@pytest.mark.parametrize("keep", ["last", "first"])
def test_either_window_of_a_frame_can_count(load, keep):
    tracker, frames, queries = load("normal", keep=keep), moving(7), some_queries(7)[:1]
    expected = PlainAllTracker(tracker.model).track(frames, queries, 1, keep, False)
    check_equal(tracker.track(frames, as_queries(queries)), *expected, queries)


def test_the_last_window_counts_in_short_clips_and_the_first_in_long_ones(load, monkeypatch):
    frames, queries = moving(7), as_queries(some_queries(7)[:1])
    last, first, auto = (load(keep=keep).track(frames, queries) for keep in ("last", "first", "auto"))
    assert np.abs(last.xy - first.xy)[np.isfinite(last.xy)].max() > 0.01
    np.testing.assert_array_equal(auto.xy, last.xy)
    monkeypatch.setattr(tracker_module, "LAST_UP_TO", 6)
    np.testing.assert_array_equal(load().track(frames, queries).xy, first.xy)


@pytest.mark.parametrize("backward", [False, True])
def test_memory_changes_the_way_and_not_the_tracks(load, backward):
    frames, queries = moving(7), as_queries(some_queries(7))
    plenty = load().track(frames, queries, backward)
    least = least_limit_gb(lambda limit: load(memory_limit_gb=limit).track(frames, queries, backward))
    little = load(memory_limit_gb=least).track(frames, queries, backward)
    assert plenty.info["plan"]["keeps_clip"]
    assert plenty.info["plan"]["keeps_volumes"]
    assert little.info["plan"]["passes_together"] == (1 if backward else 3)
    assert not little.info["plan"]["keeps_clip"]
    assert not little.info["plan"]["keeps_volumes"]
    np.testing.assert_allclose(plenty.xy, little.xy, atol=1e-3)
    np.testing.assert_allclose(plenty.confidence, little.confidence, atol=1e-4)


def test_passes_that_go_through_the_clip_together_find_the_same(load, monkeypatch):
    frames, queries = moving(7), as_queries(some_queries(7))
    one_by_one = load().track(frames, queries, backward=True)
    planned = tracker_module.make_plan
    monkeypatch.setattr(tracker_module, "make_plan", lambda *given: replace(planned(*given), keeps_clip=False))
    tracker, held = load(), []
    at = tracker_module.EncodedFeatures.at

    def watched(self, frame):
        held.append(len(self._maps))
        return at(self, frame)

    monkeypatch.setattr(tracker_module.EncodedFeatures, "at", watched)
    together = tracker.track(frames, queries, backward=True)
    assert together.info["plan"]["passes_together"] == 3
    assert max(held) <= tracker.model.config.window + 2, "only frames around the windows are held"
    np.testing.assert_allclose(together.xy, one_by_one.xy, atol=1e-3)


def test_frames_are_encoded_once_for_all_passes_and_directions(load, monkeypatch):
    tracker, counts = load(), []
    encode = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda frames: counts.append(len(frames)) or encode(frames))
    tracker.track(moving(5), as_queries(some_queries(5)), backward=True)
    assert counts == [1] * 5, "and never as a whole clip"


def test_earlier_frames_are_read_only_where_they_are_tracked(load, monkeypatch):
    tracker, counts = load(), []
    encode = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda frames: counts.append(len(frames)) or encode(frames))
    tracker.track(moving(9), Queries(t=np.array([6]), xy=np.array([[5.0, 5.0]])))
    assert sum(counts) == 3


def test_only_cells_that_hold_queries_are_upsampled(load, monkeypatch):
    tracker, cells = load(), []
    upsample = tracker.model.upsample
    monkeypatch.setattr(tracker.model, "upsample", lambda w, s, c: cells.append(len(c)) or upsample(w, s, c))
    tracker.track(moving(5), Queries(t=np.zeros(3, int), xy=np.array([[5.0, 5.0], [6.0, 5.0], [50.0, 50.0]])))
    assert set(cells) == {2}
    assert len(cells) == 2 + 3, "and a frame only in the window whose result counts"


def test_positions_between_pixels_move_as_the_pixels_around_them(load):
    frames, tracker = moving(4), load()
    corners = np.array([[20.0, 30.0], [21, 30], [20, 31], [21, 31]])
    around = tracker.track(frames, Queries(t=np.zeros(4, int), xy=corners)).xy - corners
    between = tracker.track(frames, Queries(t=np.zeros(1, int), xy=np.array([[20.25, 30.5]]))).xy[:, 0]
    shares = np.array([0.375, 0.125, 0.375, 0.125])
    np.testing.assert_allclose(between, np.array([20.25, 30.5]) + shares @ around, atol=1e-3)


@pytest.mark.parametrize("resize", ["bilinear", "antialias"])
def test_frames_are_resized_and_positions_mapped_back(load, resize):
    frames, size = moving(5, (140, 90)), (96, 110)
    queries = as_queries(some_queries(5, (140, 90)))
    found = load(resolution=size, resize=resize).track(frames, queries, backward=True)
    resized = resize_frames(frames_to_device(frames, torch.device("cpu")), size, resize).permute(0, 2, 3, 1)
    xy = edge_aligned(queries.xy, (90, 140), (110, 96))
    inside = np.clip(xy, 0, [109, 95])  # the border of the video lies a little outside where it shrinks
    expected = load().track(resized.round().byte().numpy(), Queries(queries.t, inside), backward=True)
    moved = edge_aligned(expected.xy - inside + xy, (110, 96), (90, 140))
    own = np.arange(5)[:, None] == queries.t
    # antialiased frames are not rounded to whole grey values
    np.testing.assert_allclose(found.xy[~own], moved[~own], atol=1e-3 if resize == "bilinear" else 0.1)


@pytest.mark.parametrize("size", [(12, 16), (1, 1), (1, 64), (20, 300), (64, 65)])
def test_frames_below_the_least_side_are_resized_up(load, size):
    height, width = size
    xy = np.array([[0.0, 0.0], [width - 1, height - 1], [(width - 1) / 2, (height - 1) / 2]])
    tracks = load(iterations=1).track(moving(3, size), Queries(t=np.zeros(3, int), xy=xy))
    assert tracks.xy.shape == (3, 3, 2)
    assert np.isfinite(tracks.xy).all()


def test_a_point_is_visible_from_the_published_share_on(load):
    tracks = load().track(moving(5), as_queries(some_queries(5)))
    np.testing.assert_array_equal(tracks.visible, tracks.confidence >= VISIBLE_FROM)
    np.testing.assert_allclose(tracks.confidence, tracks.info["visibility"] * tracks.info["certainty"])


def test_progress_grows_inside_windows_and_ends_at_one(load, monkeypatch):
    shares: list[float] = []
    ends: list[float] = []
    tracks = tracker_module._ClipRun._tracks
    monkeypatch.setattr(
        tracker_module._ClipRun, "_tracks", lambda run: ends.append(run._work_done / run._work) or tracks(run)
    )
    load(iterations=3).track(moving(4), as_queries(some_queries(4)), True, progress=shares.append)
    assert (shares[0], shares[-1]) == (0, 1)
    assert shares == sorted(shares)
    assert max(np.diff(shares)) < 0.25

    def track(limit: float) -> None:
        load(memory_limit_gb=limit).track(moving(5), as_queries(some_queries(5)), True)

    track(least_limit_gb(track))
    load().track(moving(5), Queries(np.array([3]), np.array([[5.0, 5.0]])))
    assert ends == pytest.approx([1] * 3), "what was counted is what was done"


def test_cancelling_ends_a_run_inside_a_window(load, monkeypatch):
    tracker, steps = load(), []
    mix = tracker.model.update_block.mix
    monkeypatch.setattr(tracker.model.update_block, "mix", lambda *given: steps.append(1) or mix(*given))
    with pytest.raises(Cancelled):
        tracker.track(moving(4), as_queries(some_queries(4)[:1]), cancelled=lambda: len(steps) == 1)
    assert len(steps) == 1


def test_running_out_of_memory_is_met_with_a_smaller_plan(load, monkeypatch):
    tracker, tried = load(), []
    refine = tracker.model.refine

    def tight(*given):
        blocks = given[5]
        tried.append(blocks.keeps_volumes)
        if blocks.keeps_volumes:
            raise MemoryError
        return refine(*given)

    monkeypatch.setattr(tracker.model, "refine", tight)
    tracks = tracker.track(moving(5), as_queries(some_queries(5)))
    assert tried[0]
    assert not tracks.info["plan"]["keeps_volumes"]
    monkeypatch.setattr(tracker.model, "refine", lambda *given: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(OutOfMemoryError, match="memory_limit_gb"):
        tracker.track(moving(5), as_queries(some_queries(5)))


def test_query_frames_beyond_memory_are_tracked_in_smaller_groups(load, monkeypatch):
    frames, queries = moving(5), Queries(t=np.arange(4), xy=np.array([[20.0, 30.0], [21, 30], [60, 50], [99, 69]]))
    expected, groups = load().track(frames, queries), []
    track_passes = tracker_module.track_passes

    def tight(model, features, passes, course, one_by_one, on_found):
        groups.append(len(passes))
        if one_by_one or len(passes) > 1:  # the whole clip, or the state of more than one pass, is too much
            raise MemoryError
        track_passes(model, features, passes, course, one_by_one, on_found)

    monkeypatch.setattr(tracker_module, "track_passes", tight)
    tracks = load().track(frames, queries)
    assert (tracks.info["plan"]["keeps_clip"], tracks.info["plan"]["passes_together"]) == (False, 1)
    assert groups[0] == 4
    assert groups[-4:] == [1] * 4, "one pass after the other"
    np.testing.assert_allclose(tracks.xy, expected.xy, atol=1e-3)
    monkeypatch.setattr(tracker_module, "track_passes", lambda *given: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(OutOfMemoryError, match="memory_limit_gb"):
        load().track(frames, queries)


class LyingFrames(ArrayFrames):
    """Like a video whose last frames do not decode although they were counted."""

    @property
    def num_frames(self) -> int:
        return super().num_frames + 5


def test_a_clip_ends_where_its_frames_do(load):
    queries = as_queries(some_queries(6)[:3])
    honest, lying = (load(iterations=1).track(kind(moving(6)), queries) for kind in (ArrayFrames, LyingFrames))
    np.testing.assert_array_equal(honest.xy, lying.xy)


def test_bfloat16_copies_the_model_and_stays_near(load, shallow):
    frames, queries = moving(5), as_queries(some_queries(5))
    exact, tracker = load().track(frames, queries), load(dtype="bfloat16")
    assert shallow["tiny"].update_block.final_conv.weight.dtype == torch.float32
    rounded = tracker.track(frames, queries)
    known = np.isfinite(exact.xy)
    assert np.abs(rounded.xy - exact.xy)[known].max() < 1
