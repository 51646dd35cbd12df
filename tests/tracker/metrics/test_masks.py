"""Mask adherence against figures computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from point_tracking.tracker.errors import ShapeError
from point_tracking.tracker.metrics.masks import MaskScores, mask_scores

from .clip_makers import made_tracks


def on_mask(xy: list[tuple[float, float]], visible: list[bool], **options) -> MaskScores:
    """Points of frame 1 against a mask of half resolution that covers pixels 4 to 7 of an 16 x 16 frame."""
    masks = np.zeros((2, 8, 8), bool)
    masks[:, 2:4, 2:4] = True
    positions = np.stack([np.full((len(xy), 2), 5.0), np.array(xy)])
    tracks = made_tracks(positions, np.stack([np.ones(len(xy), bool), np.array(visible)]))
    return mask_scores(tracks, np.zeros(len(xy), int), masks, (16, 16), **options)


def test_mask_counts_visible_points_only():
    scores = on_mask([(5, 5), (7.4, 7.4), (8, 5), (12, 12)], [True, True, True, False])
    assert scores == MaskScores(on_object=2 / 3, share_visible=3 / 4)


def test_mask_tolerance_is_in_mask_pixels():
    points, visible = [(8.0, 5.0), (5.0, 10.0), (13.0, 5.0)], [True] * 3
    assert [on_mask(points, visible, tolerance_cells=n).on_object for n in (0, 1, 2)] == [0, 1 / 3, 2 / 3]


def test_mask_without_visible_points_is_nan():
    scores = on_mask([(5, 5)], [False])
    assert np.isnan(scores.on_object)
    assert scores.share_visible == 0


def test_frames_without_a_known_mask_do_not_count():
    masks = np.zeros((3, 4, 4), bool)
    masks[1] = True
    tracks = made_tracks(np.full((3, 1, 2), 1.0), np.array([[1], [1], [0]]))
    known = mask_scores(tracks, np.zeros(1, int), masks, (4, 4), valid=np.array([True, True, False]))
    assert known == MaskScores(1.0, 1.0)
    assert mask_scores(tracks, np.zeros(1, int), masks, (4, 4)) == MaskScores(1.0, 0.5)


def test_masks_must_have_a_frame_each():
    tracks = made_tracks(np.zeros((3, 1, 2)), np.ones((3, 1)))
    with pytest.raises(ShapeError, match=r"Expected \(3, H, W\)"):
        mask_scores(tracks, np.zeros(1, int), np.ones((2, 4, 4)), (4, 4))
