"""Feature maps of clips and streams: the same whatever the pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from point_tracking.tracker.models.cotracker.running.features import ClipFeatures, encode_frames, prepare_frames

CPU = torch.device("cpu")


@pytest.fixture
def model(small_model):
    return small_model("online")


def test_frames_are_resized_with_corner_centres_aligned():
    frames = np.random.default_rng(0).integers(0, 256, (2, 9, 13, 3), dtype=np.uint8)
    found = prepare_frames(frames, (17, 25), CPU)
    expected = F.interpolate(
        torch.from_numpy(frames).permute(0, 3, 1, 2).float(), (17, 25), mode="bilinear", align_corners=True
    )
    torch.testing.assert_close(found, 2 * expected / 255 - 1)
    same = prepare_frames(frames[::-1], (9, 13), CPU)
    torch.testing.assert_close((same + 1) * 127.5, torch.from_numpy(frames[::-1].copy()).permute(0, 3, 1, 2).float())


def test_a_growing_store_holds_every_frame_whatever_the_pieces(model, clip):
    frames = clip(11)
    with torch.inference_mode():
        whole = encode_frames(model, frames, torch.float32)
        store, told = ClipFeatures(model, 3, torch.float32), []
        store.extend((frames[start : start + 4] for start in range(0, 11, 4)), told.append)
        maps = store.maps()
    assert told == [4, 8, 11]
    assert maps.num_frames == 11
    for level, expected in zip(maps.levels, whole, strict=True):
        torch.testing.assert_close(level[0, maps.frames], expected, atol=1e-5, rtol=1e-4)


def test_a_rolling_store_holds_the_last_frames_without_growing(model, clip):
    frames = clip(11)
    with torch.inference_mode():
        whole = encode_frames(model, frames, torch.float32)
        store = ClipFeatures(model, 5, torch.float32, rolling=True)
        for start in range(0, 11, 2):
            store.append(frames[start : start + 2])
        maps = store.maps(6, 11)
    assert store.num_frames == 11
    assert all(level.shape[1] == 5 for level in maps.levels)
    for level, expected in zip(maps.levels, whole, strict=True):
        torch.testing.assert_close(level[0, maps.frames], expected[6:], atol=1e-5, rtol=1e-4)


def test_features_are_kept_in_the_type_that_is_asked_for(model, clip):
    with torch.inference_mode():
        store = ClipFeatures(model, 2, torch.bfloat16)
        store.append(clip(2))
    assert {level.dtype for level in store.maps().levels} == {torch.bfloat16}
