"""Windows over a clip, and where points are read in what is up-sampled for their cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from point_tracking.tracker.models.alltracker.config import ALLTRACKER, grid_size
from point_tracking.tracker.models.alltracker.network import padding
from point_tracking.tracker.models.alltracker.windows import EncodedFeatures, Places, ReversedFeatures, window_lengths

CPU = torch.device("cpu")


@given(num_frames=st.integers(1, 300))
def test_windows_are_the_published_ones(num_frames):
    starts = [0]
    while starts[-1] + 16 < num_frames:
        starts.append(starts[-1] + 8)
    expected = [1] * (num_frames - 1) if num_frames <= 2 else [16] * len(starts)
    assert window_lengths(num_frames, ALLTRACKER) == expected


@given(
    height=st.integers(65, 150),
    width=st.integers(65, 150),
    points=st.lists(st.tuples(st.floats(-0.5, 1.5), st.floats(-0.5, 1.5)), min_size=1, max_size=9),
)
def test_points_are_read_where_they_lie(height, width, points):
    size = (height, width)
    rows, columns = grid_size(size)
    left, top = padding(size)
    xy = np.array(points) * [width - 1, height - 1]
    places = Places.of(xy, size, CPU)
    # a map whose values are the pixels' own positions in the frame
    y, x = torch.meshgrid(torch.arange(8 * rows) - top, torch.arange(8 * columns) - left, indexing="ij")
    pixels = torch.stack([x, y, x, y], dim=-1).float().reshape(rows, 8, columns, 8, 4).transpose(1, 2)
    upsampled = pixels.reshape(rows * columns, 1, 64, 4)[places.cells]
    found = places.read(upsampled)[0, :, :2]
    np.testing.assert_allclose(found, np.clip(xy, 0, [width - 1, height - 1]), atol=1e-3)


def test_whole_pixels_need_one_cell_each():
    places = Places.of(np.array([[7.0, 7.0], [8.0, 7.0], [0.0, 0.0]]), (128, 128), CPU)
    assert places.cells.tolist() == [0, 1]
    assert len(Places.of(np.array([[7.5, 7.5]]), (128, 128), CPU).cells) == 4


def streamed(keeps: bool, first: int = 0) -> tuple[EncodedFeatures, list[int]]:
    read: list[int] = []

    def encode(frames: np.ndarray) -> torch.Tensor:
        read.extend(frames[:, 0, 0, 0].tolist())
        return torch.from_numpy(frames[:, :1, :1, 0].astype(np.float32))

    frames = np.arange(first, 10, dtype=np.uint8)[:, None, None, None]
    chunks = (frames[i : i + 3] for i in range(0, len(frames), 3))
    return EncodedFeatures(encode, chunks, first, keeps), read


def test_frames_are_encoded_when_they_are_needed_and_dropped_when_not():
    features, read = streamed(keeps=False, first=2)
    features.reach(4)
    assert (read, features.num_frames) == ([2, 3, 4], 5)
    features.drop_before(4)
    assert features.at(4) == 4
    with pytest.raises(KeyError):
        features.at(3)
    features.drop_before(9)
    features.reach(99)
    assert features.num_frames == 10
    assert (features.at(9), len(features._maps)) == (9, 1), "what nobody waits for is not kept on the way"


def test_a_clip_that_is_kept_is_read_backwards():
    features, _ = streamed(keeps=True)
    features.reach(99)
    features.drop_before(9)
    backwards = ReversedFeatures(features)
    assert [float(backwards.at(i)) for i in range(10)] == list(range(9, -1, -1))
