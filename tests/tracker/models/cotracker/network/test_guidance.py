"""Where optical flow carries points before a window starts."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.errors import OptionError
from point_tracking.tracker.models.cotracker.network.config import COTRACKER2, COTRACKER3_OFFLINE, COTRACKER3_ONLINE
from point_tracking.tracker.models.cotracker.network.correlation import FeatureMaps
from point_tracking.tracker.models.cotracker.network.guidance import (
    MOTION_PARTS,
    Guide,
    carry_along,
    clip_motion,
    follow_guide,
    frame_motion,
    motion_bytes,
    motion_of_flow,
    motion_size,
)
from point_tracking.tracker.models.cotracker.network.model import TrackState
from point_tracking.tracker.models.cotracker.running.features import ClipFeatures

CONFIG = replace(COTRACKER3_ONLINE, window=4, resolution=(128, 192), guided=True)
EDGE = torch.tensor([191, 127]) / 4  # the last feature pixel


def moving_picture(num_frames: int, step_px: tuple[int, int], size_px: tuple[int, int] = (192, 128)) -> np.ndarray:
    """Frames in which a textured picture moves by whole pixels a frame."""
    width, height = size_px
    noise = np.random.default_rng(0).integers(0, 255, (height // 4, width // 4, 3), dtype=np.uint8)
    picture = cv2.resize(noise, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC)
    corners = [(width // 2 - t * step_px[0], height // 2 - t * step_px[1]) for t in range(num_frames)]
    return np.stack([picture[y : y + height, x : x + width] for x, y in corners])


def constant_maps(step: tuple[float, float], slots: list[int], batch: int = 1) -> FeatureMaps:
    """Maps of a picture that moves by the same in every frame, in feature pixels."""
    height, width = motion_size(CONFIG)
    stored = max(slots) + 1
    motion = torch.tensor([*step, -step[0], -step[1]], dtype=torch.float16)[:, None, None]
    level = torch.zeros(batch, stored, *CONFIG.grid_size, 2)
    return FeatureMaps((level,), torch.tensor(slots), motion.expand(batch, stored, MOTION_PARTS, height, width))


# -- flow between frames


@pytest.mark.parametrize("size_px", [(192, 128), (384, 256), (288, 128)])
def test_motion_is_told_in_feature_pixels(size_px: tuple[int, int]):
    """Whatever the size of the video, of which the model's frame is 192 x 128."""
    step_px = np.array([6, -4])
    motion, last = frame_motion(moving_picture(3, (6, -4), size_px), None, CONFIG)
    assert motion.shape == (3, MOTION_PARTS, 64, 96)
    assert last is not None
    assert last.shape == (64, 96)
    expected = step_px * np.array([192, 128]) / size_px / CONFIG.stride
    middle = motion[1:, :, 16:48, 24:72].astype(np.float32)
    there, back = np.median(middle[:, :2], axis=(0, 2, 3)), np.median(middle[:, 2:], axis=(0, 2, 3))
    np.testing.assert_allclose(there, expected, atol=0.1)
    np.testing.assert_allclose(back, -expected, atol=0.1)


def test_the_first_frame_has_no_motion():
    motion, _ = frame_motion(moving_picture(2, (6, 0)), None, CONFIG)
    assert not motion[0].any()
    assert motion[1].any()


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_chunks_make_no_difference(cut: int):
    frames = moving_picture(5, (3, 2))
    whole, _ = frame_motion(frames, None, CONFIG)
    first, last = frame_motion(frames[:cut], None, CONFIG)
    second, _ = frame_motion(frames[cut:], last, CONFIG)
    np.testing.assert_array_equal(np.concatenate([first, second]), whole)


def test_training_clips_move_as_videos_do():
    frames = moving_picture(4, (5, 1))
    batch = torch.from_numpy(np.stack([frames, frames[::-1]])).permute(0, 1, 4, 2, 3)
    motion = clip_motion(batch, replace(CONFIG, resolution=(512, 512)))  # that of inference does not matter
    assert motion.shape == (2, 4, MOTION_PARTS, 64, 96)
    np.testing.assert_array_equal(motion[0].numpy(), frame_motion(frames, None, CONFIG)[0])
    # backwards, there and back change places
    np.testing.assert_array_equal(motion[1, 1, :2].numpy(), motion[0, 3, 2:].numpy())


def test_tiny_frames_are_large_enough_for_the_flow():
    config = replace(CONFIG, resolution=(32, 32), levels=2)
    assert motion_size(config) == (32, 32)
    motion, _ = frame_motion(moving_picture(2, (2, 0), (32, 32)), None, config)
    assert np.isfinite(motion).all()


# -- points


@given(
    step=st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    settled=st.lists(st.integers(0, 6), min_size=1, max_size=4),
    backwards=st.booleans(),
)
def test_points_move_on_from_where_they_are_settled(step, settled, backwards):
    maps = constant_maps(step, [0, 1, 2, 3])
    if backwards:
        maps = maps.flipped()
        step = -step[0], -step[1]
    n = len(settled)
    xy = EDGE / 2 + torch.rand(1, n, 4, 2, generator=torch.Generator().manual_seed(1))
    state = TrackState(xy, torch.full((1, n, 4), 0.25), torch.full((1, n, 4), 0.5))
    moved = carry_along(state, maps, torch.tensor([settled]), CONFIG)
    for point, last in enumerate(settled):
        last = min(last, 3)
        torch.testing.assert_close(moved.xy[0, point, : last + 1], xy[0, point, : last + 1])
        for i in range(last + 1, 4):
            expected = xy[0, point, last] + (i - last) * torch.tensor(step)
            torch.testing.assert_close(moved.xy[0, point, i], expected, atol=0.01, rtol=0)
        # the flow closes everywhere
        assert moved.visibility[0, point].tolist() == [0.25] * (last + 1) + [1.25] * (3 - last)
    assert torch.equal(moved.confidence, state.confidence)


def test_a_repeated_frame_moves_nothing():
    state = TrackState.at_queries(EDGE[None, None] / 2, 4)
    moved = carry_along(state, constant_maps((1.0, 0.0), [0, 1, 1, 1]), torch.zeros(1, 1, dtype=torch.int64), CONFIG)
    assert (moved.xy[0, 0, :, 0] - EDGE[0] / 2).tolist() == pytest.approx([0, 1, 1, 1])


def test_points_that_leave_the_frame_are_said_to_be_lost():
    state = TrackState.at_queries(EDGE[None, None] - 1.5, 4)
    moved = carry_along(state, constant_maps((1.0, 0.0), [0, 1, 2, 3]), torch.zeros(1, 1, dtype=torch.int64), CONFIG)
    assert moved.visibility[0, 0].tolist() == [0, 1, -1, -1]
    assert float(moved.xy[0, 0, 3, 0]) == pytest.approx(float(EDGE[0]) + 1.5), "the border's motion goes on"


def test_flow_that_does_not_close_is_said_to_be_lost_for_good():
    maps = constant_maps((0.5, 0.0), [0, 1, 2, 3])
    assert maps.motion is not None
    motion = maps.motion.clone()
    motion[:, 2, 2] = 3.0  # back from frame 2, elsewhere
    maps = replace(maps, motion=motion)
    state = TrackState.at_queries(EDGE[None, None] / 2, 4)
    moved = carry_along(state, maps, torch.zeros(1, 1, dtype=torch.int64), CONFIG)
    assert moved.visibility[0, 0].tolist() == [0, 1, -1, -1]


# -- in the model


def test_a_rolling_store_holds_the_motion_of_its_frames(small_model, clip):
    model, frames = small_model("guided"), clip(14)
    whole = ClipFeatures(model, 14, torch.float32)
    whole.append(frames)
    rolling = ClipFeatures(model, 6, torch.float32, rolling=True)
    for start in range(0, 14, 3):
        rolling.append(frames[start : start + 3])
    a, b = whole.maps(9, 14), rolling.maps(9, 14)
    assert a.motion is not None
    assert b.motion is not None
    torch.testing.assert_close(b.motion[:, b.frames], a.motion[:, a.frames])
    assert a.motion[:, a.frames].abs().max() > 0


def test_a_growing_store_keeps_its_motion(small_model, clip):
    model, frames = small_model("guided"), clip(9)
    store = ClipFeatures(model, 2, torch.float32)
    for frame in frames:
        store.append(frame[None])
    motion = store.maps().motion
    assert motion is not None
    expected, _ = frame_motion(frames, None, model.config)
    np.testing.assert_array_equal(motion[0, :9].numpy(), expected)


def test_models_that_are_not_guided_keep_no_motion(small_model, clip):
    model = small_model("online")
    store = ClipFeatures(model, 4, torch.float32)
    store.append(clip(4))
    assert store.maps().motion is None
    assert motion_bytes(model.config) == 0 < motion_bytes(small_model("guided").config)


@pytest.mark.parametrize("config", [COTRACKER3_OFFLINE, COTRACKER2])
def test_only_windows_of_cotracker3_can_be_guided(config):
    with pytest.raises(OptionError, match="Only windows of CoTracker3 can be guided"):
        replace(config, guided=True)


# -- guided by another tracker


def guided(settled: int, sure: float, kept: bool = True, t: int = 0) -> TrackState:
    """A window of 4 frames, carried to (1, 1), (2, 1), .. and guided to (20, 10)."""
    logit = float(np.log(sure / (1 - sure)))
    start = TrackState(torch.ones(1, 1, 4, 2), torch.full((1, 1, 4), logit), torch.full((1, 1, 4), 9.0))
    carried = TrackState(start.xy + torch.arange(4.0)[:, None], start.visibility - 1, start.confidence)
    guide = Guide(torch.tensor([20.0, 10.0]).expand(1, 1, 4, 2), torch.full((1, 1, 4), kept))
    return follow_guide(carried, start, guide, torch.tensor([[settled]]), torch.tensor([[t]]))


def test_frames_that_are_not_settled_start_where_the_guide_is():
    state = guided(settled=1, sure=0.9)
    assert state.xy[0, 0, :, 0].tolist() == [1, 2, 20, 20]
    assert (state.visibility[0, 0, 2:] > 1).all()
    assert (state.visibility[0, 0, :2] < state.visibility[0, 0, 2:]).all()


def test_where_the_network_is_not_sure_settled_frames_follow_too():
    assert guided(settled=2, sure=0.3).xy[0, 0, :, 0].tolist() == [1, 20, 20, 20]
    assert guided(settled=2, sure=0.3, t=1).xy[0, 0, :, 0].tolist() == [1, 2, 20, 20], "but for the query itself"


def test_a_guide_that_has_lost_the_point_is_not_followed():
    state = guided(settled=1, sure=0.9, kept=False)
    assert state.xy[0, 0, :, 0].tolist() == [1, 2, 3, 4]


def test_flow_of_another_size_is_told_in_feature_pixels():
    there = np.tile(np.float32([6, -4]), (240, 320, 1))
    motion = motion_of_flow(there, -there[::2, ::2], (320, 240), CONFIG)
    assert motion.shape == (MOTION_PARTS, *motion_size(CONFIG))
    expected = np.array([6 * 48 / 320, -4 * 32 / 240])
    np.testing.assert_allclose(motion.mean(axis=(1, 2)), [*expected, *-expected], atol=1e-3)
