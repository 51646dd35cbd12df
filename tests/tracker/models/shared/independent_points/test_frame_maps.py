"""Maps of a clip, filled frame by frame, and work in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from point_tracking.tracker.models.shared.independent_points.frame_maps import ClipMaps, Course, FrameMaps


@pytest.mark.parametrize(("points", "frames", "block"), [(5, 7, 3), (5, 7, 20), (5, 7, 100), (1, 1, 1), (0, 4, 8)])
def test_blocks_cover_everything_once(points, frames, block):
    asked = []
    course = Course(1, 10.0, block, on_block=lambda: asked.append(1))
    seen, blocks = np.zeros((points, frames), int), list(course.blocks(points, frames))
    for some, few in blocks:
        seen[some, few] += 1
        assert seen[some, few].size <= block
    assert (seen == 1).all()
    assert len(asked) == len(blocks), "each can be cancelled"


def test_a_clip_has_the_frames_that_came():
    clip, frames = ClipMaps(5), torch.randn(3, 4, 6, 2)
    for few in frames.split(2):
        clip.append([FrameMaps((32, 48), (few,))])
    assert clip.filled == 3
    torch.testing.assert_close(clip.sets[0].levels[0], frames)


def test_positions_and_lengths_are_scaled_from_the_first_size():
    maps = FrameMaps((256, 512), (torch.zeros(1, 64, 128, 1),))
    torch.testing.assert_close(maps.place(0, torch.tensor([256.0, 128.0])), torch.tensor([128.0, 32.0]))
    torch.testing.assert_close(maps.pixels(torch.tensor([2.0, 2.0])), torch.tensor([1.0, 2.0]))
