"""The trackers whose weights ship with the package: their weights, and how they differ from the published ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors import safe_open

from point_tracking import Queries, list_trackers, load_tracker, tracker_info
from point_tracking.tracker.coordinates import inside_frame
from point_tracking.tracker.errors import Cancelled, CheckpointError, OptionError
from point_tracking.tracker.metrics.tap_vid import tap_vid_scores
from point_tracking.tracker.metrics.truth import TrackTruth
from point_tracking.tracker.models.cotracker.network.config import CoTrackerConfig
from point_tracking.tracker.models.cotracker.network.model import CoTracker3
from point_tracking.tracker.models.cotracker.weights.checkpoint import save_network
from point_tracking.tracker.models.pt_small.options import ShippedOptions
from point_tracking.tracker.models.pt_small.tracker import (
    WEIGHT_FILES,
    WEIGHTS_FOLDER,
    ShippedTracker,
    fitting_resolution,
    without_blinks,
)
from point_tracking.tracker.types import Tracks

CONFIG = CoTrackerConfig(
    mode="online",
    window=4,
    resolution=(64, 96),
    motion_resolution=(64, 96),
    encoder_widths=(8, 8, 8, 8),
    feature_dim=8,
    levels=2,
    radius=1,
    corr_hidden=16,
    corr_dim=8,
    width=16,
    heads=2,
    depth=1,
    mlp_ratio=1,
    virtual_tokens=2,
    iterations=2,
)
SHIPPED = [name for name in WEIGHT_FILES if name in list_trackers()]


def random_tracker(visibility: float = 0.0, **options) -> ShippedTracker:
    """Small random weights; the heads' bias makes points visible or hidden."""
    torch.manual_seed(0)
    model = CoTracker3(CONFIG)
    with torch.no_grad():
        model.updateformer.vis_conf_head.bias.fill_(visibility)
    return ShippedTracker("pt-small", model, ShippedOptions(device="cpu", support_grid=0, **options), threshold=0.5)


def clip(num_frames: int = 9, size_px: tuple[int, int] = (60, 40)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (num_frames, size_px[1], size_px[0], 3), dtype=np.uint8)


# -- the weights


def test_a_small_tracker_ships():
    assert "pt-small" in SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_say_their_licence(name: str):
    path = WEIGHTS_FOLDER / WEIGHT_FILES[name]
    with safe_open(path, framework="pt") as content:
        metadata = content.metadata()
        assert {content.get_tensor(key).dtype for key in content.keys()} == {torch.float16}  # noqa: SIM118
    info = tracker_info(name)
    assert metadata["license"] == info.weights_license == "Apache-2.0"
    assert info.commercial_use


def test_shipped_weights_stay_small():
    assert sum(file.stat().st_size for file in WEIGHTS_FOLDER.glob("*.safetensors")) < 20e6


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_weights_beat_standing_still_by_far(name: str):
    """A turning, growing picture: points move up to 30 of its 192 pixels."""
    import cv2

    rng = np.random.default_rng(3)
    picture = cv2.resize(rng.integers(0, 255, (40, 48, 3), dtype=np.uint8), (288, 240), interpolation=cv2.INTER_CUBIC)
    grid = np.stack(np.meshgrid(np.linspace(40, 152, 6), np.linspace(30, 114, 5)), axis=-1).reshape(-1, 2)
    frames, truth = [], []
    for t in range(12):
        turn = cv2.getRotationMatrix2D((144.0, 120.0), 1.5 * t, 1 + 0.01 * t)
        turn[:, 2] -= (48 - 1.2 * t, 48 - 0.5 * t)
        frames.append(cv2.warpAffine(picture, turn, (192, 144)))
        first = grid + 48
        truth.append(first @ turn[:, :2].T + turn[:, 2])
    xy = np.stack(truth)
    inside = ((xy >= 0) & (xy <= [191, 143])).all(axis=-1)
    known = TrackTruth(np.zeros(len(grid), dtype=int), xy, inside, size_px=(192, 144))
    queries = Queries(np.zeros(len(grid), dtype=int), xy[0])
    tracks = load_tracker(name, device="cpu").track(np.stack(frames), queries)
    still = Tracks(np.broadcast_to(xy[0], xy.shape).astype(np.float32), inside, inside.astype(np.float32))
    assert tap_vid_scores(tracks, known).delta_avg > tap_vid_scores(still, known).delta_avg + 0.3


# -- the tracker around them


def test_the_models_frame_has_the_shape_of_the_video():
    assert fitting_resolution(replace(CONFIG, resolution=(256, 384)), (1280, 720)) == (232, 416)
    assert fitting_resolution(replace(CONFIG, resolution=(256, 384)), (720, 1280)) == (416, 232)
    assert fitting_resolution(CONFIG, (1280, 720), longer_side=512) == (288, 512)


@given(st.integers(1, 5000), st.integers(1, 5000), st.one_of(st.none(), st.integers(64, 1024)))
def test_the_models_frame_fits_its_coarsest_level(width: int, height: int, longer_side: int | None):
    resolution = fitting_resolution(CONFIG, (width, height), longer_side)
    assert all(side >= 8 and side % 8 == 0 for side in resolution)
    replace(CONFIG, resolution=resolution)  # checks itself
    if longer_side is not None:
        assert abs(max(resolution) - longer_side) <= 4


def test_points_that_leave_the_frame_are_hidden():
    torch.manual_seed(0)
    tracker = random_tracker(visibility=9.0)
    with torch.no_grad():
        tracker.model.updateformer.flow_head.bias.fill_(2.0)  # right and down, further each refinement
    tracks = tracker.track(clip(), Queries(np.zeros(1), np.array([[50.0, 30.0]])))
    assert not inside_frame(tracks.xy[1:], (60, 40)).any()
    assert not tracks.visible[1:].any()
    assert (tracks.confidence[1:] > 0.9).all(), "the model itself was sure"
    assert tracks.visible[0].all()


def test_points_are_unknown_before_their_query_unless_tracked_backwards():
    tracker, queries = random_tracker(visibility=9.0), Queries(np.array([0, 5]), np.array([[30.0, 20.0], [20.0, 25.0]]))
    tracks = tracker.track(clip(), queries)
    assert np.isnan(tracks.xy[:5, 1]).all()
    assert not tracks.visible[:5, 1].any()
    assert np.isfinite(tracks.xy[5:]).all()
    both = tracker.track(clip(), queries, backward=True)
    assert np.isfinite(both.xy).all()
    np.testing.assert_array_equal(both.xy[5:], tracks.xy[5:])


def test_a_session_gives_the_tracks_of_the_whole_clip():
    frames, queries = clip(11), Queries(np.array([0, 6]), np.array([[30.0, 20.0], [20.0, 25.0]]))
    tracker = random_tracker(visibility=1.0)
    whole = tracker.track(frames, queries)
    session = tracker.open_session((60, 40))
    session.add(queries)
    parts = [session.push(frames[:5]), session.push(frames[5:]), session.finish()]
    xy = np.concatenate([part.xy for part in parts])
    visible = np.concatenate([part.visible for part in parts])
    np.testing.assert_array_equal(visible[1:6], whole.visible[1:6])
    # the session leaves queries where the model puts them
    mask = np.ones(visible.shape, dtype=bool)
    mask[[0, 6], [0, 1]] = False
    np.testing.assert_allclose(xy[mask], whole.xy[mask], atol=1e-3)


def test_the_model_is_not_changed_by_a_run():
    tracker = random_tracker()
    for size_px in ((60, 40), (40, 60)):
        tracker.track(clip(3, size_px), Queries(np.zeros(1), np.array([[5.0, 5.0]])))
    assert tracker.model.config == CONFIG


def test_runs_leave_the_number_of_threads_as_it_was():
    before = torch.get_num_threads()
    seen: list[int] = []
    torch.set_num_threads(2)
    try:
        tracker = random_tracker()
        tracker.track(
            clip(5),
            Queries(np.zeros(1), np.array([[5.0, 5.0]])),
            progress=lambda share: seen.append(torch.get_num_threads()),
        )
        assert 1 in seen, "small operations are not shared among threads"
        with pytest.raises(Cancelled):
            tracker.track(clip(5), Queries(np.zeros(1), np.array([[5.0, 5.0]])), cancelled=lambda: len(seen) > 0)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_options_are_reported_and_checked():
    assert load_tracker("pt-small", device="cpu", resolution=256).options == {
        "checkpoint": None,
        "device": "cpu",
        "dtype": "float32",
        "support_grid": "auto",
        "iterations": 3,
        "memory_limit_gb": None,
        "resolution": 256,
    }
    for wrong in ({"resolution": 20}, {"resolution": True}, {"iterations": 0}, {"device": "none"}, {"dtype": "int8"}):
        with pytest.raises(OptionError):
            load_tracker("pt-small", **wrong)


def test_weights_of_other_models_are_refused(tmp_path: Path):
    path = tmp_path / "other.safetensors"
    save_network(CoTracker3(replace(CONFIG, motion_resolution=None)), path)
    with pytest.raises(CheckpointError, match="pt-small"):
        load_tracker("pt-small", checkpoint=path)


@given(
    visible=hnp.arrays(bool, st.tuples(st.integers(1, 9), st.integers(0, 4))),
    data=st.data(),
)
def test_points_seen_for_one_frame_alone_are_hidden(visible: np.ndarray, data: st.DataObject):
    num_frames, num_points = visible.shape
    t = data.draw(hnp.arrays(np.int64, num_points, elements=st.integers(0, num_frames - 1)))
    xy = np.zeros((num_frames, num_points, 2), np.float32)
    queries = Queries(t, np.zeros((num_points, 2)))
    tracks = without_blinks(Tracks(xy, visible, np.where(visible, 0.9, 0.1)), queries, threshold=0.6)
    for n in range(num_points):
        for k in range(num_frames):
            alone = 0 < k < num_frames - 1 and not visible[k - 1, n] and not visible[k + 1, n] and k != t[n]
            assert tracks.visible[k, n] == (visible[k, n] and not alone)
            assert tracks.confidence[k, n] == np.float32(0.9 if tracks.visible[k, n] else 0.6 if visible[k, n] else 0.1)
