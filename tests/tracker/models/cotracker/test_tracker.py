"""The trackers: queries, support, directions, thresholds, options, hooks."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import point_tracking as pt
from point_tracking.tracker.errors import Cancelled, OptionError, OutOfMemoryError, QueryError
from point_tracking.tracker.models.cotracker.running import clip_run, passes, run_context
from point_tracking.tracker.models.cotracker.tracker import CoTrackerTracker
from point_tracking.tracker.video.frames import ArrayFrames

KINDS = ["offline", "online", "guided", "v2"]
POINTS = pt.point_queries([(0, 5, 5), (3, 20, 30), (9, 40.5, 10.25)])


@pytest.fixture
def make(small_model):
    def tracker(kind="offline", **options):
        return CoTrackerTracker.from_model(small_model(kind), **{"device": "cpu", **options})

    return tracker


@pytest.mark.parametrize("kind", KINDS)
def test_queries_are_validated_before_any_compute(make, clip, kind, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("compute started")

    tracker = make(kind)
    monkeypatch.setattr(clip_run, "ClipRun", refuse)
    for bad in [(10, 5, 5), (0, 53, 5), (0, -0.5, 5)]:
        with pytest.raises(QueryError):
            tracker.track(clip(10), pt.point_queries([bad]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backward", [False, True])
def test_no_points_give_empty_tracks(make, clip, kind, backward):
    empty = pt.Queries(t=np.zeros(0, dtype=int), xy=np.zeros((0, 2)))
    tracks = make(kind).track(clip(5), empty, backward)
    assert tracks.xy.shape == (5, 0, 2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (1, 7), (9, 1), (2, 2), (5, 80), (48, 64), (131, 77)], ids=str)
def test_frames_of_any_size(make, clip, kind, size):
    height, width = size
    queries = pt.point_queries([(0, 0, 0), (1, width - 1, height - 1)])
    tracks = make(kind, windowed=None).track(clip(9, height, width), queries, backward=True)
    assert np.isfinite(tracks.xy).all()
    if kind not in ("online", "guided"):  # whole-clip predictors put the queries into their frames
        np.testing.assert_allclose(tracks.xy[[0, 1], [0, 1]], queries.xy, atol=1e-3)
        assert tracks.visible[[0, 1], [0, 1]].all()


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_masks_of_any_size_and_type(make, clip, dtype):
    mask = np.zeros((19, 101), dtype=dtype)
    mask[8:, 30:70] = 1
    queries = pt.grid_queries(9, height=37, width=53, frame_index=2, mask=mask)
    assert 0 < len(queries) < 81
    tracks = make().track(clip(5), queries)
    assert tracks.xy.shape == (5, len(queries), 2)


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


def test_support_points_change_results(make, clip):
    with_support, without = (make(**options).track(clip(6), POINTS_EARLY).xy for options in ({}, {"support_grid": 0}))
    assert np.abs(with_support - without).max() > 1e-4


POINTS_EARLY = pt.point_queries([(0, 5, 5), (3, 20, 30)])


@pytest.mark.parametrize("kind", KINDS)
def test_backward_tracks_replace_what_is_before_the_query(make, clip, kind):
    tracker, frames = make(kind, support_grid=0), clip(12)
    forward, both = tracker.track(frames, POINTS), tracker.track(frames, POINTS, backward=True)
    flipped = pt.Queries(t=11 - POINTS.t, xy=POINTS.xy)
    reverse = tracker.track(frames[::-1].copy(), flipped).xy[::-1]
    for n, t in enumerate(POINTS.t):
        np.testing.assert_allclose(both.xy[t:, n], forward.xy[t:, n], atol=1e-3)
        np.testing.assert_allclose(both.xy[:t, n], reverse[:t, n], atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_has_no_cost_where_it_has_no_effect(make, clip, kind, monkeypatch):
    tracker, runs = make(kind), []
    real = clip_run.ClipRun._run_windows
    monkeypatch.setattr(clip_run.ClipRun, "_run_windows", lambda self, *a, **k: runs.append(k) or real(self, *a, **k))
    tracker.track(clip(6), pt.grid_queries(2, height=37, width=53), backward=True)
    assert runs == [{"backwards": False}]


def test_features_are_encoded_once_in_both_directions_and_all_passes(make, clip, monkeypatch):
    tracker, encoded = make(), []
    real = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda x: encoded.append(len(x)) or real(x))
    tracker.track(clip(6, 5, 170), pt.dense_queries(height=5, width=170, frame_index=2), backward=True)
    assert sum(encoded) == 6


def test_streams_encode_every_frame_once(make, clip, monkeypatch):
    tracker, encoded = make("online"), []
    real = tracker.model.encode
    monkeypatch.setattr(tracker.model, "encode", lambda x: encoded.append(len(x)) or real(x))
    tracker.track(clip(21), POINTS)
    assert sum(encoded) == 21


def test_dense_points_are_tracked_in_the_published_passes(make, clip):
    frames = clip(4, 6, 170)  # step 2: four passes of 85 x 3 points
    queries = pt.dense_queries(height=6, width=170, frame_index=1)
    tracker = make()
    dense = tracker.track(frames, queries)
    assert dense.xy.shape == (4, 4 * 85 * 3, 2)
    np.testing.assert_allclose(dense.xy[1], queries.xy, atol=1e-3)
    part = slice(255, 510)
    alone = tracker.track(frames, pt.Queries(t=queries.t[part], xy=queries.xy[part], origin="grid"))
    np.testing.assert_allclose(dense.xy[:, part], alone.xy, atol=2e-3)


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


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("backward", [False, True])
def test_progress_rises_to_one(make, clip, kind, backward):
    shares = []
    make(kind).track(clip(12), POINTS, backward, progress=shares.append)
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert len(shares) > 5
    assert max(np.diff(shares[:-1])) < 0.7
    assert shares[-2] > 0.8, "the last of six iterations was all that was left"


def test_cancelling_is_asked_for_between_blocks_of_an_iteration(make, clip):
    asked = []
    make(iterations=1, memory_limit_gb=0.002).track(clip(10), POINTS, cancelled=lambda: bool(asked.append(0)))
    assert len(asked) > 12, "three chunks of frames, one iteration, start and end are six"


@pytest.mark.parametrize("calls", [1, 3, 6])
def test_runs_end_when_cancelled(make, clip, calls):
    asked = iter(range(100))
    with pytest.raises(Cancelled):
        make().track(clip(10), POINTS, cancelled=lambda: next(asked) >= calls)
    assert next(asked) == calls + 1


def test_frame_sources_are_read_in_chunks(make, clip):
    frames = clip(12)

    class Counting(ArrayFrames):
        largest = 0

        def chunks(self, **options):
            for chunk in super().chunks(**options):
                Counting.largest = max(Counting.largest, len(chunk))
                yield chunk

    tracker = make()
    np.testing.assert_allclose(tracker.track(Counting(frames), POINTS).xy, tracker.track(frames, POINTS).xy)
    assert 0 < Counting.largest <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_small_budgets_change_memory_not_results(make, clip, kind):
    frames = clip(10)
    free = make(kind).track(frames, POINTS)
    tight = make(kind, memory_limit_gb=0.002).track(frames, POINTS)
    assert tight.info["plan"] != free.info["plan"]
    np.testing.assert_allclose(tight.xy, free.xy, atol=5e-3)


def test_running_out_of_memory_halves_the_plan_and_goes_on(make, clip, monkeypatch):
    tracker, frames = make(), clip(10)
    real, seen = tracker.model.refine, []

    def refine(maps, queries, state, iterations, chunks):
        seen.append((maps.num_frames, state.xy.shape[1], chunks.block_tokens))
        if chunks.block_tokens > 64 or maps.num_frames > 8:
            raise torch.OutOfMemoryError("CUDA out of memory")
        yield from real(maps, queries, state, iterations, chunks)

    monkeypatch.setattr(tracker.model, "refine", refine)
    tracks = tracker.track(frames, POINTS)
    assert seen[0][2] > 64
    assert tracks.info["plan"]["block_tokens"] == 64
    assert tracks.info["plan"]["window_frames"] == 8, "the clip is cut though memory looks free"
    assert any("windows of 8" in warning for warning in tracks.info["warnings"])
    assert np.isfinite(tracks.xy).all()
    monkeypatch.setattr(tracker.model, "refine", lambda *a: (_ for _ in ()).throw(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        tracker.track(frames, POINTS)


def test_what_never_fits_is_refused_with_what_to_do(make, clip, monkeypatch):
    tracker, attempts = make("online"), []

    def refine(*_):
        attempts.append(0)
        raise torch.OutOfMemoryError("CUDA out of memory")
        yield

    monkeypatch.setattr(tracker.model, "refine", refine)
    with pytest.raises(OutOfMemoryError, match=r"fewer points.*memory_limit_gb"):
        tracker.track(clip(10), POINTS)
    assert 1 < len(attempts) <= 8


def test_nothing_to_tell_is_no_warning(make, clip):
    assert make().track(clip(6), POINTS_EARLY).info["warnings"] == []


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_model_of_a_caller_is_left_alone(small_model, dtype):
    model = small_model("offline").train()
    tracker = CoTrackerTracker.from_model(model, device="cpu", dtype=dtype)
    assert model.training, "it may be in training elsewhere"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (tracker.model is model) == (dtype == "float32"), "copied only where it has to change"
    assert (tracker.model.fnet.conv1.weight.dtype == torch.bfloat16) == (dtype == "bfloat16")


def test_a_model_in_training_tracks_as_one_in_evaluation(small_model, clip):
    trackers = [
        CoTrackerTracker.from_model(model, device="cpu")
        for model in (small_model("online").train(), small_model("online"))
    ]
    found = [tracker.track(clip(10), POINTS).xy for tracker in trackers]
    np.testing.assert_array_equal(*found)


def test_stored_and_sampled_templates_give_the_same(make, clip, monkeypatch):
    frames, tracker = clip(10), make()
    real, found = run_context.make_plan, []
    for stores in (True, False):
        monkeypatch.setattr(
            run_context, "make_plan", lambda *given, s=stores: replace(real(*given), stores_templates=s)
        )
        found.append(tracker.track(frames, POINTS).xy)
    np.testing.assert_allclose(*found, atol=2e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16_stays_close(make, clip, kind):
    frames = clip(10)
    exact, rough = make(kind).track(frames, POINTS), make(kind, dtype="bfloat16").track(frames, POINTS)
    difference = np.abs(exact.xy - rough.xy)
    assert difference.max() > 0
    assert difference.mean() < 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu9"}, "device"),
        ({"dtype": "float16"}, "float32, tf32, bfloat16"),
        ({"dtype": "tf32"}, "cuda"),
        ({"support_grid": -1}, "support_grid"),
        ({"support_grid": "yes"}, "support_grid"),
        ({"iterations": 0}, "iterations"),
        ({"iterations": 1.5}, "iterations"),
        ({"memory_limit_gb": 0}, "memory_limit_gb"),
        ({"windowed": True}, "windowed"),
        ({"windowed": "no"}, "True, False and None"),
        ({"accept_license": "no"}, "accept_license"),
        ({"accept_license": 1}, "accept_license"),
        ({"memory_limit_gb": True}, "memory_limit_gb"),
        ({"memory_limit_gb": float("nan")}, "memory_limit_gb"),
        ({"memory_limit_gb": float("inf")}, "memory_limit_gb"),
        ({"memory_limit_gb": "4"}, "memory_limit_gb"),
        ({"device": None}, "auto, cpu, cuda, mps"),
        ({"support_grid": True}, "support_grid"),
    ],
)
def test_unsupported_options_are_named(make, options, message):
    with pytest.raises(OptionError, match=message):
        make("offline", **options)


def test_options_are_json_values(make):
    tracker = make(support_grid=np.int64(3), iterations=np.int32(2), memory_limit_gb=np.float32(0.5))
    assert json.loads(json.dumps(tracker.options)) == tracker.options
    assert tracker.options["support_grid"] == 3


def test_unknown_options_are_refused_by_the_registry():
    with pytest.raises(OptionError, match="wondows"):
        pt.load_tracker("cotracker3-online", wondows=True)


def test_options_and_capabilities_are_told(make):
    offline, online, v2 = make(), make("online"), make("v2")
    assert (offline.name, online.name, v2.name) == ("cotracker3-offline", "cotracker3-online", "cotracker2")
    assert offline.options["iterations"] == 6
    assert "windowed" not in offline.options
    assert (online.options["windowed"], v2.options["windowed"]) == (False, True)
    assert offline.capabilities.bidirectional
    assert not offline.capabilities.streaming
    assert online.capabilities.streaming
    assert all(tracker.capabilities.joint and tracker.capabilities.knows_before_query for tracker in (offline, v2))


def test_fewer_iterations_are_fewer(make, clip):
    one, six = (make(iterations=n).track(clip(5), POINTS_EARLY).xy for n in (1, 6))
    assert np.abs(one - six).max() > 1e-3


def test_the_model_files_import_without_fiftyone_and_media_libraries():
    code = (
        "import sys\n"
        "for name in ('fiftyone', 'av', 'cv2', 'huggingface_hub'): sys.modules[name] = None\n"
        "from point_tracking.tracker.models.cotracker import tracker\n"
        "from point_tracking.tracker.models.cotracker.weights import convert_weights\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_leaves_the_random_state_alone():
    code = (
        "import torch\ntorch.manual_seed(7)\nbefore = torch.get_rng_state()\n"
        "from point_tracking.tracker.models.cotracker import tracker\n"
        "assert torch.equal(before, torch.get_rng_state())\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
